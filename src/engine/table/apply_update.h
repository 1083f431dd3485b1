// Applies updates to items: UpdateExpression, and the older AttributeUpdates.
#pragma once

#include <string>
#include <vector>

#include "base/attribute_value.h"
#include "engine/table/expression.h"

namespace reef::table {

// Changes `item`; a whole message of AWS's when it cannot be done, and then `item` is half changed. Every value is
// computed from the item as it was; list indexes mean the list as it was.
std::string apply_update(const Update& update, AttributeMap& item);

// AttributeUpdates.
struct AttributeChange {
  enum class Action { kPut, kAdd, kDelete };
  std::string name;
  Action action = Action::kPut;
  const AttributeValue* value = nullptr;  // canonical; nullptr only for kDelete
};
std::string apply_changes(const std::vector<AttributeChange>& changes, AttributeMap& item);

}  // namespace reef::table
