#include "service/cloudformation/template/evaluate.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::cloudformation {
namespace {

using Value = std::optional<Json>;

aws::Error template_error(std::string_view text) { return invalid(fmt::format("Template error: {}", text)); }

class Evaluator {
 public:
  explicit Evaluator(const Scope& scope) : scope_(scope) {}

  Reply<Value> run(const Json& in, int depth = 0) {
    if (depth > 100) return Err(template_error("nested too deeply"));
    if (in.is_array()) {
      Json out = Json::array();
      for (const Json& element : in.as_array())
        if (Value value = TRY(run(element, depth + 1))) out.push_back(*std::move(value));
      return Value(std::move(out));
    }
    if (!in.is_object()) return Value(in);
    const std::string_view name = intrinsic_of(in);
    if (!name.empty() && name != "Condition") return apply(name, in.as_object().front().second, depth + 1);
    Json out = Json::object();
    for (const auto& [key, member] : in.as_object())
      if (Value value = TRY(run(member, depth + 1))) out.members().emplace_back(key, *std::move(value));
    return Value(std::move(out));
  }

  Reply<bool> condition(const Json& in, int depth = 0) {
    if (depth > 50) return Err(template_error("conditions are nested too deeply"));
    if (in.is_object() && in.size() == 1) {
      const auto& [name, argument] = in.as_object().front();
      if (name == "Condition") return named_condition(argument.as_string());
      if (name == "Fn::Equals") {
        if (argument.size() != 2 || !argument.is_array())
          return Err(template_error("every Fn::Equals object requires a list of 2 string parameters."));
        const Json left = TRY(run(argument.at(0))).value_or(Json()), right = TRY(run(argument.at(1))).value_or(Json());
        const auto a = left.scalar_text(), b = right.scalar_text();
        return a && b ? *a == *b : left == right;
      }
      if (name == "Fn::Not") {
        if (argument.size() != 1 || !argument.is_array()) return Err(template_error("every Fn::Not object requires one boolean parameter."));
        return !TRY(condition(argument.at(0), depth + 1));
      }
      if (name == "Fn::And" || name == "Fn::Or") {
        if (!argument.is_array() || argument.size() < 2 || argument.size() > 10)
          return Err(template_error(fmt::format("every {} object requires a list of at least 2 and at most 10 boolean parameters.", name)));
        const bool is_and = name == "Fn::And";
        bool result = is_and;
        for (const Json& part : argument.as_array()) {
          const bool value = TRY(condition(part, depth + 1));
          result = is_and ? result && value : result || value;
        }
        return result;
      }
      if (name == "Fn::Contains") {
        const Json list = TRY(run(argument.at(0))).value_or(Json()), wanted = TRY(run(argument.at(1))).value_or(Json());
        for (const Json& element : list.as_array())
          if (element.scalar_text() == wanted.scalar_text()) return true;
        return false;
      }
      if (name == "Fn::EachMemberEquals" || name == "Fn::EachMemberIn") {
        const Json list = TRY(run(argument.at(0))).value_or(Json()), wanted = TRY(run(argument.at(1))).value_or(Json());
        for (const Json& element : list.as_array()) {
          bool fits = element.scalar_text() == wanted.scalar_text();
          for (const Json& choice : wanted.as_array()) fits = fits || element.scalar_text() == choice.scalar_text();
          if (!fits) return false;
        }
        return true;
      }
    }
    if (in.is_bool()) return in.as_bool();
    if (in.is_string() && (in.as_string() == "true" || in.as_string() == "false")) return in.as_string() == "true";
    return Err(template_error("every condition must be one of Fn::And, Fn::Equals, Fn::Not, Fn::Or or Condition."));
  }

 private:
  Reply<bool> named_condition(const std::string& name) {
    const auto found = scope_.conditions.find(name);
    if (found == scope_.conditions.end())
      return Err(invalid(fmt::format("Template format error: Unresolved condition dependency {} in Fn::If", name)));
    return found->second;
  }

