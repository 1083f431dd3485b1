#include "service/dynamodb/key_condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/table/evaluate.h"
#include "service/dynamodb/item_checks.h"

namespace reef::dynamodb {
namespace {

using Op = table::Condition::Op;
using OperandKind = table::Operand::Kind;

struct OpNames {
  Op op;
  const char* shown;       // in faults; nullptr when keys support the operator
  const char* comparison;  // nullptr when they do not
};
constexpr OpNames kOpNames[] = {{Op::kOr, "OR", nullptr},
                                {Op::kNot, "NOT", nullptr},
                                {Op::kIn, "IN", nullptr},
                                {Op::kNotEqual, "<>", nullptr},
                                {Op::kExists, "attribute_exists", nullptr},
                                {Op::kNotExists, "attribute_not_exists", nullptr},
                                {Op::kType, "attribute_type", nullptr},
                                {Op::kContains, "contains", nullptr},
                                {Op::kEqual, nullptr, "EQ"},
                                {Op::kLess, nullptr, "LT"},
                                {Op::kLessOrEqual, nullptr, "LE"},
                                {Op::kGreater, nullptr, "GT"},
                                {Op::kGreaterOrEqual, nullptr, "GE"},
                                {Op::kBetween, nullptr, "BETWEEN"},
                                {Op::kBeginsWith, nullptr, "BEGINS_WITH"}};

Op mirrored(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessOrEqual:
      return Op::kGreaterOrEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterOrEqual:
      return Op::kLessOrEqual;
    default:
      return op;
  }
}

std::string collect(const table::Condition& expression, KeyConditions& out) {
  if (expression.op == Op::kAnd) {
    for (const table::Condition& child : expression.children)
      if (std::string fault = collect(child, out); !fault.empty()) return fault;
    return {};
  }
  Op op = expression.op;
  for (const OpNames& names : kOpNames)
    if (names.op == op && names.shown)
      return fmt::format("Invalid operator used in KeyConditionExpression: {}", names.shown);
  const auto& operands = expression.operands;
  const bool starts_with_path = operands[0].kind == OperandKind::kPath;
  if ((op == Op::kBetween || op == Op::kBeginsWith) && !starts_with_path && operands[0].kind == OperandKind::kValue)
    return fmt::format("Invalid condition in KeyConditionExpression: {} operator must have the key attribute as its first "
                       "operand", op == Op::kBetween ? "BETWEEN" : "begins_with");
  const table::Path* path = nullptr;
  KeyCondition condition;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const table::Operand& operand = operands[i];
    if (operand.kind == OperandKind::kSize) return "KeyConditionExpressions cannot contain nested operations";
    if (operand.kind != OperandKind::kPath) {
      condition.values.push_back(operand.value);
      continue;
    }
    if (path) return "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition";
    if (operand.path.size() > 1) return "KeyConditionExpressions cannot have conditions on nested attributes";
    path = &operand.path;
    if (i == 1) op = mirrored(op);
  }
  if (!path) return "Invalid condition in KeyConditionExpression: No key attribute specified";
  for (const OpNames& names : kOpNames)
    if (names.op == op) condition.comparison = names.comparison;
  if (!out.emplace(path->front().name, std::move(condition)).second)
    return "KeyConditionExpressions must only contain one condition per key";
  return {};
}

std::string check_all(const KeyConditions& conditions) {
  for (const auto& [name, condition] : conditions) {
    std::vector<AttributeValue> values;
    for (const AttributeValue* value : condition.values) values.push_back(*value);
    if (std::string fault = check_comparison(condition.comparison, values); !fault.empty()) return fault;
  }
  if (conditions.empty() || conditions.size() > 2) return "Conditions can be of length 1 or 2 only";
  return {};
}

bool is_indexable(const std::string& comparison) {
  for (const char* not_indexable : {"NULL", "NOT_NULL", "NE", "CONTAINS", "NOT_CONTAINS", "IN"})
    if (comparison == not_indexable) return false;
  return true;
}

