#include "service/cloudformation/template/loops.h"

#include <fmt/format.h>

#include "base/text.h"

namespace reef::cloudformation {
namespace {

constexpr std::string_view kLoop = "Fn::ForEach::";
constexpr std::size_t kLoopRepeatsMax = 10'000;   // of all loops together
constexpr int kLoopNestingMax = 5;
constexpr int kLoopDepthMax = 100;

aws::Error broken(std::string_view loop, std::string_view why) {
  return invalid(fmt::format("Transform AWS::LanguageExtensions failed with: {} layout is incorrect: {}", loop, why));
}

// One value for an identifier: ${Name} as it is, &{Name} with letters and digits only.
struct Binding {
  std::string name, value, plain;
};

Binding bind(const std::string& name, const std::string& value) {
  Binding out{.name = name, .value = value, .plain = {}};
  for (const char c : value)
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) out.plain += c;
  return out;
}

std::string substitute(const std::string& text, const Binding& binding) {
  return replace_all(replace_all(text, "${" + binding.name + "}", binding.value), "&{" + binding.name + "}", binding.plain);
}

Json substitute(const Json& value, const Binding& binding) {
  if (value.is_string()) return substitute(value.as_string(), binding);
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& each : value.as_array()) out.push_back(substitute(each, binding));
    return out;
  }
  if (!value.is_object()) return value;
  if (intrinsic_of(value) == "Ref" && value["Ref"].is_string() && value["Ref"].as_string() == binding.name) return binding.value;
  Json out = Json::object();
  for (const auto& [key, member] : value.as_object()) out.set(substitute(key, binding), substitute(member, binding));
  return out;
}

class Loops {
 public:
  explicit Loops(const Scope& scope) : scope_(scope) {}

  Reply<Json> expand(const Json& value, int loops, int depth) {
    if (depth > kLoopDepthMax) return Err(invalid("Template format error: the template is nested too deeply."));
    if (value.is_array()) {
      Json out = Json::array();
      for (const Json& each : value.as_array()) out.push_back(TRY(expand(each, loops, depth + 1)));
      return out;
    }
    if (!value.is_object()) return value;
    if (const std::string_view function = intrinsic_of(value); function == "Ref" || function == "Fn::GetAtt") return name_plainly(value, function);
    Json out = Json::object();
    for (const auto& [key, member] : value.as_object()) {
      if (key.starts_with(kLoop)) TRY(repeat(key, member, loops, depth, out));
      else TRY(add(out, key, TRY(expand(member, loops, depth + 1))));
    }
    return out;
  }

 private:
  // The extensions let Ref and Fn::GetAtt take functions for the names; what comes later knows only texts.
  Reply<Json> name_plainly(const Json& value, std::string_view function) {
    const Json& given = value[function];
    if (given.is_string()) return value;
    if (!given.is_array()) return Json::object({{std::string(function), TRY(evaluate_or_null(given, scope_))}});
    Json names = Json::array();
    for (const Json& one : given.as_array()) names.push_back(TRY(evaluate_or_null(one, scope_)));
    return Json::object({{std::string(function), std::move(names)}});
  }

  Reply<void> add(Json& out, const std::string& key, Json value) {
    if (out.contains(key)) return Err(invalid(fmt::format("Transform AWS::LanguageExtensions failed with: duplicate key {} after Fn::ForEach was expanded.", key)));
    out.members().emplace_back(key, std::move(value));
    return {};
  }

  // Text values of the collection: literals, Refs to parameters, lists of either, Fn::FindInMap.
  Reply<std::vector<std::string>> values_of(std::string_view loop, const Json& collection) {
    const Json list = TRY(evaluate_or_null(collection, scope_));
    if (!list.is_array()) return Err(broken(loop, "the collection must be a list."));
    std::vector<std::string> out;
    for (const Json& one : list.as_array()) {
      const Json::Array inner = one.is_array() ? one.as_array() : Json::Array{one};
      for (const Json& each : inner) {
        const auto text = each.scalar_text();
        if (!text) return Err(broken(loop, "the collection must hold text."));
        out.push_back(*text);
      }
    }
    return out;
  }

  Reply<void> repeat(const std::string& loop, const Json& parts, int loops, int depth, Json& out) {
    if (loops >= kLoopNestingMax) return Err(broken(loop, "loops may be nested five deep."));
    if (!parts.is_array() || parts.size() != 3 || !parts.as_array()[0].is_string() || !parts.as_array()[2].is_object())
      return Err(broken(loop, "it takes an identifier, a collection, and an object to repeat."));
    const std::string identifier = parts.as_array()[0].as_string();
    if (scope_.parameters.contains(identifier)) return Err(broken(loop, fmt::format("the identifier {} is a parameter.", identifier)));
    for (const std::string& value : TRY(values_of(loop, parts.as_array()[1]))) {
      if (++repeats_ > kLoopRepeatsMax) return Err(broken(loop, fmt::format("more than {} repetitions.", kLoopRepeatsMax)));
      const Json made = TRY(expand(substitute(parts.as_array()[2], bind(identifier, value)), loops + 1, depth + 1));
      for (const auto& [key, member] : made.as_object()) TRY(add(out, key, member));
    }
    return {};
  }

  const Scope& scope_;
  std::size_t repeats_ = 0;
};

}  // namespace

Reply<Json> expand_loops(const Json& document, const Scope& scope) {
  Loops loops(scope);
  Json out = TRY(loops.expand(document, 0, 0));
  Json* const resources = out.find("Resources");
  if (!resources || !resources->is_object()) return out;
  for (auto& [name, resource] : resources->members())
    for (const char* policy : {"DeletionPolicy", "UpdateReplacePolicy"})
      if (resource.is_object() && resource[policy].is_object()) resource.set(policy, TRY(evaluate_or_null(resource[policy], scope)));
  return out;
}

}  // namespace reef::cloudformation