  Reply<Value> apply(std::string_view name, const Json& in, int depth) {
    if (name == "Ref") return ref(in);
    if (name == "Fn::GetAtt") return get_att(in, depth);
    if (name == "Fn::Sub") return sub(in, depth);
    if (name == "Fn::Join") return join_list(in, depth);
    if (name == "Fn::Select") return select(in, depth);
    if (name == "Fn::Split") return split_text(in, depth);
    if (name == "Fn::FindInMap") return find_in_map(in, depth);
    if (name == "Fn::If") return choose(in, depth);
    if (name == "Fn::Base64") {
      const auto text = TRY(run(in, depth)).value_or(Json()).scalar_text();
      if (!text) return Err(template_error("every Fn::Base64 object must have a String-typed value."));
      return Value(base64_encode(*text));
    }
    if (name == "Fn::GetAZs") return zones(in, depth);
    if (name == "Fn::ImportValue") return import_value(in, depth);
    if (name == "Fn::Cidr") return cidr(in, depth);
    if (name == "Fn::ToJsonString") return Value(TRY(run(in, depth)).value_or(Json()).dump());
    if (name == "Fn::Length") {
      const Json list = TRY(run(in, depth)).value_or(Json());
      if (!list.is_array()) return Err(template_error("Fn::Length requires a list"));
      return Value(Json(list.size()));
    }
    if (name == "Fn::Transform") return Err(invalid(fmt::format("No transform named {} found.", in.text("Name"))));
    if (name == "Fn::RefAll" || name == "Fn::ValueOf" || name == "Fn::ValueOfAll")
      return Err(invalid(fmt::format("{} is not supported by this version of Atoll.", name)));
    if (name == "Fn::And" || name == "Fn::Or" || name == "Fn::Not" || name == "Fn::Equals" || name == "Fn::Contains") {
      const Json whole = Json::object({{std::string(name), in}});
      return Value(Json(TRY(condition(whole, depth))));
    }
    return Err(template_error(fmt::format("Encountered unsupported function: {} Supported functions are: [Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, "
                                          "Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, "
                                          "Fn::EachMemberIn, Fn::Sub, Fn::Cidr]", name)));
  }

  Value pseudo(std::string_view name) {
    if (name == "AWS::AccountId") return scope_.account;
    if (name == "AWS::Region") return scope_.region;
    if (name == "AWS::Partition") return scope_.partition;
    if (name == "AWS::URLSuffix") return scope_.url_suffix;
    if (name == "AWS::StackName") return scope_.stack_name;
    if (name == "AWS::StackId") return scope_.stack_id;
    if (name == "AWS::NotificationARNs") {
      Json out = Json::array();
      for (const std::string& arn : scope_.notification_arns) out.push_back(arn);
      return out;
    }
    return std::nullopt;
  }

  Reply<Value> ref(const Json& in) {
    if (!in.is_string()) return Err(template_error("every Ref object must have a single String value."));
    const std::string& name = in.as_string();
    if (name == "AWS::NoValue") return Value();
    if (Value value = pseudo(name)) return value;
    if (const auto found = scope_.parameters.find(name); found != scope_.parameters.end()) {
      if (found->second.is_string() && found->second.as_string() == "AWS::NoValue") return Value();  // as AWS takes it
      return Value(found->second);
    }
    if (scope_.ref)
      if (Value value = scope_.ref(name)) return value;
    return Err(invalid(fmt::format("Template format error: Unresolved resource dependencies [{}] in the Resources block of the template", name)));
  }

  Reply<Value> get_att(const Json& in, int depth) {
    std::string resource, attribute;
    if (in.is_string()) {
      const std::size_t dot = in.as_string().find('.');
      resource = in.as_string().substr(0, dot);
      if (dot != std::string::npos) attribute = in.as_string().substr(dot + 1);
    } else if (in.is_array() && in.size() >= 2) {
      resource = in.at(0).as_string();
      for (std::size_t i = 1; i < in.size(); ++i) {
        const auto part = TRY(run(in.at(i), depth)).value_or(Json()).scalar_text();
        attribute += (i > 1 ? "." : "") + part.value_or("");
      }
    }
    if (resource.empty() || attribute.empty())
      return Err(template_error("every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"));
    return attribute_of(resource, attribute);
  }

  Reply<Value> attribute_of(const std::string& resource, const std::string& attribute) {
    if (!scope_.attribute || !scope_.ref || !scope_.ref(resource))
      return Err(template_error(fmt::format("instance of Fn::GetAtt references undefined resource {}", resource)));
    if (Value value = scope_.attribute(resource, attribute)) return value;
    return Err(template_error(fmt::format("resource {} does not support attribute type {} in Fn::GetAtt", resource, attribute)));
  }

