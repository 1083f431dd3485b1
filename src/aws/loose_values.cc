#include "aws/loose_values.h"

#include <map>

#include "base/text.h"

namespace reef::aws {

using wire::Json;

Json fit_to_shape(const Shape& shape, Json value) {
  switch (shape.kind) {
    case Kind::kStructure:
    case Kind::kUnion:
      if (!value.is_object()) return value;
      for (auto& [name, member] : value.members())
        for (std::uint32_t i = 0; i < shape.member_count; ++i)
          if (name == shape.members[i].name) member = fit_to_shape(*shape.members[i].shape, std::move(member));
      return value;
    case Kind::kList:
      if (!value.is_array()) return value;
      for (Json& element : value.elements()) element = fit_to_shape(*shape.element, std::move(element));
      return value;
    case Kind::kMap:
      if (!value.is_object()) return value;
      for (auto& [name, member] : value.members()) member = fit_to_shape(*shape.element, std::move(member));
      return value;
    case Kind::kInteger:
    case Kind::kLong:
    case Kind::kDouble: {
      if (!value.is_string()) return value;
      const auto number = parse_double(trim(value.as_string()));
      return number ? Json::number(format_double(*number)) : value;
    }
    case Kind::kBoolean:
      if (!value.is_string()) return value;
      if (equals_ignoring_case(value.as_string(), "true")) return true;
      if (equals_ignoring_case(value.as_string(), "false")) return false;
      return value;
    case Kind::kString:
      if (value.is_number() || value.is_bool()) return *value.scalar_text();
      return value;
    case Kind::kTimestamp:
    case Kind::kBlob:
    case Kind::kDocument:
    case Kind::kNative: return value;
  }
  return value;
}

Json fit_to_operation(const ServiceModel& model, std::string_view operation, Json input) {
  for (std::uint32_t i = 0; i < model.operation_count; ++i)
    if (operation == model.operations[i].name) return fit_to_shape(*model.operations[i].input, std::move(input));
  return input;
}

Json merge_tags(std::initializer_list<const Json*> lists) {
  std::map<std::string, std::string> merged;
  for (const Json* list : lists)
    if (list)
      for (const Json& tag : list->as_array())
        if (!tag.text("Key").starts_with("aws:")) merged.insert_or_assign(tag.text("Key"), tag["Value"].scalar_text().value_or(""));
  Json out = Json::array();
  for (const auto& [key, value] : merged) out.push_back(Json::object({{"Key", key}, {"Value", value}}));
  return out;
}

}  // namespace reef::aws
