#include "service/cloudformation/template/known_values.h"

#include <algorithm>

namespace reef::cloudformation {
namespace {

// Another stack may export the name before the value is needed.
bool mentions_import(const Json& value) {
  const auto inside = [](const auto& members) { return std::ranges::any_of(members, [](const auto& member) { return mentions_import(member); }); };
  if (value.is_array()) return inside(value.as_array());
  return std::ranges::any_of(value.as_object(), [](const auto& member) { return member.first == "Fn::ImportValue" || mentions_import(member.second); });
}

bool is_known(const Json& value, const Scope& scope) {
  if (mentions_import(value)) return false;
  std::set<std::string> names;
  collect_references(value, scope, names);
  return std::ranges::all_of(names, [&](const std::string& name) { return name.starts_with("AWS::") || scope.parameters.contains(name); });
}

Reply<std::optional<Json>> known(const Json& value, const Scope& scope, int depth) {
  // What is nested deeper is refused when it is evaluated.
  if (depth > 100) return std::optional(value);
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value.as_array())
      if (auto each = TRY(known(element, scope, depth + 1))) out.push_back(*std::move(each));
    return std::optional(std::move(out));
  }
  if (!value.is_object()) return std::optional(value);
  const std::string_view name = intrinsic_of(value);
  if (!name.empty() && name != "Condition") {
    if (is_known(value, scope)) return evaluate(value, scope);
    const Json& argument = value.as_object().front().second;
    const auto decided = name == "Fn::If" && argument.size() == 3 ? scope.conditions.find(argument.at(0).as_string()) : scope.conditions.end();
    if (decided == scope.conditions.end()) return std::optional(value);
    return known(argument.at(decided->second ? 1 : 2), scope, depth + 1);
  }
  Json out = Json::object();
  for (const auto& [key, member] : value.as_object())
    if (auto each = TRY(known(member, scope, depth + 1))) out.members().emplace_back(key, *std::move(each));
  return std::optional(std::move(out));
}

}  // namespace

Reply<Json> known_values(const Json& value, const Scope& scope) { return TRY(known(value, scope, 0)).value_or(Json()); }

}  // namespace reef::cloudformation
