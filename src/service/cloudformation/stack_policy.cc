#include "service/cloudformation/stack_policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::cloudformation {
namespace {

// Whether one of the patterns (a text or a list of them) fits.
bool fits(const Json& patterns, std::string_view text) {
  if (patterns.is_string()) return matches_wildcard(patterns.as_string(), text);
  return std::any_of(patterns.as_array().begin(), patterns.as_array().end(), [&](const Json& pattern) { return matches_wildcard(pattern.as_string(), text); });
}

bool concerns(const Json& statement, std::string_view action, std::string_view resource, std::string_view type) {
  if (statement.contains("Action") && !fits(statement["Action"], action)) return false;
  if (statement.contains("NotAction") && fits(statement["NotAction"], action)) return false;
  if (statement.contains("Resource") && !fits(statement["Resource"], resource)) return false;
  if (statement.contains("NotResource") && fits(statement["NotResource"], resource)) return false;
  for (const char* test : {"StringEquals", "StringLike"}) {
    const Json& types = statement["Condition"][test]["ResourceType"];
    if (!types.is_null() && !fits(types, type)) return false;
  }
  return true;
}

}  // namespace

bool is_allowed_by_policy(std::string_view policy, std::string_view action, std::string_view logical_id, std::string_view type) {
  if (policy.empty()) return true;
  const auto document = Json::parse(policy);
  if (!document) return false;
  const Json& statements = (*document)["Statement"];
  const Json::Array each = statements.is_array() ? statements.as_array() : Json::Array{statements};
  const std::string resource = fmt::format("LogicalResourceId/{}", logical_id);
  bool allowed = false;
  for (const Json& statement : each) {
    if (!concerns(statement, action, resource, type)) continue;
    if (statement.text("Effect") == "Deny") return false;
    allowed = allowed || statement.text("Effect") == "Allow";
  }
  return allowed;
}

}  // namespace reef::cloudformation
