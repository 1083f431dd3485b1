#include "service/dynamodb/expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "engine/table/evaluate.h"
#include "engine/table/values.h"

namespace reef::dynamodb {
namespace {

using Op = table::Condition::Op;

constexpr std::string_view kInvalidValues = "One or more parameter values were invalid: ";

std::string listed(const std::vector<Given>& parameters) {
  std::vector<std::string> names;
  for (const Given& parameter : parameters)
    if (parameter.is_given) names.emplace_back(parameter.name);
  return join(names, ", ");
}

struct Arity {
  std::string_view comparison;
  std::size_t min, max;
  std::string_view kinds;  // accepted, space-separated; "" any
};
constexpr std::size_t kMany = SIZE_MAX;
constexpr Arity kArities[] = {
    {"EQ", 1, 1, ""},          {"NE", 1, 1, ""},           {"LE", 1, 1, "S N B"},     {"LT", 1, 1, "S N B"},
    {"GE", 1, 1, "S N B"},     {"GT", 1, 1, "S N B"},      {"CONTAINS", 1, 1, "S N B"},
    {"NOT_CONTAINS", 1, 1, "S N B"},                        {"BEGINS_WITH", 1, 1, "S B"},
    {"IN", 1, kMany, "S N B"},     {"BETWEEN", 2, 2, "S N B"}, {"NULL", 0, 0, ""},        {"NOT_NULL", 0, 0, ""}};

const Arity* arity_of(std::string_view comparison) {
  const auto found = std::ranges::find(kArities, comparison, &Arity::comparison);
  return found == std::end(kArities) ? nullptr : &*found;
}

bool accepts(const Arity& arity, std::string_view kind) {
  if (arity.kinds.empty()) return true;
  const auto kinds = split(arity.kinds, ' ');
  return std::ranges::find(kinds, kind) != kinds.end();
}

std::string check_same_kind(const std::vector<AttributeValue>& values) {
  for (const AttributeValue& value : values)
    if (value.kind() != values.front().kind())
      return std::string(kInvalidValues) + "AttributeValues inside AttributeValueList must be of same type";
  return {};
}

std::string check_range(const std::string& comparison, const std::vector<AttributeValue>& values) {
  if (comparison != "BETWEEN" || values.size() != 2) return {};
  const auto order = table::compare_values(values[0], values[1]);
  return order && *order > 0 ? "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
                             : "";
}

std::string check_expected_one(const std::string& name, const model::ExpectedAttributeValue& expected) {
  const std::string prefix{kInvalidValues};
  const bool has_list = expected.attribute_value_list.has_value(), has_value = expected.value.has_value();
  if (has_list && has_value)
    return prefix + "Value and AttributeValueList cannot be used together for Attribute: " + name;
  if (expected.comparison_operator) {
    const std::string& comparison = *expected.comparison_operator;
    if (expected.exists) return prefix + "Exists and ComparisonOperator cannot be used together for Attribute: " + name;
    if (comparison != "NULL" && comparison != "NOT_NULL" && !has_list && !has_value)
      return fmt::format("{}Value or AttributeValueList must be used with ComparisonOperator: {} for Attribute: {}", prefix,
                         comparison, name);
    if (has_value) return check_comparison(comparison, {*expected.value});
    return check_comparison(comparison, has_list ? *expected.attribute_value_list : std::vector<AttributeValue>());
  }
  if (has_list) return prefix + "AttributeValueList can only be used with a ComparisonOperator for Attribute: " + name;
  const bool exists = expected.exists.value_or(true);
  if (exists && !has_value)
    return fmt::format("{}Value must be provided when Exists is {} for Attribute: {}", prefix,
                       expected.exists ? "true" : "null", name);
  if (!exists && has_value) return prefix + "Value cannot be used when Exists is false for Attribute: " + name;
  return has_value ? table::check_value(*expected.value) : "";
}

std::string check_conditional_operator(const Text& conditional_operator, std::size_t conditions) {
  if (!conditional_operator) return {};
  if (conditions == 0) return "ConditionalOperator cannot be used without Filter or Expected";
  if (conditions == 1) return "ConditionalOperator can only be used when Filter or Expected has two or more elements";
  return {};
}

// The conditions joined by AND, or by OR when that was asked for.
table::Condition combine(std::vector<table::Condition> conditions, const Text& conditional_operator) {
  if (conditions.size() == 1) return std::move(conditions.front());
  table::Condition all;
  all.op = conditional_operator == "OR" ? Op::kOr : Op::kAnd;
  all.children = std::move(conditions);
  return all;
}

}  // namespace

std::string check_comparison(const std::string& comparison, const std::vector<AttributeValue>& values) {
  for (const AttributeValue& value : values)
    if (std::string fault = table::check_value(value); !fault.empty()) return fault;
  const Arity* arity = arity_of(comparison);
  if (!arity || values.size() < arity->min || values.size() > arity->max)
    return fmt::format("{}Invalid number of argument(s) for the {} ComparisonOperator", kInvalidValues, comparison);
  if (values.empty()) return {};
  if (std::string fault = check_same_kind(values); !fault.empty()) return fault;
  for (const AttributeValue& value : values)
    if (!accepts(*arity, value.kind_name()))
      return fmt::format("{}ComparisonOperator {} is not valid for {} AttributeValue type", kInvalidValues, comparison,
                         value.kind_name());
  return check_range(comparison, values);
}

Reply<void> check_mixing(const std::vector<Given>& expressions, const std::vector<Given>& older, bool has_names,
                         bool has_values) {
  const std::string given = listed(expressions), given_older = listed(older);
  if (!given.empty() && !given_older.empty())
    return as_reply(fmt::format("Can not use both expression and non-expression parameters in the same request: "
                                "Non-expression parameters: {{{}}} Expression parameters: {{{}}}", given_older, given));
  if (has_names && given.empty())
    return as_reply("ExpressionAttributeNames can only be specified when using expressions");
  if (!has_values) return {};
  std::vector<std::string> with_values;
  bool any = false;
  for (const Given& expression : expressions) {
    if (std::string_view(expression.name) == "ProjectionExpression") continue;
    with_values.emplace_back(expression.name);
    any = any || expression.is_given;
  }
  if (any || with_values.empty()) return {};
  return as_reply(fmt::format("ExpressionAttributeValues can only be specified when using expressions: {} {} null",
                              join(with_values, " and "), with_values.size() > 1 ? "are" : "is"));
}

Expressions::Expressions(const Names& names, const Values& values)
    : placeholders_(names ? &*names : nullptr, values ? &*values : nullptr) {}

Reply<void> Expressions::parse(const Texts& texts) {
  if (std::string fault = placeholders_.check(); !fault.empty()) return as_reply(std::move(fault));
  const auto each = [&](const Text* text, const char* name, auto parser, auto& out) -> std::string {
    if (!text || !*text) return {};
    auto parsed = parser(**text, placeholders_);
    if (!parsed) return fmt::format("Invalid {}: {}", name, parsed.error());
    out = *std::move(parsed);
    return {};
  };
  std::string fault = each(texts.update, "UpdateExpression", table::parse_update, update);
  if (fault.empty()) fault = each(texts.condition, "ConditionExpression", table::parse_condition, condition);
  if (fault.empty()) fault = each(texts.key_condition, "KeyConditionExpression", table::parse_condition, key_condition);
  if (fault.empty()) fault = each(texts.filter, "FilterExpression", table::parse_condition, filter);
  if (fault.empty()) fault = each(texts.projection, "ProjectionExpression", table::parse_projection, projection);
  if (fault.empty()) fault = placeholders_.check_all_used();
  return as_reply(std::move(fault));
}

const AttributeValue* Expressions::keep(const AttributeValue& value) {
  kept_.push_back(value);
  table::canonicalise(kept_.back());
  return &kept_.back();
}

Reply<table::Condition> Expressions::translate(const std::string& name, const std::string& comparison,
                                               const std::vector<const AttributeValue*>& values) {
  constexpr std::pair<std::string_view, Op> kOps[] = {
      {"EQ", Op::kEqual},       {"NE", Op::kNotEqual},     {"LE", Op::kLessOrEqual},  {"LT", Op::kLess},
      {"GE", Op::kGreaterOrEqual}, {"GT", Op::kGreater},   {"CONTAINS", Op::kContains}, {"NOT_CONTAINS", Op::kContains},
      {"BEGINS_WITH", Op::kBeginsWith}, {"IN", Op::kIn},   {"BETWEEN", Op::kBetween}, {"NULL", Op::kNotExists},
      {"NOT_NULL", Op::kExists}};
  table::Condition condition;
  for (const auto& [word, op] : kOps)
    if (word == comparison) condition.op = op;
  condition.operands.push_back({.path = {{.name = name}}});
  for (const AttributeValue* value : values)
    condition.operands.push_back({.kind = table::Operand::Kind::kValue, .value = keep(*value)});
  if (comparison != "NOT_CONTAINS") return condition;
  table::Condition negated;
  negated.op = Op::kNot;
  negated.children.push_back(std::move(condition));
  return negated;
}

Reply<void> Expressions::take_expected(const std::optional<Expected>& expected, const Text& conditional_operator) {
  const std::size_t count = expected ? expected->size() : 0;
  if (std::string fault = check_conditional_operator(conditional_operator, count); !fault.empty())
    return as_reply(std::move(fault));
  if (count == 0) return {};
  std::vector<table::Condition> conditions;
  for (const auto& [name, wanted] : *expected) {
    if (std::string fault = check_expected_one(name, wanted); !fault.empty()) return as_reply(std::move(fault));
    std::vector<const AttributeValue*> values;
    if (wanted.value) values.push_back(&*wanted.value);
    if (wanted.attribute_value_list)
      for (const AttributeValue& value : *wanted.attribute_value_list) values.push_back(&value);
    const std::string comparison = wanted.comparison_operator  ? *wanted.comparison_operator
                                   : wanted.exists.value_or(true) ? "EQ"
                                                                  : "NULL";
    conditions.push_back(TRY(translate(name, comparison, values)));
  }
  condition = combine(std::move(conditions), conditional_operator);
  return {};
}

Reply<void> Expressions::take_filter(const std::optional<Filter>& wanted, const Text& conditional_operator) {
  const std::size_t count = wanted ? wanted->size() : 0;
  if (std::string fault = check_conditional_operator(conditional_operator, count); !fault.empty())
    return as_reply(std::move(fault));
  if (count == 0) return {};
  std::vector<table::Condition> conditions;
  static const std::vector<AttributeValue> kNone;
  for (const auto& [name, one] : *wanted) {
    const auto& list = one.attribute_value_list ? *one.attribute_value_list : kNone;
    if (std::string fault = check_comparison(one.comparison_operator, list); !fault.empty())
      return as_reply(std::move(fault));
    std::vector<const AttributeValue*> values;
    for (const AttributeValue& value : list) values.push_back(&value);
    conditions.push_back(TRY(translate(name, one.comparison_operator, values)));
  }
  filter = combine(std::move(conditions), conditional_operator);
  return {};
}

Reply<void> Expressions::take_updates(const std::optional<Updates>& updates) {
  if (!updates) return {};
  using Action = table::AttributeChange::Action;
  for (const auto& [name, change] : *updates) {
    const std::string action = change.action.value_or("PUT");
    if (change.value)
      if (std::string fault = table::check_value(*change.value); !fault.empty()) return as_reply(std::move(fault));
    if (!change.value && action != "DELETE")
      return as_reply(std::string(kInvalidValues) + "Only DELETE action is allowed when no attribute value is specified");
    if (change.value && action == "DELETE" && !change.value->is_set())
      return as_reply(fmt::format("{}DELETE action with value is not supported for the type {}", kInvalidValues,
                                  change.value->kind_name()));
    if (change.value && action == "ADD" && !change.value->is_set() && !change.value->is(AttributeKind::kNumber) &&
        !change.value->is(AttributeKind::kList))
      return as_reply(fmt::format("{}ADD action is not supported for the type {}", kInvalidValues, change.value->kind_name()));
    changes.push_back({.name = name,
                       .action = action == "ADD" ? Action::kAdd : action == "DELETE" ? Action::kDelete : Action::kPut,
                       .value = change.value ? keep(*change.value) : nullptr});
  }
  return {};
}

Reply<void> Expressions::take_attributes(const std::optional<std::vector<std::string>>& attributes) {
  if (!attributes) return {};
  std::unordered_set<std::string_view> seen;
  projection.emplace();
  for (const std::string& name : *attributes) {
    if (!seen.insert(name).second)
      return as_reply(fmt::format("{}Duplicate value in attribute name: {}", kInvalidValues, name));
    projection->push_back({{.name = name}});
  }
  return {};
}

}  // namespace reef::dynamodb
