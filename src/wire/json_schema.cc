#include "wire/json_schema.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/pattern.h"
#include "base/text.h"

namespace reef::wire {
namespace {

constexpr int kDepthMax = 64;
constexpr std::size_t kViolationsMax = 20, kStepsMax = 200'000;

double number_of(const Json& value) {
  const std::string text = value.scalar_text().value_or("0");
  return std::strtod(text.c_str(), nullptr);
}

std::string_view type_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "boolean";
  if (value.is_string()) return "string";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  const double number = number_of(value);
  return std::floor(number) == number && std::isfinite(number) ? "integer" : "number";
}

bool is_of(std::string_view type, std::string_view wanted) { return type == wanted || (type == "integer" && wanted == "number"); }

// Code points, as lengths are counted.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_same(const Json& one, const Json& other) {
  if (one.is_number() && other.is_number()) return number_of(one) == number_of(other);
  if (one.is_array() && other.is_array()) return std::equal(one.as_array().begin(), one.as_array().end(), other.as_array().begin(), other.as_array().end(), is_same);
  if (one.is_object() && other.is_object()) {
    if (one.size() != other.size()) return false;
    return std::all_of(one.as_object().begin(), one.as_object().end(), [&](const auto& member) {
      const Json* there = other.find(member.first);
      return there && is_same(member.second, *there);
    });
  }
  return one == other;
}

class Validator {
 public:
  Validator(const Json& root, const SchemaLookup& lookup) : root_(root), lookup_(lookup) {}

  std::vector<std::string> violations(const Json& schema, const Json& value, int depth) const {
    std::vector<std::string> out;
    check(schema, value, depth, out);
    return out;
  }

 private:
  using Out = std::vector<std::string>;

  const Json* find(std::string_view reference) const {
    if (reference == "#") return &root_;
    if (reference.starts_with("#/")) {
      const Json* at = &root_;
      for (const std::string_view step : split(reference.substr(2), '/')) {
        const std::string name = replace_all(replace_all(std::string(step), "~1", "/"), "~0", "~");
        at = at ? at->find(name) : nullptr;
      }
      if (at) return at;
    }
    return lookup_ ? lookup_(reference) : nullptr;
  }

  void check(const Json& schema, const Json& value, int depth, Out& out) const {
    if (out.size() >= kViolationsMax || !schema.is_object()) return;
    if (depth > kDepthMax) return out.push_back("schema is nested too deeply");
    if (++steps_ > kStepsMax) return out.push_back("schema takes too long to check");
    if (const Json* reference = schema.find("$ref")) {
      const Json* target = find(reference->as_string());
      if (!target) return out.push_back(fmt::format("cannot resolve the reference {}", reference->as_string()));
      return check(*target, value, depth + 1, out);
    }
    check_type(schema, value, out);
    if (value.is_number()) check_number(schema, value, out);
    if (value.is_string()) check_text(schema, value.as_string(), out);
    if (value.is_array()) check_array(schema, value, depth, out);
    if (value.is_object()) check_object(schema, value, depth, out);
    check_combined(schema, value, depth, out);
  }

  static void check_type(const Json& schema, const Json& value, Out& out) {
    if (const Json* wanted = schema.find("type")) {
      const Json types = wanted->is_array() ? *wanted : Json::array({*wanted});
      const std::string_view type = type_of(value);
      if (std::none_of(types.as_array().begin(), types.as_array().end(), [&](const Json& each) { return is_of(type, each.as_string()); }))
        out.push_back(fmt::format("instance type ({}) does not match any allowed primitive type (allowed: {})", type, types.dump()));
    }
    if (const Json* all = schema.find("enum"); all && all->is_array())
      if (std::none_of(all->as_array().begin(), all->as_array().end(), [&](const Json& each) { return is_same(each, value); }))
        out.push_back(fmt::format("instance value ({}) not found in enum (possible values: {})", value.dump(), all->dump()));
  }

  static void check_number(const Json& schema, const Json& value, Out& out) {
    const double number = number_of(value);
    if (const Json* low = schema.find("minimum"); low && low->is_number()) {
      const bool exclusive = schema["exclusiveMinimum"].is_bool() && schema["exclusiveMinimum"].as_bool();
      if (number < number_of(*low)) out.push_back(fmt::format("numeric instance is lower than the required minimum (minimum: {}, found: {})", low->dump(), value.dump()));
      else if (exclusive && number == number_of(*low)) out.push_back(fmt::format("numeric instance is not strictly greater than the required minimum {}", low->dump()));
    }
    if (const Json* high = schema.find("maximum"); high && high->is_number()) {
      const bool exclusive = schema["exclusiveMaximum"].is_bool() && schema["exclusiveMaximum"].as_bool();
      if (number > number_of(*high)) out.push_back(fmt::format("numeric instance is greater than the required maximum (maximum: {}, found: {})", high->dump(), value.dump()));
      else if (exclusive && number == number_of(*high)) out.push_back(fmt::format("numeric instance is not strictly lower than the required maximum {}", high->dump()));
    }
    if (const Json* step = schema.find("multipleOf"); step && step->is_number() && number_of(*step) > 0) {
      const double count = number / number_of(*step);
      if (std::fabs(count - std::round(count)) > 1e-9) out.push_back(fmt::format("remainder of division is not zero ({} / {})", value.dump(), step->dump()));
    }
  }

