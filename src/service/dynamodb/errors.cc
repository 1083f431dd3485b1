#include "service/dynamodb/errors.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace reef::dynamodb {

aws::Error invalid(std::string message) { return aws::validation_exception(std::move(message)); }

aws::Error no_such_table(std::string_view name) {
  return {model::errors::kResourceNotFoundException, fmt::format("Requested resource not found: Table: {} not found", name)};
}

aws::Error to_error(table::Refused refused, bool wants_item, bool is_update) {
  switch (refused.why) {
    case table::Refusal::kTableExists:
      return {model::errors::kResourceInUseException, "Table already exists"};
    case table::Refusal::kNoSuchTable:
      return {model::errors::kResourceNotFoundException, "Requested resource not found"};
    case table::Refusal::kTableProtected:
      return invalid("Resource cannot be deleted as it is currently protected against deletion. "
                     "Disable deletion protection first.");
    case table::Refusal::kConditionFailed: {
      aws::Error error(model::errors::kConditionalCheckFailedException, "The conditional request failed");
      if (wants_item && refused.item) error.fields.set("Item", item_json(*refused.item));
      return error;
    }
    case table::Refusal::kInvalid:
      return invalid(std::move(refused.detail));
    case table::Refusal::kItemTooLarge:
      return invalid(is_update ? "Item size to update has exceeded the maximum allowed size"
                               : "Item size has exceeded the maximum allowed size");
    case table::Refusal::kConflict:
      return {model::errors::kTransactionConflictException, "Transaction is ongoing for the item"};
  }
  return aws::internal_failure();
}

wire::Json attribute_json(const AttributeValue& value) {
  wire::Json content;
  switch (value.kind()) {
    case AttributeKind::kString:
    case AttributeKind::kNumber:
      content = value.text();
      break;
    case AttributeKind::kBinary:
      content = base64_encode(value.text());
      break;
    case AttributeKind::kStringSet:
    case AttributeKind::kNumberSet:
    case AttributeKind::kBinarySet:
      content = wire::Json::array();
      for (const std::string& member : value.members())
        content.push_back(value.is(AttributeKind::kBinarySet) ? base64_encode(member) : member);
      break;
    case AttributeKind::kMap:
      content = item_json(value.entries());
      break;
    case AttributeKind::kList:
      content = wire::Json::array();
      for (const AttributeValue& element : value.elements()) content.push_back(attribute_json(element));
      break;
    case AttributeKind::kNull:
    case AttributeKind::kBool:
      content = value.flag();
      break;
    case AttributeKind::kNone:
    case AttributeKind::kSeveral:
      return wire::Json::object();
  }
  return wire::Json::object({{std::string(value.kind_name()), std::move(content)}});
}

wire::Json item_json(const AttributeMap& item) {
  wire::Json out = wire::Json::object();
  for (const auto& [name, value] : item) out.set(name, attribute_json(value));
  return out;
}

}  // namespace reef::dynamodb
