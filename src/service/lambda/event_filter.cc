#include "service/lambda/event_filter.h"

#include "base/text.h"

namespace reef::service::lambda {
namespace {

using wire::Json;

// `value` is null when the event has no such member.
bool rule_matches(const Json& rule, const Json* value);

bool any_rule_matches(const Json& rules, const Json* value) {
  for (const Json& rule : rules.as_array())
    if (rule_matches(rule, value)) return true;
  return false;
}

bool text_rule(std::string_view name, const Json& wanted, const std::string& text) {
  if (wanted.is_object()) {  // {"prefix": {"equals-ignore-case": "x"}}
    const std::string lower = to_lower(text), other = to_lower(wanted.text("equals-ignore-case"));
    return name == "prefix" ? lower.starts_with(other) : lower.ends_with(other);
  }
  const std::string& other = wanted.as_string();
  if (name == "prefix") return text.starts_with(other);
  if (name == "suffix") return text.ends_with(other);
  if (name == "equals-ignore-case") return equals_ignoring_case(text, other);
  return matches_wildcard(replace_all(other, "?", "\\?"), text);
}

bool numeric_matches(const Json& terms, const Json& value) {
  const auto number = value.as_double();
  if (!value.is_number() || !number) return false;
  for (std::size_t i = 0; i + 1 < terms.size(); i += 2) {
    const std::string& op = terms.at(i).as_string();
    const double bound = terms.at(i + 1).as_double().value_or(0);
    const bool holds = op == "=" ? *number == bound : op == ">" ? *number > bound : op == ">=" ? *number >= bound : op == "<" ? *number < bound : op == "<=" && *number <= bound;
    if (!holds) return false;
  }
  return true;
}

bool equal_values(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a.as_double() == b.as_double();
  return a == b;
}

bool anything_but(const Json& wanted, const Json& value) {
  if (wanted.is_array()) {
    for (const Json& one : wanted.as_array())
      if (equal_values(one, value)) return false;
    return true;
  }
  if (wanted.is_object()) {
    if (!value.is_string()) return true;
    const auto& [name, text] = wanted.as_object().front();
    if (!text.is_array()) return !text_rule(name, text, value.as_string());
    for (const Json& one : text.as_array())
      if (text_rule(name, one, value.as_string())) return false;
    return true;
  }
  return !equal_values(wanted, value);
}

bool rule_matches(const Json& rule, const Json* value) {
  if (value && value->is_array()) {  // one element that matches is enough
    if (rule.is_object() && rule.contains("exists")) return rule["exists"].as_bool();
    for (const Json& element : value->as_array())
      if (rule_matches(rule, &element)) return true;
    return false;
  }
  if (!rule.is_object()) return value && equal_values(rule, *value);
  const auto& [name, wanted] = rule.as_object().front();
  if (name == "exists") return wanted.as_bool() == (value != nullptr && !value->is_object());
  if (!value) return false;
  if (name == "numeric") return numeric_matches(wanted, *value);
  if (name == "anything-but") return anything_but(wanted, *value);
  return value->is_string() && text_rule(name, wanted, value->as_string());
}

}  // namespace

std::optional<std::string> check_pattern(const Json& pattern) {
  if (!pattern.is_object()) return "Filter is not an object";
  for (const auto& [name, rules] : pattern.as_object()) {
    if (rules.is_object()) {
      if (auto problem = check_pattern(rules)) return problem;
      continue;
    }
    if (!rules.is_array()) return "\"" + name + "\" must be an object or an array";
    if (rules.size() == 0) return "Empty arrays are not allowed";
    for (const Json& rule : rules.as_array()) {
      if (name == "$or") {
        if (auto problem = check_pattern(rule)) return problem;
        continue;
      }
      if (rule.is_array()) return "\"" + name + "\" must not hold an array";
      if (!rule.is_object()) continue;
      if (rule.size() != 1) return "Only one key allowed in match expression";
      const std::string& op = rule.as_object().front().first;
      if (op != "exists" && op != "prefix" && op != "suffix" && op != "anything-but" && op != "numeric" && op != "equals-ignore-case" && op != "wildcard")
        return "Unrecognized match type " + op;
    }
  }
  return std::nullopt;
}

bool matches(const Json& pattern, const Json& event) {
  for (const auto& [name, rules] : pattern.as_object()) {
    if (name == "$or") {
      bool any = false;
      for (const Json& one : rules.as_array()) any = any || matches(one, event);
      if (!any) return false;
      continue;
    }
    const Json* value = event.find(name);
    if (rules.is_object()) {
      if (value && value->is_array()) {
        bool any = false;
        for (const Json& element : value->as_array()) any = any || matches(rules, element);
        if (!any) return false;
        continue;
      }
      static const Json kNothing = Json::object();
      if (!matches(rules, value && value->is_object() ? *value : kNothing)) return false;
      continue;
    }
    if (!any_rule_matches(rules, value)) return false;
  }
  return true;
}

}  // namespace reef::service::lambda
