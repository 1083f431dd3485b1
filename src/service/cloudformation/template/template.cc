#include "service/cloudformation/template/template.h"

#include <array>

#include <fmt/format.h>

#include "aws/unmodelled_errors.h"
#include "base/text.h"
#include "wire/yaml.h"

namespace reef::cloudformation {
namespace {

constexpr std::array kFunctions = {"Base64", "Cidr", "FindInMap", "GetAZs", "ImportValue", "Join", "Select", "Split", "Sub", "Transform",
                                   "And", "Equals", "If", "Not", "Or", "ToJsonString", "Length", "Contains", "EachMemberEquals",
                                   "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll"};
constexpr std::array kSections = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
                                  "Transform", "Resources", "Outputs", "Hooks", "Globals"};

bool is_logical_id(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  return true;
}

Reply<void> check_resources(const Json& resources) {
  if (!resources.is_object() || resources.size() == 0)
    return Err(invalid("Template format error: At least one Resources member must be defined."));
  for (const auto& [name, resource] : resources.as_object()) {
    if (!is_logical_id(name))
      return Err(invalid(fmt::format("Template format error: Resource name {} is non alphanumeric.", name)));
    if (!resource.is_object())
      return Err(invalid("Template format error: Any Resources member must be an object."));
    if (!resource["Type"].is_string())
      return Err(invalid(fmt::format("Template format error: [/Resources/{}] Every Resources object must contain a Type member.", name)));
    for (const auto& [attribute, value] : resource.as_object()) {
      static constexpr std::array kAttributes = {"Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy",
                                                 "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy"};
      bool is_known = false;
      for (const char* known : kAttributes) is_known = is_known || attribute == known;
      if (!is_known) return Err(invalid(fmt::format("Invalid template resource property '{}'", attribute)));
    }
    if (resource.contains("Properties") && !resource["Properties"].is_object() && !resource["Properties"].is_null())
      return Err(invalid(fmt::format("Template format error: [/Resources/{}/Properties] Properties must be an object.", name)));
    for (const char* policy : {"DeletionPolicy", "UpdateReplacePolicy"}) {
      const Json& value = resource[policy];
      if (!value.is_string()) continue;
      const std::string& text = value.as_string();
      if (text != "Delete" && text != "Retain" && text != "Snapshot" && text != "RetainExceptOnCreate")
        return Err(invalid(fmt::format("Template format error: Unrecognized {} {} for resource {}", policy, text, name)));
    }
  }
  return {};
}

}  // namespace

aws::Error invalid(std::string message) { return aws::validation_error(std::move(message)); }

std::string expand_short_form(std::string_view tag, Json& value) {
  const std::string_view name = tag.substr(tag.starts_with('!') ? 1 : 0);
  if (name == "Ref" || name == "Condition") {
    value = Json::object({{std::string(name), std::move(value)}});
    return "";
  }
  if (name == "GetAtt") {
    if (value.is_string()) {
      const std::string text = value.as_string();
      const std::size_t dot = text.find('.');
      if (dot == std::string::npos) return "!GetAtt needs the form Resource.Attribute";
      value = Json::array({text.substr(0, dot), text.substr(dot + 1)});
    }
    value = Json::object({{"Fn::GetAtt", std::move(value)}});
    return "";
  }
  for (const char* known : kFunctions) {
    if (name != known) continue;
    value = Json::object({{fmt::format("Fn::{}", name), std::move(value)}});
    return "";
  }
  return fmt::format("unknown tag {}", tag);
}

Reply<Json> parse_template(std::string_view text) {
  const std::string_view body = trim(text);
  if (body.starts_with('{')) {
    auto json = Json::parse(body);
    if (json) return *std::move(json);
    // Flow-style YAML starts with a brace too; when it is not that either, the JSON error says more.
    if (auto yaml = wire::parse_yaml(text, expand_short_form); yaml && yaml->is_object()) return *std::move(yaml);
    std::size_t line = 1, column = 1;
    for (const char c : body.substr(0, json.error().offset)) c == '\n' ? void((++line, column = 1)) : void(++column);
    return Err(invalid(fmt::format("Template format error: JSON not well-formed. (line {}, column {})", line, column)));
  }
  auto yaml = wire::parse_yaml(text, expand_short_form);
  if (!yaml) {  // AWS says where, not what; for tags, what is more use
    const std::string& what = yaml.error().message;
    const bool is_tag = what.starts_with("unknown tag") || what.starts_with('!');
    return Err(invalid(fmt::format("Template format error: YAML not well-formed. (line {}, column {}){}{}", yaml.error().line,
                                   yaml.error().column, is_tag ? ": " : "", is_tag ? what : "")));
  }
  if (!yaml->is_object()) return Err(invalid("Template format error: unsupported structure."));
  return *std::move(yaml);
}

Reply<void> check_parameter_names(const Json& document) {
  for (const auto& [name, declared] : document["Parameters"].as_object())
    if (!is_logical_id(name)) return Err(invalid(fmt::format("Template format error: Parameter name {} is non alphanumeric.", name)));
  return {};
}

Reply<void> check_sections(const Json& document) {
  if (!document.is_object()) return Err(invalid("Template format error: unsupported structure."));
  std::vector<std::string> unknown;
  for (const auto& [name, section] : document.as_object()) {
    bool is_known = false;
    for (const char* known : kSections) is_known = is_known || name == known;
    if (!is_known) unknown.push_back(name);
  }
  if (!unknown.empty()) return Err(invalid(fmt::format("Invalid template property or properties [{}]", fmt::join(unknown, ", "))));
  if (const Json& version = document["AWSTemplateFormatVersion"]; version.is_string() && version.as_string() != "2010-09-09")
    return Err(invalid("Template format error: unsupported value for AWSTemplateFormatVersion."));
  if (document.contains("Description") && !document["Description"].is_string())
    return Err(invalid("Template format error: Description member must be a string."));
  for (const char* section : {"Parameters", "Mappings", "Conditions", "Outputs", "Rules"})
    if (document.contains(section) && !document[section].is_object() && !document[section].is_null())
      return Err(invalid(fmt::format("Template format error: {} section must be an object.", section)));
  for (const auto& [name, output] : document["Outputs"].as_object())
    if (!output.is_object() || !output.contains("Value"))
      return Err(invalid(fmt::format("Template format error: Output {} is malformed. The Value attribute must be set.", name)));
  return check_resources(document["Resources"]);
}

std::vector<std::string> transforms_of(const Json& document) {
  std::vector<std::string> out;
  const Json& section = document["Transform"];
  if (section.is_string()) out.push_back(section.as_string());
  for (const Json& name : section.as_array())
    out.push_back(name.is_string() ? name.as_string() : name.text("Name"));
  if (section.is_object()) out.push_back(section.text("Name"));
  return out;
}

std::string_view intrinsic_of(const Json& value) {
  if (!value.is_object() || value.size() != 1) return "";
  const std::string& name = value.as_object().front().first;
  if (name == "Ref" || (name == "Condition" && value["Condition"].is_string()) || name.starts_with("Fn::")) return name;
  return "";
}

}  // namespace reef::cloudformation
