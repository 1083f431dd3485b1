#include "service/cloudformation/role.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "service/cloudformation/cloudformation.h"
#include "wire/json.h"

namespace reef::cloudformation {
namespace {

using wire::Json;

constexpr std::string_view kService = "cloudformation.amazonaws.com", kSession = "AWSCloudFormation";

struct RoleName {
  std::string account, name;  // the name without its path
};

std::optional<RoleName> name_of(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "iam" || !parts[5].starts_with("role/")) return std::nullopt;
  return RoleName{.account = std::string(parts[4]), .name = std::string(parts[5].substr(parts[5].rfind('/') + 1))};
}

bool holds(const Json& values, std::string_view text) {
  const auto fits = [&](const Json& value) { return matches_wildcard(value.as_string(), text); };
  if (!values.is_array()) return values.is_string() && fits(values);
  return std::any_of(values.as_array().begin(), values.as_array().end(), fits);
}

// Conditions of trust policies are not looked at, as IAM's are nowhere here.
bool trusts_cloudformation(const Json& document) {
  const Json statements = document["Statement"].is_array() ? document["Statement"] : Json::array({document["Statement"]});
  return std::any_of(statements.as_array().begin(), statements.as_array().end(), [](const Json& statement) {
    const Json& principal = statement["Principal"];
    const bool is_named = principal.is_string() ? principal.as_string() == "*" : holds(principal["Service"], kService);
    return statement.text("Effect") == "Allow" && is_named && holds(statement["Action"], "sts:AssumeRole");
  });
}

}  // namespace

Task<aws::Reply<void>> check_role(aws::Caller& caller, const aws::Call& call, std::string role_arn) {
  if (role_arn.empty()) co_return aws::Reply<void>();
  const auto role = name_of(role_arn);
  const auto cannot = [&] { return Err(invalid(fmt::format("Role {} is invalid or cannot be assumed", role_arn))); };
  if (!role) co_return cannot();
  const auto found = co_await caller.invoke_json(caller.internal_call(role->account, call.region), "iam", "GetRole", Json::object({{"RoleName", role->name}}));
  if (!found) co_return cannot();
  const auto document = Json::parse(percent_decode((*found)["Role"].text("AssumeRolePolicyDocument")));
  if ((*found)["Role"].text("Arn") != role_arn || !document || !trusts_cloudformation(*document)) co_return cannot();
  co_return aws::Reply<void>();
}

aws::Call stack_call(aws::Caller& caller, const std::string& account, const std::string& region, const std::string& role_arn) {
  aws::Call out = caller.internal_call(account, region);
  if (const auto role = name_of(role_arn))
    out.principal = {.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", role->account, role->name, kSession), .user_id = fmt::format("{}:{}", role->name, kSession), .account = role->account, .access_key = {}};
  return out;
}

}  // namespace reef::cloudformation