// "" when the condition on that key attribute can be served.
std::string check_one(const KeyConditions& conditions, const table::KeyAttribute& attribute, bool is_hash) {
  const auto found = conditions.find(attribute.name);
  if (found == conditions.end())
    return is_hash || conditions.size() > 1
               ? fmt::format("Query condition missed key schema element: {}", attribute.name)
               : std::string();
  const KeyCondition& condition = found->second;
  if (!is_indexable(condition.comparison)) return "Attempted conditional constraint is not an indexable operation";
  for (const AttributeValue* value : condition.values)
    if (!value->is(attribute.kind))
      return "One or more parameter values were invalid: Condition parameter type does not match schema type";
  if (is_hash && condition.comparison != "EQ") return "Query key condition not supported";
  if (condition.comparison != "BEGINS_WITH" && condition.comparison != "BETWEEN")
    for (const AttributeValue* value : condition.values)
      if (!value->is(AttributeKind::kNumber) && value->text().empty() && condition.comparison == "EQ")
        return fmt::format("One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
                           "contain an empty {} value. Key: {}",
                           value->is(AttributeKind::kString) ? "string" : "binary", attribute.name);
  return {};
}

void narrow(const KeyCondition& condition, const std::string& partition, table::Read& read) {
  const auto with = [&](const AttributeValue& value) {
    std::string key = partition;
    table::append_key_part(key, value);
    return key;
  };
  const std::string first = with(*condition.values[0]);
  if (condition.comparison == "EQ") {
    read.from = first;
    read.to = table::after_prefix(first);
  } else if (condition.comparison == "LT") {
    read.to = first;
  } else if (condition.comparison == "LE") {
    read.to = table::after_prefix(first);
  } else if (condition.comparison == "GT") {
    read.from = table::after_prefix(first);
  } else if (condition.comparison == "GE") {
    read.from = first;
  } else if (condition.comparison == "BETWEEN") {
    read.from = first;
    read.to = table::after_prefix(with(*condition.values[1]));
  } else if (condition.comparison == "BEGINS_WITH") {
    std::string prefix = partition;
    table::append_key_prefix(prefix, *condition.values[0]);
    read.to = table::after_prefix(prefix);
    read.from = std::move(prefix);
  }
}

bool satisfies(const AttributeValue& value, const KeyCondition& condition) {
  if (condition.comparison == "BEGINS_WITH") return value.text().starts_with(condition.values[0]->text());
  const auto order = table::compare_values(value, *condition.values[0]);
  if (!order) return false;
  if (condition.comparison == "EQ") return *order == 0;
  if (condition.comparison == "LT") return *order < 0;
  if (condition.comparison == "LE") return *order <= 0;
  if (condition.comparison == "GT") return *order > 0;
  if (condition.comparison == "GE") return *order >= 0;
  const auto upper = table::compare_values(value, *condition.values[1]);
  return *order >= 0 && upper && *upper <= 0;
}

AttributeMap only(const AttributeMap& attributes, const table::KeySchema& keys) {
  AttributeMap out;
  const auto copy = [&](const std::string& name) {
    if (const auto found = attributes.find(name); found != attributes.end()) out.emplace(name, found->second);
  };
  copy(keys.hash.name);
  if (keys.range) copy(keys.range->name);
  return out;
}

std::string check_against(const AttributeMap& start, const KeyConditions& conditions, const table::KeySchema& keys) {
  const AttributeValue& hash = start.find(keys.hash.name)->second;
  const bool same_hash = hash == *conditions.find(keys.hash.name)->second.values[0];
  const auto range = keys.range ? conditions.find(keys.range->name) : conditions.end();
  if (range == conditions.end())
    return same_hash ? "" : "The provided starting key is outside query boundaries based on provided conditions";
  if (!satisfies(start.find(keys.range->name)->second, range->second))
    return "The provided starting key does not match the range key predicate";
  return same_hash ? "" : "The query can return at most one row and cannot be restarted";
}

// How many attributes a starting key has.
std::size_t count_key_names(const table::Read& read) {
  const auto add = [](const table::KeySchema& keys, std::set<std::string_view>& names) {
    names.insert(keys.hash.name);
    if (keys.range) names.insert(keys.range->name);
  };
  std::set<std::string_view> names;
  add(read.table->keys, names);
  if (read.index) add(read.index->keys, names);
  return names.size();
}