  Reply<Value> sub(const Json& in, int depth) {
    Json variables;
    const Json* text = &in;
    if (in.is_array()) {
      if (in.size() != 2 || !in.at(0).is_string() || !in.at(1).is_object())
        return Err(template_error("One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, "
                                  "and an optional second argument to specify a mapping of values to replace in the string"));
      text = &in.at(0);
      variables = in.at(1);
    }
    if (!text->is_string())
      return Err(template_error("One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, "
                                "and an optional second argument to specify a mapping of values to replace in the string"));
    const std::string& pattern = text->as_string();
    std::string out;
    for (std::size_t at = 0; at < pattern.size();) {
      const std::size_t start = pattern.find("${", at);
      out += pattern.substr(at, start - at);
      if (start == std::string::npos) break;
      const std::size_t end = pattern.find('}', start);
      if (end == std::string::npos) return Err(template_error(fmt::format("One or more Fn::Sub intrinsic functions don't specify expected arguments: unclosed ${{ in {}", pattern)));
      const std::string name(trim(std::string_view(pattern).substr(start + 2, end - start - 2)));
      at = end + 1;
      if (name.starts_with('!')) {
        out += "${" + name.substr(1) + "}";
        continue;
      }
      Json value;
      if (const Json* given = variables.find(name)) {
        value = TRY(run(*given, depth)).value_or(Json());
      } else if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
        value = TRY(attribute_of(name.substr(0, dot), name.substr(dot + 1))).value_or(Json());
      } else {
        value = TRY(ref(name)).value_or(Json());
      }
      const auto piece = value.scalar_text();
      if (!piece) return Err(template_error(fmt::format("variable {} in Fn::Sub expression does not resolve to a string", name)));
      out += *piece;
    }
    return Value(std::move(out));
  }

  Reply<Value> join_list(const Json& in, int depth) {
    const auto wrong = [] {
      return Err(template_error("every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined "
                                "or a function that returns a list of strings (such as Fn::GetAZs) to be joined."));
    };
    if (!in.is_array() || in.size() != 2 || !in.at(0).is_string()) return wrong();
    const Json list = TRY(run(in.at(1), depth)).value_or(Json());
    if (!list.is_array()) return wrong();
    std::string out;
    bool first = true;
    for (const Json& element : list.as_array()) {
      const auto text = element.scalar_text();
      if (!text) return wrong();
      if (!std::exchange(first, false)) out += in.at(0).as_string();
      out += *text;
    }
    return Value(std::move(out));
  }

  Reply<Value> select(const Json& in, int depth) {
    if (!in.is_array() || in.size() != 2)
      return Err(template_error("every Fn::Select object requires two non-empty parameters, the first parameter must be a string and second must be a list"));
    const Json index_value = TRY(run(in.at(0), depth)).value_or(Json());
    const auto index = parse_int(index_value.scalar_text().value_or(""));
    const Json list = TRY(run(in.at(1), depth)).value_or(Json());
    if (!index || !list.is_array())
      return Err(template_error("every Fn::Select object requires two non-empty parameters, the first parameter must be a string and second must be a list"));
    if (*index < 0 || static_cast<std::size_t>(*index) >= list.size())
      return Err(template_error(fmt::format("Fn::Select cannot select nonexistent value at index {}", *index)));
    return Value(list.at(static_cast<std::size_t>(*index)));
  }

  Reply<Value> split_text(const Json& in, int depth) {
    const auto wrong = [] { return Err(template_error("every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.")); };
    if (!in.is_array() || in.size() != 2 || !in.at(0).is_string() || in.at(0).as_string().empty()) return wrong();
    const auto text = TRY(run(in.at(1), depth)).value_or(Json()).scalar_text();
    if (!text) return wrong();
    const std::string& delimiter = in.at(0).as_string();
    Json out = Json::array();
    for (std::size_t at = 0;;) {
      const std::size_t end = text->find(delimiter, at);
      out.push_back(text->substr(at, end - at));
      if (end == std::string::npos) break;
      at = end + delimiter.size();
    }
    return Value(std::move(out));
  }

  Reply<Value> find_in_map(const Json& in, int depth) {
    if (!in.is_array() || in.size() < 3)
      return Err(template_error("every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"));
    std::string keys[3];
    for (std::size_t i = 0; i < 3; ++i) keys[i] = TRY(run(in.at(i), depth)).value_or(Json()).scalar_text().value_or("");
    const Json& value = scope_.mappings[keys[0]][keys[1]][keys[2]];
    if (!value.is_null()) return Value(value);
    if (const Json* fallback = in.at(3).find("DefaultValue")) return run(*fallback, depth);
    return Err(template_error(fmt::format("Unable to get mapping for {}::{}::{}", keys[0], keys[1], keys[2])));
  }

