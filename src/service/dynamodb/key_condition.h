// What a Query asks of its keys, from a KeyConditionExpression or from KeyConditions, and the run of keys it means.
#pragma once

#include "service/dynamodb/expressions.h"

namespace reef::dynamodb {

struct KeyCondition {
  std::string comparison;  // "EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH", or one that keys do not support
  std::vector<const AttributeValue*> values;
};
using KeyConditions = std::map<std::string, KeyCondition, std::less<>>;

// Values point into the expression's or the keeper's.
Reply<KeyConditions> key_conditions_of(const table::Condition& expression);
Reply<KeyConditions> key_conditions_of(const Expressions::Filter& conditions, Expressions& keeper);

// Checks the conditions (and the shape of `start`, ExclusiveStartKey) against the key schema of the table or index,
// and sets read.from and read.to.
Reply<void> set_range(const KeyConditions& conditions, const std::optional<AttributeMap>& start, const table::KeySchema& keys,
                      table::Read& read);

// Applies ExclusiveStartKey to `read`, whose range is set. `conditions` is nullptr for a Scan.
Reply<void> set_start(const AttributeMap& start, const KeyConditions* conditions, table::Read& read);

}  // namespace reef::dynamodb
