// From the table engine's refusals to AWS's errors.
#pragma once

#include "service/dynamodb/dynamodb.h"

namespace reef::dynamodb {

aws::Error invalid(std::string message);  // ValidationException
// `wants_item`: the caller asked for the item that failed its condition.
// The ValidationException of that text, or fine when it is empty.
inline Reply<void> as_reply(std::string fault) {
  if (!fault.empty()) return Err(invalid(std::move(fault)));
  return {};
}
aws::Error to_error(table::Refused refused, bool wants_item = false, bool is_update = false);
aws::Error no_such_table(std::string_view name);

// {"S": "x"}, as it appears inside errors.
wire::Json attribute_json(const AttributeValue& value);
wire::Json item_json(const AttributeMap& item);

}  // namespace reef::dynamodb