  Reply<Value> choose(const Json& in, int depth) {
    if (!in.is_array() || in.size() != 3 || !in.at(0).is_string())
      return Err(template_error("Fn::If requires a list argument with the first element being a condition"));
    return run(in.at(TRY(named_condition(in.at(0).as_string())) ? 1 : 2), depth);
  }

  Reply<Value> zones(const Json& in, int depth) {
    std::string region = TRY(run(in, depth)).value_or(Json()).scalar_text().value_or("");
    if (region.empty()) region = scope_.region;
    return Value(Json::array({region + "a", region + "b", region + "c"}));
  }

  Reply<Value> import_value(const Json& in, int depth) {
    const auto name = TRY(run(in, depth)).value_or(Json()).scalar_text();
    if (!name) return Err(template_error("the attribute in Fn::ImportValue must be a string or a function that returns a string"));
    const auto value = scope_.import_value ? scope_.import_value(*name) : std::nullopt;
    if (!value) return Err(invalid(fmt::format("No export named {} found.", *name)));
    return Value(*value);
  }

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-cidr.html
  Reply<Value> cidr(const Json& in, int depth) {
    const std::string block = TRY(run(in.at(0), depth)).value_or(Json()).scalar_text().value_or("");
    const auto count = parse_int(TRY(run(in.at(1), depth)).value_or(Json()).scalar_text().value_or(""));
    const auto bits = in.size() > 2 ? parse_int(TRY(run(in.at(2), depth)).value_or(Json()).scalar_text().value_or("")) : 8;
    const std::size_t slash = block.find('/');
    const auto prefix = slash == std::string::npos ? std::nullopt : parse_int(block.substr(slash + 1));
    const bool is_v6 = block.find(':') != std::string::npos;
    const int width = is_v6 ? 128 : 32;
    unsigned char address[16] = {};
    if (!prefix || !count || !bits || *count < 1 || *count > 256 || *bits < 1 || *prefix < 0 || *prefix + 0 > width || width - *bits < *prefix ||
        inet_pton(is_v6 ? AF_INET6 : AF_INET, block.substr(0, slash).c_str(), address) != 1)
      return Err(template_error("Fn::Cidr: invalid arguments"));
    const std::int64_t room = width - *bits - *prefix;
    if (room < 9 && *count > (std::int64_t{1} << room))
      return Err(template_error(fmt::format("Fn::Cidr: {} does not hold {} blocks of {} bits", block, *count, *bits)));
    Json out = Json::array();
    const int bytes = width / 8;
    for (std::int64_t i = 0; i < *count; ++i) {
      unsigned char each[16];
      std::copy(std::begin(address), std::end(address), each);
      // Add i at bit `bits` from the right.
      unsigned __int128 add = static_cast<unsigned __int128>(i) << *bits;
      unsigned carry = 0;
      for (int b = bytes - 1; b >= 0; --b) {
        const unsigned sum = each[b] + static_cast<unsigned>(add & 0xFF) + carry;
        each[b] = static_cast<unsigned char>(sum);
        carry = sum >> 8;
        add >>= 8;
      }
      char text[INET6_ADDRSTRLEN];
      inet_ntop(is_v6 ? AF_INET6 : AF_INET, each, text, sizeof text);
      out.push_back(fmt::format("{}/{}", text, width - *bits));
    }
    return Value(std::move(out));
  }

  const Scope& scope_;
};

// Names inside ${...} of a Fn::Sub text, without those its own map defines.
void collect_sub(const Json& in, std::set<std::string>& out) {
  const Json& text = in.is_array() ? in.at(0) : in;
  const Json& variables = in.at(1);
  const std::string& pattern = text.as_string();
  for (std::size_t at = pattern.find("${"); at != std::string::npos; at = pattern.find("${", at + 2)) {
    const std::size_t end = pattern.find('}', at);
    if (end == std::string::npos) return;
    const std::string name(trim(std::string_view(pattern).substr(at + 2, end - at - 2)));
    if (name.starts_with('!') || variables.contains(name)) continue;
    out.insert(name.substr(0, name.find('.')));
  }
}

