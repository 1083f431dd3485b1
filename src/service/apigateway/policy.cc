#include "service/apigateway/policy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/api_store.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;

template <class Test>
bool any_of(const Json& values, const Test& test) {
  if (!values.is_array()) return test(values.scalar_text().value_or(""));
  return std::any_of(values.as_array().begin(), values.as_array().end(), [&](const Json& each) { return test(each.scalar_text().value_or("")); });
}

// "execute-api:/stage/GET/a" is short for the API's own ARN.
bool covers(const std::string& pattern, std::string_view arn) {
  constexpr std::string_view kShort = "execute-api:/";
  if (!pattern.starts_with(kShort)) return matches_wildcard(pattern, arn);
  const auto slash = arn.find('/');
  return slash != std::string_view::npos && matches_wildcard(pattern.substr(kShort.size()), arn.substr(slash + 1));
}

bool is_principal(const Json& given, const aws::Principal* who) {
  if (given.is_string()) return given.as_string() == "*";
  return any_of(given["AWS"], [&](const std::string& wanted) {
    if (wanted == "*") return true;
    if (!who || wanted.empty()) return false;
    return wanted == who->account || wanted == fmt::format("arn:aws:iam::{}:root", who->account) || wanted == who->arn;
  });
}

struct Operator {
  std::string_view name;
  bool negated;
  bool (*test)(const std::string& wanted, const std::string& has);
};
constexpr Operator kOperators[] = {
    {"IpAddress", false, [](const std::string& wanted, const std::string& has) { return is_in_block(has, wanted); }},
    {"NotIpAddress", true, [](const std::string& wanted, const std::string& has) { return is_in_block(has, wanted); }},
    {"StringEquals", false, [](const std::string& wanted, const std::string& has) { return has == wanted; }},
    {"StringNotEquals", true, [](const std::string& wanted, const std::string& has) { return has == wanted; }},
    {"StringEqualsIgnoreCase", false, [](const std::string& wanted, const std::string& has) { return equals_ignoring_case(has, wanted); }},
    {"StringNotEqualsIgnoreCase", true, [](const std::string& wanted, const std::string& has) { return equals_ignoring_case(has, wanted); }},
    {"StringLike", false, [](const std::string& wanted, const std::string& has) { return matches_wildcard(wanted, has); }},
    {"StringNotLike", true, [](const std::string& wanted, const std::string& has) { return matches_wildcard(wanted, has); }},
    {"ArnEquals", false, [](const std::string& wanted, const std::string& has) { return matches_wildcard(wanted, has); }},
    {"ArnLike", false, [](const std::string& wanted, const std::string& has) { return matches_wildcard(wanted, has); }},
    {"ArnNotEquals", true, [](const std::string& wanted, const std::string& has) { return matches_wildcard(wanted, has); }},
    {"ArnNotLike", true, [](const std::string& wanted, const std::string& has) { return matches_wildcard(wanted, has); }},
    {"Bool", false, [](const std::string& wanted, const std::string& has) { return equals_ignoring_case(has, wanted); }},
};
const Operator* find_operator(std::string_view name) {
  const auto found = std::find_if(std::begin(kOperators), std::end(kOperators), [&](const Operator& each) { return each.name == name; });
  return found == std::end(kOperators) ? nullptr : &*found;
}

bool holds(const Json& conditions, const InvokeRequest& request) {
  for (const auto& [given_name, tests] : conditions.as_object()) {
    std::string_view name = given_name;
    const bool if_exists = name.ends_with("IfExists");
    if (if_exists) name.remove_suffix(8);
    const Operator* how = find_operator(name);
    for (const auto& [key, wanted] : tests.as_object()) {
      const auto has = request.keys.find(to_lower(key));
      if (name == "Null") {
        if ((wanted.scalar_text() == "true") != (has == request.keys.end())) return false;
        continue;
      }
      if (!how) return false;
      if (has == request.keys.end()) {
        if (!how->negated && !if_exists) return false;
        continue;
      }
      if (any_of(wanted, [&](const std::string& each) { return how->test(each, has->second); }) == how->negated) return false;
    }
  }
  return true;
}

bool applies(const Json& statement, const InvokeRequest& request) {
  const auto is_action = [](const std::string& pattern) { return matches_wildcard(to_lower(pattern), "execute-api:invoke"); };
  const auto is_resource = [&](const std::string& pattern) { return covers(pattern, request.arn); };
  if (statement.contains("Action") ? !any_of(statement["Action"], is_action) : any_of(statement["NotAction"], is_action)) return false;
  if (statement.contains("Resource") ? !any_of(statement["Resource"], is_resource) : statement.contains("NotResource") && any_of(statement["NotResource"], is_resource)) return false;
  if (statement.contains("Principal") ? !is_principal(statement["Principal"], request.principal) : is_principal(statement["NotPrincipal"], request.principal)) return false;
  return holds(statement["Condition"], request);
}

Json statements_of(const Json& policy) { return policy["Statement"].is_array() ? policy["Statement"] : policy["Statement"].is_object() ? Json::array({policy["Statement"]}) : Json::array(); }

}  // namespace

bool is_in_block(std::string_view address, std::string_view block) {
  const auto slash = block.find('/');
  const std::string base(block.substr(0, slash)), text(address);
  unsigned char one[16] = {}, other[16] = {};
  const int family = base.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, base.c_str(), one) != 1 || inet_pton(family, text.c_str(), other) != 1) return false;
  const unsigned whole = family == AF_INET ? 32 : 128;
  unsigned bits = whole;
  if (slash != std::string_view::npos) {
    const auto given = parse_int<unsigned>(block.substr(slash + 1));
    if (!given || *given > whole) return false;
    bits = *given;
  }
  if (std::memcmp(one, other, bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - bits % 8));
  return (one[bits / 8] & mask) == (other[bits / 8] & mask);
}

aws::Verdict judge_policy(const Json& policy, const InvokeRequest& request) {
  aws::Verdict out = aws::Verdict::kNotAllowed;
  const Json statements = statements_of(policy);
  for (const Json& statement : statements.as_array()) {
    if (!applies(statement, request)) continue;
    if (statement.text("Effect") != "Allow") return aws::Verdict::kDenied;
    out = aws::Verdict::kAllowed;
  }
  return out;
}

aws::Reply<void> check_policy(const std::string& text) {
  const auto policy = Json::parse(text);
  if (!policy || !policy->is_object()) return Err(bad_request("Invalid policy document. Please check the policy syntax and ensure that Principals are valid."));
  const Json statements = statements_of(*policy);
  for (const Json& statement : statements.as_array()) {
    if (statement.text("Effect") != "Allow" && statement.text("Effect") != "Deny")
      return Err(bad_request("Invalid policy document. Please check the policy syntax and ensure that Principals are valid."));
    for (const auto& [name, tests] : statement["Condition"].as_object()) {
      std::string_view base = name;
      if (base.ends_with("IfExists")) base.remove_suffix(8);
      if (base != "Null" && !find_operator(base)) return Err(unsupported(fmt::format("The condition operator {} in a resource policy", name)));
    }
  }
  return {};
}

}  // namespace reef::service::apigateway
