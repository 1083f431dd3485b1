#include "service/s3/post_policy.h"

#include <set>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "wire/json.h"

namespace reef::s3 {
namespace {

using aws::Reply;
using wire::Json;

aws::Error denied(std::string_view why) { return aws::Error("AccessDenied", fmt::format("Invalid according to Policy: {}", why), 403); }
aws::Error invalid_policy(std::string_view why) { return aws::Error("InvalidPolicyDocument", fmt::format("Invalid Policy: {}", why), 400); }

aws::Error failed(const std::vector<std::string>& condition) {
  return denied(fmt::format("Policy Condition failed: [\"{}\"]", fmt::join(condition, "\", \"")));
}

// Fields that no condition has to speak of.
bool is_free(const std::string& name) {
  static const std::set<std::string> kFree = {"x-amz-signature", "signature", "awsaccesskeyid", "policy", "file", "bucket"};
  return kFree.contains(name) || name.starts_with("x-ignore-");
}

Reply<void> check_size(const std::vector<std::string>& condition, std::uint64_t file_bytes) {
  const auto low = parse_int<std::uint64_t>(condition[1]), high = parse_int<std::uint64_t>(condition[2]);
  if (!low || !high) return Err(failed(condition));
  if (file_bytes > *high) {
    aws::Error error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400);
    error.fields.set("ProposedSize", std::to_string(file_bytes));
    error.fields.set("MaxSizeAllowed", condition[2]);
    return Err(std::move(error));
  }
  if (file_bytes < *low) {
    aws::Error error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400);
    error.fields.set("ProposedSize", std::to_string(file_bytes));
    error.fields.set("MinSizeAllowed", condition[1]);
    return Err(std::move(error));
  }
  return {};
}

// {"acl": "private"} is short for ["eq", "$acl", "private"].
Reply<std::vector<std::string>> read_condition(const Json& given) {
  if (given.is_object()) {
    if (given.size() != 1) return Err(invalid_policy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."));
    const auto& [name, value] = *given.as_object().begin();
    return std::vector<std::string>{"eq", "$" + name, value.scalar_text().value_or("")};
  }
  if (!given.is_array() || given.size() != 3) return Err(invalid_policy("Invalid Condition: must be a Simple-Condition or an array of three."));
  std::vector<std::string> out;
  for (const Json& each : given.as_array()) out.push_back(each.scalar_text().value_or(""));
  return out;
}

}  // namespace

const std::string* FormFields::find(std::string_view name) const {
  for (const auto& field : fields_)
    if (equals_ignoring_case(field.first, name)) return &field.second;
  return nullptr;
}

std::string FormFields::value(std::string_view name) const {
  const std::string* found = find(name);
  return found ? *found : std::string();
}

Reply<void> check_policy(std::string_view policy, const FormFields& fields, std::uint64_t file_bytes, Time now) {
  const auto text = base64_decode(policy);
  const auto document = Json::parse(text.value_or(""));
  if (!document || !document->is_object()) return Err(invalid_policy("Invalid JSON."));
  const auto expires = parse_iso8601(document->text("expiration"));
  if (!expires) return Err(invalid_policy("Policy missing expiration."));
  if (*expires <= now) return Err(denied("Policy expired."));
  if (!(*document)["conditions"].is_array()) return Err(invalid_policy("Policy missing conditions."));
  std::set<std::string> covered;
  for (const Json& given : (*document)["conditions"].as_array()) {
    const std::vector<std::string> condition = TRY(read_condition(given));
    const std::string how = to_lower(condition[0]);
    if (how == "content-length-range") {
      TRY(check_size(condition, file_bytes));
      continue;
    }
    if ((how != "eq" && how != "starts-with") || !condition[1].starts_with('$')) return Err(failed(condition));
    const std::string name = condition[1].substr(1), value = fields.value(name);
    covered.insert(to_lower(name));
    if (how == "eq" ? value != condition[2] : !value.starts_with(condition[2])) return Err(failed(condition));
  }
  std::vector<std::string> extra;
  for (const auto& [name, value] : fields.all())
    if (const std::string key = to_lower(name); !is_free(key) && !covered.contains(key)) extra.push_back(name);
  if (!extra.empty()) return Err(denied(fmt::format("Extra input fields: {}", fmt::join(extra, ", "))));
  return {};
}

}  // namespace reef::s3