// A key attribute of a starting key, before the conditions are looked at.
std::string check_start_attribute(const AttributeMap& start, const table::KeyAttribute& attribute, bool is_hash) {
  if (!start.contains(attribute.name)) return "The provided starting key is invalid";
  if (auto checked = check_key({.hash = attribute, .range = std::nullopt}, {{attribute.name, start.find(attribute.name)->second}});
      !checked && (is_hash || checked.error().message.find("hashkey") == std::string::npos))
    return checked.error().message;
  return {};
}

}  // namespace

Reply<KeyConditions> key_conditions_of(const table::Condition& expression) {
  KeyConditions out;
  std::string fault = collect(expression, out);
  if (fault.empty()) fault = check_all(out);
  if (!fault.empty()) return Err(invalid(std::move(fault)));
  return out;
}

Reply<KeyConditions> key_conditions_of(const Expressions::Filter& conditions, Expressions& keeper) {
  KeyConditions out;
  for (const auto& [name, given] : conditions) {
    KeyCondition condition{.comparison = given.comparison_operator, .values = {}};
    if (given.attribute_value_list)
      for (const AttributeValue& value : *given.attribute_value_list) condition.values.push_back(keeper.keep(value));
    out.emplace(name, std::move(condition));
  }
  if (std::string fault = check_all(out); !fault.empty()) return Err(invalid(std::move(fault)));
  return out;
}

Reply<void> set_range(const KeyConditions& conditions, const std::optional<AttributeMap>& start, const table::KeySchema& keys,
                      table::Read& read) {
  if (start && start->size() != count_key_names(read)) return Err(invalid("The provided starting key is invalid"));
  const table::KeyAttribute* attributes[] = {&keys.hash, keys.range ? &*keys.range : nullptr};
  for (const table::KeyAttribute* attribute : attributes) {
    if (!attribute) continue;
    const bool is_hash = attribute == &keys.hash;
    std::string fault = start ? check_start_attribute(*start, *attribute, is_hash) : std::string();
    if (fault.empty() && is_hash && !keys.range && conditions.size() > 1) fault = "Query key condition not supported";
    if (fault.empty()) fault = check_one(conditions, *attribute, is_hash);
    if (!fault.empty()) return Err(invalid(std::move(fault)));
  }
  std::string partition = table::space_prefix(read.table->id, read.index ? read.index->number : 0);
  table::append_hash_part(partition, *conditions.find(keys.hash.name)->second.values[0]);
  read.from = partition;
  read.to = table::after_prefix(partition);
  if (keys.range)
    if (const auto found = conditions.find(keys.range->name); found != conditions.end())
      narrow(found->second, partition, read);
  return {};
}

Reply<void> set_start(const AttributeMap& given, const KeyConditions* conditions, table::Read& read) {
  AttributeMap storage;
  const AttributeMap& start = *canonical(given, storage);
  const table::TableDefinition& table = *read.table;
  const table::KeySchema& keys = read.index ? read.index->keys : table.keys;
  const char* kInvalidStart = "The provided starting key is invalid";
  if (!conditions) {  // a Scan; for a Query set_range has looked at this
    if (start.size() != count_key_names(read))
      return Err(invalid(read.index ? kInvalidStart
                                    : std::string(kInvalidStart) + ": The provided key element does not match the schema"));
    if (read.index) {
      const table::KeyAttribute* attributes[] = {&keys.hash, keys.range ? &*keys.range : nullptr};
      for (const table::KeyAttribute* attribute : attributes)
        if (attribute)
          if (std::string fault = check_start_attribute(start, *attribute, attribute == &keys.hash); !fault.empty())
            return Err(invalid(std::move(fault)));
    }
  }
  if (auto checked = check_key(table.keys, only(start, table.keys)); !checked)
    return Err(invalid(fmt::format("{}: {}", kInvalidStart, checked.error().message)));
  if (conditions)
    if (std::string fault = check_against(start, *conditions, keys); !fault.empty()) return Err(invalid(std::move(fault)));
  const std::string key = read.index ? *table::index_key(table.id, read.index->number, keys, table.keys, start)
                                     : table::item_key(table.id, table.keys, start);
  if (!conditions && (key < read.from || key >= read.to))
    return Err(invalid(std::string(kInvalidStart) + ": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct "
                                                    "Segment. "));  // the caller adds which one
  if (read.forward)
    read.from = std::max(read.from, key + '\0');
  else
    read.to = std::min(read.to, key);
  return {};
}

}  // namespace reef::dynamodb