  static void check_count(const Json& schema, std::string_view name, std::size_t count, bool is_least, std::string_view what, Out& out) {
    const Json* limit = schema.find(name);
    if (!limit || !limit->as_int()) return;
    const auto bound = static_cast<std::size_t>(std::max<std::int64_t>(0, *limit->as_int()));
    if (is_least && count < bound) out.push_back(fmt::format("{} is too short (length: {}, required minimum: {})", what, count, bound));
    if (!is_least && count > bound) out.push_back(fmt::format("{} is too long (length: {}, maximum allowed: {})", what, count, bound));
  }

  static void check_text(const Json& schema, const std::string& text, Out& out) {
    check_count(schema, "minLength", length_of(text), true, fmt::format("string \"{}\"", text), out);
    check_count(schema, "maxLength", length_of(text), false, fmt::format("string \"{}\"", text), out);
    if (const Json* expression = schema.find("pattern"); expression && expression->is_string()) {
      const auto pattern = Pattern::compile(expression->as_string(), {.whole = false});
      if (!pattern || !pattern->matches(text)) out.push_back(fmt::format("ECMA 262 regex \"{}\" does not match input string \"{}\"", expression->as_string(), text));
    }
  }

  void check_array(const Json& schema, const Json& value, int depth, Out& out) const {
    check_count(schema, "minItems", value.size(), true, "array", out);
    check_count(schema, "maxItems", value.size(), false, "array", out);
    if (schema["uniqueItems"].is_bool() && schema["uniqueItems"].as_bool())
      for (std::size_t i = 0; i < value.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (is_same(value.at(i), value.at(j))) return out.push_back("array must not contain duplicate elements");
    const Json& items = schema["items"];
    const Json& more = schema["additionalItems"];
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (items.is_object()) check(items, value.at(i), depth + 1, out);
      if (!items.is_array()) continue;
      if (i < items.size()) check(items.at(i), value.at(i), depth + 1, out);
      else if (more.is_object()) check(more, value.at(i), depth + 1, out);
      else if (more.is_bool() && !more.as_bool()) return out.push_back("array has too many elements: additional items are not allowed");
    }
  }

  void check_object(const Json& schema, const Json& value, int depth, Out& out) const {
    check_count(schema, "minProperties", value.size(), true, "object", out);
    check_count(schema, "maxProperties", value.size(), false, "object", out);
    Json missing = Json::array();
    for (const Json& name : schema["required"].as_array())
      if (!value.contains(name.as_string())) missing.push_back(name);
    if (missing.size() > 0) out.push_back(fmt::format("object has missing required properties ({})", missing.dump()));
    Json unwanted = Json::array();
    for (const auto& [name, member] : value.as_object()) {
      bool is_described = false;
      if (const Json* own = schema["properties"].find(name)) {
        is_described = true;
        check(*own, member, depth + 1, out);
      }
      for (const auto& [expression, own] : schema["patternProperties"].as_object())
        if (const auto pattern = Pattern::compile(expression, {.whole = false}); pattern && pattern->matches(name)) {
          is_described = true;
          check(own, member, depth + 1, out);
        }
      const Json& others = schema["additionalProperties"];
      if (is_described) continue;
      if (others.is_object()) check(others, member, depth + 1, out);
      if (others.is_bool() && !others.as_bool()) unwanted.push_back(name);
    }
    if (unwanted.size() > 0) out.push_back(fmt::format("object instance has properties which are not allowed by the schema: {}", unwanted.dump()));
    for (const auto& [name, wants] : schema["dependencies"].as_object()) {
      if (!value.contains(name)) continue;
      if (wants.is_object()) check(wants, value, depth + 1, out);
      for (const Json& other : wants.as_array())
        if (!value.contains(other.as_string())) out.push_back(fmt::format("property \"{}\" of object has missing property dependencies ([\"{}\"])", name, other.as_string()));
    }
  }

  void check_combined(const Json& schema, const Json& value, int depth, Out& out) const {
    for (const Json& each : schema["allOf"].as_array()) check(each, value, depth + 1, out);
    const auto matching = [&](std::string_view name) {
      std::size_t count = 0;
      for (const Json& each : schema[name].as_array()) count += violations(each, value, depth + 1).empty();
      return count;
    };
    if (schema["anyOf"].is_array() && matching("anyOf") == 0) out.push_back("instance failed to match at least one required schema among " + std::to_string(schema["anyOf"].size()));
    if (schema["oneOf"].is_array())
      if (const std::size_t count = matching("oneOf"); count != 1) out.push_back(fmt::format("instance failed to match exactly one schema (matched {} out of {})", count, schema["oneOf"].size()));
    if (schema["not"].is_object() && violations(schema["not"], value, depth + 1).empty()) out.push_back("instance matched a schema which it should not have");
  }

  const Json& root_;
  const SchemaLookup& lookup_;
  mutable std::size_t steps_ = 0;  // schemas that refer to themselves in several places would never end
};

}  // namespace

std::vector<std::string> schema_violations(const Json& schema, const Json& value, const SchemaLookup& lookup) {
  return Validator(schema, lookup).violations(schema, value, 0);
}

}  // namespace reef::wire