void collect(const Json& in, const Scope* scope, std::set<std::string>& out) {
  for (const Json& element : in.as_array()) collect(element, scope, out);
  if (!in.is_object()) return;
  const std::string_view name = intrinsic_of(in);
  if (name == "Ref") {
    out.insert(in["Ref"].as_string());
    return;
  }
  if (name == "Fn::GetAtt") {
    const Json& argument = in["Fn::GetAtt"];
    out.insert(argument.is_string() ? argument.as_string().substr(0, argument.as_string().find('.')) : argument.at(0).as_string());
    for (std::size_t i = 1; i < argument.size(); ++i) collect(argument.at(i), scope, out);
    return;
  }
  if (name == "Fn::Sub") {
    collect_sub(in["Fn::Sub"], out);
    collect(in["Fn::Sub"].at(1), scope, out);
    return;
  }
  if (name == "Fn::If" && scope) {
    const Json& argument = in["Fn::If"];
    const auto found = scope->conditions.find(argument.at(0).as_string());
    if (found != scope->conditions.end()) collect(argument.at(found->second ? 1 : 2), scope, out);
    return;
  }
  for (const auto& [key, member] : in.as_object()) collect(member, scope, out);
}

}  // namespace

Reply<std::optional<Json>> evaluate(const Json& value, const Scope& scope) { return Evaluator(scope).run(value); }

Reply<Json> evaluate_or_null(const Json& value, const Scope& scope) { return TRY(Evaluator(scope).run(value)).value_or(Json()); }

Reply<void> evaluate_conditions(const Json& section, Scope& scope) {
  // Conditions may use each other in any order: go round until nothing is left, or nothing can be decided.
  std::vector<const Json::Member*> left;
  for (const Json::Member& condition : section.as_object()) left.push_back(&condition);
  const auto uses = [&](const Json& in, const auto& self, std::vector<std::string>& names) -> void {
    for (const Json& element : in.as_array()) self(element, self, names);
    for (const auto& [name, member] : in.as_object()) {
      if (name == "Condition" && member.is_string()) names.push_back(member.as_string());
      if (name == "Fn::If") names.push_back(member.at(0).as_string());
      self(member, self, names);
    }
  };
  while (!left.empty()) {
    std::vector<const Json::Member*> later;
    for (const Json::Member* condition : left) {
      std::vector<std::string> names;
      uses(condition->second, uses, names);
      bool is_ready = true;
      for (const std::string& name : names) {
        if (!section.contains(name))
          return Err(invalid(fmt::format("Template format error: Unresolved condition dependency [{}] in the Conditions block of the template", name)));
        is_ready = is_ready && scope.conditions.contains(name);
      }
      if (!is_ready) {
        later.push_back(condition);
        continue;
      }
      auto value = Evaluator(scope).condition(condition->second);
      if (!value) {
        std::set<std::string> mentioned;
        collect_mentions(condition->second, mentioned);
        for (const std::string& name : mentioned)
          if (!name.starts_with("AWS::") && !scope.parameters.contains(name))
            return Err(invalid(fmt::format("Template format error: Unresolved dependencies [{}]. Cannot reference resources in the Conditions block of the template", name)));
        return Err(std::move(value).error());
      }
      scope.conditions[condition->first] = *value;
    }
    if (later.size() == left.size())
      return Err(invalid(fmt::format("Template format error: Circular dependency in the Conditions block: {}", left.front()->first)));
    left = std::move(later);
  }
  return {};
}

Reply<void> check_rules(const Json& section, Scope& scope) {
  for (const auto& [name, rule] : section.as_object()) {
    if (rule.contains("RuleCondition") && !TRY(Evaluator(scope).condition(rule["RuleCondition"]))) continue;
    for (const Json& assertion : rule["Assertions"].as_array())
      if (!TRY(Evaluator(scope).condition(assertion["Assert"])))
        return Err(invalid(assertion.contains("AssertDescription")
                               ? fmt::format("Template rule assertion failed. Rule {}: {}", name, assertion.text("AssertDescription"))
                               : fmt::format("Template rule assertion failed. Rule {}", name)));
  }
  return {};
}

void collect_references(const Json& value, const Scope& scope, std::set<std::string>& out) { collect(value, &scope, out); }
void collect_mentions(const Json& value, std::set<std::string>& out) { collect(value, nullptr, out); }

}  // namespace reef::cloudformation
