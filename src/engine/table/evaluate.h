// Evaluates conditions against items and computes projections.
#pragma once

#include <compare>
#include <optional>

#include "base/attribute_value.h"
#include "engine/table/expression.h"

namespace reef::table {

// The value at `path`, or nullptr.
const AttributeValue* find_path(const AttributeMap& item, const Path& path);

bool matches(const Condition& condition, const AttributeMap& item);

// Orders two values of the same scalar kind; nothing for other pairs. Strings by their UTF-8 bytes.
std::optional<std::strong_ordering> compare_values(const AttributeValue& a, const AttributeValue& b);
bool contains_value(const AttributeValue& whole, const AttributeValue& part);

// The parts of `item` that the paths name. List elements keep their order and close up.
AttributeMap project(const AttributeMap& item, const Projection& paths);

}  // namespace reef::table
