#include "service/cloudformation/template/parameters.h"

#include <algorithm>

#include <fmt/format.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"

namespace reef::cloudformation {
namespace {

bool matches_whole(const std::string& pattern, const std::string& text, bool& is_valid_pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::string anchored = "^(?:" + pattern + ")\\z";
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(anchored.data()), anchored.size(), PCRE2_UTF, &error, &offset, nullptr);
  is_valid_pattern = code != nullptr;
  if (!code) return false;
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, match, nullptr);
  pcre2_match_data_free(match);
  pcre2_code_free(code);
  return found >= 0;
}

std::vector<std::string> elements_of(const Parameter& parameter) {
  if (!parameter.is_list()) return {parameter.value};
  std::vector<std::string> out;
  for (const std::string_view part : split(parameter.value, ',')) out.emplace_back(trim(part));
  return out;
}

bool is_known_type(std::string_view type) {
  if (type == "String" || type == "Number" || type == "List<Number>" || type == "CommaDelimitedList" || type == "List<String>") return true;
  return type.starts_with("AWS::") || type.starts_with("List<AWS::");
}

Reply<void> check(const Parameter& parameter, const Json& declared) {
  const auto refuse = [&](std::string standard) -> Reply<void> {
    if (const Json& text = declared["ConstraintDescription"]; text.is_string())
      return Err(invalid(fmt::format("Parameter {} failed to satisfy constraint: {}", parameter.key, text.as_string())));
    return Err(invalid(std::move(standard)));
  };
  if (parameter.is_ssm()) return {};  // constraints are about the name's value, which is checked by its users
  for (const std::string& value : elements_of(parameter)) {
    if (parameter.type == "Number" || parameter.type == "List<Number>") {
      const auto number = parse_double(value);
      if (!number) return Err(invalid(fmt::format("Parameter '{}' must be a number.", parameter.key)));
      const auto least = declared["MinValue"].scalar_text(), most = declared["MaxValue"].scalar_text();
      if (least && *number < parse_double(*least).value_or(*number))
        return refuse(fmt::format("Parameter '{}' must be a number not less than {}", parameter.key, *least));
      if (most && *number > parse_double(*most).value_or(*number))
        return refuse(fmt::format("Parameter '{}' must be a number not greater than {}", parameter.key, *most));
    }
    if (const Json& allowed = declared["AllowedValues"]; allowed.is_array()) {
      const bool fits = std::any_of(allowed.as_array().begin(), allowed.as_array().end(), [&](const Json& choice) { return choice.scalar_text() == value; });
      std::vector<std::string> choices;
      for (const Json& choice : allowed.as_array()) choices.push_back(choice.scalar_text().value_or(""));
      if (!fits) return refuse(fmt::format("Parameter '{}' must be one of AllowedValues", parameter.key));
    }
    if (const Json& pattern = declared["AllowedPattern"]; pattern.is_string()) {
      bool is_valid = true;
      if (!matches_whole(pattern.as_string(), value, is_valid)) {
        if (!is_valid) return Err(invalid(fmt::format("Template format error: AllowedPattern of parameter {} is not a valid regular expression.", parameter.key)));
        return refuse(fmt::format("Parameter '{}' must match pattern {}", parameter.key, pattern.as_string()));
      }
    }
    const std::size_t size = count_code_points(value);
    if (const auto least = parse_int(declared["MinLength"].scalar_text().value_or("")); least && size < static_cast<std::size_t>(*least))
      return refuse(fmt::format("Parameter '{}' must contain at least {} characters", parameter.key, *least));
    if (const auto most = parse_int(declared["MaxLength"].scalar_text().value_or("")); most && size > static_cast<std::size_t>(*most))
      return refuse(fmt::format("Parameter '{}' must contain at most {} characters", parameter.key, *most));
  }
  return {};
}

}  // namespace

bool Parameter::is_list() const {
  return type == "CommaDelimitedList" || type.starts_with("List<") || type.starts_with("AWS::SSM::Parameter::Value<List<") ||
         type == "AWS::SSM::Parameter::Value<CommaDelimitedList>";
}

Json Parameter::ref_value() const {
  const std::string& text = resolved ? *resolved : value;
  if (!is_list()) return text;
  Json out = Json::array();
  for (const std::string_view part : split(text, ',')) out.push_back(trim(part));
  return out;
}

Reply<std::vector<Parameter>> resolve_parameters(const Json& section, const std::vector<GivenParameter>& given,
                                                 const std::map<std::string, std::string>& previous) {
  std::vector<std::string> unknown, lacking;
  for (const GivenParameter& parameter : given)
    if (!section.contains(parameter.key)) unknown.push_back(parameter.key);
  if (!unknown.empty()) return Err(invalid(fmt::format("Parameters: [{}] do not exist in the template", fmt::join(unknown, ", "))));
  std::vector<Parameter> out;
  for (const auto& [key, declared] : section.as_object()) {
    Parameter parameter{.key = key, .type = declared.text("Type"), .value = "", .resolved = std::nullopt};
    if (parameter.type.empty())
      return Err(invalid(fmt::format("Template format error: Every Parameters object must contain a Type member. ({})", key)));
    if (!is_known_type(parameter.type))
      return Err(invalid(fmt::format("Template format error: Unrecognized parameter type: {}", parameter.type)));
    parameter.no_echo = declared["NoEcho"].scalar_text() == "true";
    const auto found = std::find_if(given.begin(), given.end(), [&](const GivenParameter& p) { return p.key == key; });
    std::optional<std::string> value;
    if (found != given.end() && found->use_previous) {
      if (const auto old = previous.find(key); old != previous.end()) value = old->second;
    } else if (found != given.end() && found->value) {
      value = found->value;
    }
    if (!value && declared.contains("Default")) {
      const Json& fallback = declared["Default"];
      value = fallback.scalar_text();
      if (!value && !fallback.is_array())
        return Err(invalid(fmt::format("Template format error: Every Default member must be a string. ({})", key)));
      if (!value) {
        std::vector<std::string> parts;
        for (const Json& part : fallback.as_array()) parts.push_back(part.scalar_text().value_or(""));
        value = join(parts, ",");
      }
    }
    if (!value) {
      lacking.push_back(key);
      continue;
    }
    parameter.value = *value;
    TRY(check(parameter, declared));
    out.push_back(std::move(parameter));
  }
  if (!lacking.empty()) return Err(invalid(fmt::format("Parameters: [{}] must have values", fmt::join(lacking, ", "))));
  return out;
}

}  // namespace reef::cloudformation
