#include "engine/table/values.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::table {
namespace {

constexpr std::string_view kInvalid = "One or more parameter values were invalid: ";

std::string check_number(std::string_view text) {
  if (is_canonical_number(text)) return {};
  if (text.empty()) return "The parameter cannot be converted to a numeric value";
  const auto parsed = Decimal::parse(text);
  return parsed ? std::string() : number_fault_text(parsed.error(), text);
}

bool has_duplicates(AttributeValue::Set members) {
  std::ranges::sort(members);
  return std::ranges::adjacent_find(members) != members.end();
}

std::string list_text(const AttributeValue::Set& members, bool binary) {
  AttributeValue::Set shown = members;
  if (binary)
    for (std::string& member : shown) member = base64_encode(member);
  return "[" + join(shown, ", ") + "]";
}

std::string check_set(const AttributeValue& value) {
  const auto& members = value.members();
  std::string text{kInvalid};
  switch (value.kind()) {
    case AttributeKind::kStringSet:
      if (members.empty()) return text + "An string set  may not be empty";
      if (has_duplicates(members)) return text + "Input collection " + list_text(members, false) + " contains duplicates.";
      return {};
    case AttributeKind::kBinarySet:
      if (members.empty()) return text + "Binary sets should not be empty";
      if (has_duplicates(members))
        return text + "Input collection " + list_text(members, true) + "of type BS contains duplicates.";
      return {};
    default:
      break;
  }
  if (members.empty()) return text + "An number set  may not be empty";
  for (const std::string& member : members)
    if (std::string fault = check_number(member); !fault.empty()) return fault;
  AttributeValue copy = value;
  canonicalise(copy);
  return has_duplicates(std::move(copy.members())) ? "Input collection contains duplicates" : "";
}

std::string check(const AttributeValue& value, int depth) {
  if (depth > kNestingMax)
    return "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit";
  switch (value.kind()) {
    case AttributeKind::kNone:
      return "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
    case AttributeKind::kSeveral:
      for (const AttributeValue& one : value.elements())  // what is wrong with one of them comes first
        if (std::string fault = check(one, depth); !fault.empty()) return fault;
      return "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
    case AttributeKind::kNumber:
      return check_number(value.text());
    case AttributeKind::kStringSet:
    case AttributeKind::kNumberSet:
    case AttributeKind::kBinarySet:
      return check_set(value);
    case AttributeKind::kNull:
      return value.flag() ? "" : std::string(kInvalid) + "Null attribute value types must have the value of true";
    case AttributeKind::kMap:
      for (const auto& [name, child] : value.entries())
        if (std::string fault = check(child, depth + 1); !fault.empty()) return fault;
      return {};
    case AttributeKind::kList:
      for (const AttributeValue& child : value.elements())
        if (std::string fault = check(child, depth + 1); !fault.empty()) return fault;
      return {};
    case AttributeKind::kString:
    case AttributeKind::kBinary:
    case AttributeKind::kBool:
      return {};
  }
  return {};
}

void canonicalise_text(std::string& text) {
  if (is_canonical_number(text)) return;
  if (const auto parsed = Decimal::parse(text)) text = parsed->text();
}

}  // namespace

std::string number_fault_text(NumberFault fault, std::string_view number) {
  switch (fault) {
    case NumberFault::kNotANumber:
      return "The parameter cannot be converted to a numeric value: " + std::string(number);
    case NumberFault::kOverflow:
      return "Number overflow. Attempting to store a number with magnitude larger than supported range";
    case NumberFault::kUnderflow:
      return "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    case NumberFault::kTooManyDigits:
      return "Attempting to store more than 38 significant digits in a Number";
  }
  return {};
}

std::string check_value(const AttributeValue& value) { return check(value, 0); }

std::string check_values(const AttributeMap& values) {
  for (const auto& [name, value] : values)
    if (std::string fault = check(value, 0); !fault.empty()) return fault;
  return {};
}

bool has_canonical_numbers(const AttributeValue& value) {
  switch (value.kind()) {
    case AttributeKind::kNumber:
      return is_canonical_number(value.text());
    case AttributeKind::kNumberSet:
      return std::ranges::all_of(value.members(), [](const std::string& m) { return is_canonical_number(m); });
    case AttributeKind::kMap:
      return std::ranges::all_of(value.entries(), [](const auto& entry) { return has_canonical_numbers(entry.second); });
    case AttributeKind::kList:
      return std::ranges::all_of(value.elements(), has_canonical_numbers);
    default:
      return true;
  }
}

void canonicalise(AttributeValue& value) {
  switch (value.kind()) {
    case AttributeKind::kNumber:
      canonicalise_text(value.text());
      break;
    case AttributeKind::kNumberSet:
      for (std::string& member : value.members()) canonicalise_text(member);
      break;
    case AttributeKind::kMap:
      canonicalise(value.entries());
      break;
    case AttributeKind::kList:
      for (AttributeValue& child : value.elements()) canonicalise(child);
      break;
    default:
      break;
  }
}

void canonicalise(AttributeMap& values) {
  for (auto& [name, value] : values) canonicalise(value);
}

}  // namespace reef::table
