#include "service/cloudformation/sam/definition.h"

#include <algorithm>

#include "base/text.h"

namespace reef::cloudformation::sam {

std::vector<Json*> contents_of(Json& item) {
  if (intrinsic_of(item) != "Fn::If") return {&item};
  std::vector<Json*> out;
  Json& branches = *item.find("Fn::If");
  for (std::size_t i = 1; branches.is_array() && i < branches.size(); ++i)
    if (branches.at(i) != ref_to("AWS::NoValue")) out.push_back(&branches.elements()[i]);
  return out;
}

std::string method_member(std::string_view method) {
  const std::string lower = to_lower(method);
  return lower == "any" ? std::string(kAnyMethod) : lower;
}

bool is_openapi3(const Json& body) { return body["openapi"].scalar_text().value_or("").starts_with("3."); }

bool is_definition(const Json& body) {
  return body.is_object() && body["paths"].is_object() && (!is_empty(body["swagger"]) || is_openapi3(body));
}

std::vector<MethodAt> methods_of(Json& path_item) {
  static constexpr std::string_view kNotMethods[] = {"parameters", "summary", "description", "$ref", "servers", "Fn::Transform"};
  std::vector<MethodAt> out;
  for (Json* item : contents_of(path_item)) {
    if (!item->is_object()) continue;
    for (auto& [name, method] : item->members()) {
      if (std::find(std::begin(kNotMethods), std::end(kNotMethods), name) != std::end(kNotMethods) || name.starts_with("x-") != (name == kAnyMethod)) continue;
      for (Json* definition : contents_of(method))
        if (definition->is_object() && !is_empty((*definition)[kIntegration])) out.push_back({method_member(name), definition});
    }
  }
  return out;
}

std::vector<Json*> definitions_of(Json& body, const std::string& path, std::string_view method) {
  std::vector<Json*> out;
  Json* item = body.find("paths") ? body.find("paths")->find(path) : nullptr;
  if (!item) return out;
  for (const MethodAt& each : methods_of(*item))
    if (each.name == method_member(method)) out.push_back(each.definition);
  return out;
}

Json& object_at(Json& parent, std::string_view name) {
  Json* there = parent.find(name);
  return there && there->is_object() ? *there : parent.set(name, Json::object());
}

bool is_true(const Json& value) { return value.scalar_text() == "true" || value.scalar_text() == "True"; }

bool is_empty(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_object() || value.is_array()) return value.size() == 0;
  if (value.is_bool()) return !value.as_bool();
  if (value.is_number()) return value.scalar_text() == "0";
  return value.scalar_text().value_or("").empty();
}

}  // namespace reef::cloudformation::sam
