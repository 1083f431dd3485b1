// Checks attribute values that come from outside and makes their numbers canonical. The texts are AWS's.
#pragma once

#include <string>
#include <string_view>

#include "base/attribute_value.h"
#include "engine/table/decimal.h"

namespace reef::table {

// Maps and lists inside each other.
constexpr int kNestingMax = 32;

// "Number overflow. Attempting to store a number with magnitude larger than supported range", ...
std::string number_fault_text(NumberFault fault, std::string_view number);

// What is wrong with `value` (types, numbers, sets, nesting), or "".
std::string check_value(const AttributeValue& value);
// The same for each value of a map, in order.
std::string check_values(const AttributeMap& values);

// Whether all numbers in `value` are canonical text. `value` has passed check_value.
bool has_canonical_numbers(const AttributeValue& value);
void canonicalise(AttributeValue& value);
void canonicalise(AttributeMap& values);

}  // namespace reef::table
