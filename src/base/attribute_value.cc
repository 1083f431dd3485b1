#include "base/attribute_value.h"

#include <algorithm>

#include "base/text.h"

namespace reef {
namespace {

constexpr std::string_view kNames[] = {"", "S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL", ""};

// Two digits a byte, in pairs aligned to the decimal point, plus one byte for the exponent and one for a minus
// sign; zeros at either end are free.
std::size_t number_size(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::int64_t exponent = 0;
  if (const auto at = text.find_first_of("eE"); at != text.npos) {
    std::string_view digits = text.substr(at + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    exponent = parse_int(digits).value_or(0);
    text = text.substr(0, at);
  }
  const auto point = std::min(text.find('.'), text.size());
  std::size_t digits = 0, pending_zeros = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '0') {
      if (digits) ++pending_zeros;
    } else if (c >= '1' && c <= '9') {
      if (digits == 0)
        exponent += static_cast<std::int64_t>(point) - static_cast<std::int64_t>(i) - (i < point ? 1 : 0);
      digits += pending_zeros + 1;
      pending_zeros = 0;
    }
  }
  if (digits == 0) return 1;
  const bool straddles = digits % 2 == 0 && exponent % 2 == 0;
  return (digits + 1) / 2 + 1 + (straddles ? 1 : 0) + (negative ? 1 : 0);
}

bool same_members(const AttributeValue::Set& a, const AttributeValue::Set& b) {
  if (a.size() != b.size()) return false;
  if (a == b) return true;
  auto left = a, right = b;
  std::ranges::sort(left);
  std::ranges::sort(right);
  return left == right;
}

}  // namespace

std::string_view attribute_kind_name(AttributeKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

AttributeKind attribute_kind_from_name(std::string_view name) {
  for (std::size_t i = 1; i < std::size(kNames) - 1; ++i)
    if (kNames[i] == name) return static_cast<AttributeKind>(i);
  return AttributeKind::kNone;
}

AttributeValue::MapBox::MapBox(Map&& from) : map(new Map(std::move(from))) {}
AttributeValue::MapBox::MapBox(const MapBox& other) : map(other.map ? new Map(*other.map) : nullptr) {}
AttributeValue::MapBox::~MapBox() { delete map; }
AttributeValue::Data::Data(List list) : Base(std::move(list)) {}
AttributeValue::Data::Data(Map map) : Base(MapBox(std::move(map))) {}

AttributeValue::AttributeValue(const AttributeValue&) = default;
AttributeValue::AttributeValue(AttributeValue&&) noexcept = default;
AttributeValue& AttributeValue::operator=(const AttributeValue&) = default;
AttributeValue& AttributeValue::operator=(AttributeValue&&) noexcept = default;
AttributeValue::~AttributeValue() = default;

bool operator==(const AttributeValue& a, const AttributeValue& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case AttributeKind::kNone:
    case AttributeKind::kSeveral:
      return true;
    case AttributeKind::kString:
    case AttributeKind::kNumber:
    case AttributeKind::kBinary:
      return a.text() == b.text();
    case AttributeKind::kStringSet:
    case AttributeKind::kNumberSet:
    case AttributeKind::kBinarySet:
      return same_members(a.members(), b.members());
    case AttributeKind::kMap:
      return a.entries() == b.entries();
    case AttributeKind::kList:
      return a.elements() == b.elements();
    case AttributeKind::kNull:
    case AttributeKind::kBool:
      return a.flag() == b.flag();
  }
  return false;
}

std::size_t AttributeValue::size() const {
  std::size_t total = 0;
  switch (kind_) {
    case Kind::kNone:
    case Kind::kSeveral:
      return 0;
    case Kind::kString:
    case Kind::kBinary:
      return text().size();
    case Kind::kNumber:
      return number_size(text());
    case Kind::kStringSet:
    case Kind::kBinarySet:
      for (const std::string& member : members()) total += member.size();
      return total;
    case Kind::kNumberSet:
      for (const std::string& member : members()) total += number_size(member);
      return total;
    case Kind::kMap:
      for (const auto& [name, value] : entries()) total += name.size() + value.size() + 1;
      return total + 3;
    case Kind::kList:
      for (const AttributeValue& value : elements()) total += value.size() + 1;
      return total + 3;
    case Kind::kNull:
    case Kind::kBool:
      return 1;
  }
  return 0;
}

int AttributeValue::depth() const {
  int deepest = 0;
  if (kind_ == Kind::kMap) {
    for (const auto& [name, value] : entries()) deepest = std::max(deepest, value.depth());
    return deepest + 1;
  }
  if (kind_ == Kind::kList) {
    for (const AttributeValue& value : elements()) deepest = std::max(deepest, value.depth());
    return deepest + 1;
  }
  return 0;
}

std::size_t item_size(const AttributeMap& item) {
  std::size_t total = 0;
  for (const auto& [name, value] : item) total += name.size() + value.size();
  return total;
}

}  // namespace reef
