#include "engine/table/item.h"

#include "base/bytes.h"
#include "engine/table/decimal.h"
#include "engine/table/values.h"

namespace reef::table {
namespace {

void append_number(std::string& out, std::string_view text) {
  ByteWriter writer(out);
  if (is_canonical_number(text)) return writer.bytes(text);
  const auto parsed = Decimal::parse(text);
  writer.bytes(parsed ? parsed->text() : std::string(text));
}

void append_value(std::string& out, const AttributeValue& value) {
  ByteWriter writer(out);
  out += static_cast<char>(value.kind());
  switch (value.kind()) {
    case AttributeKind::kString:
    case AttributeKind::kBinary:
      return writer.bytes(value.text());
    case AttributeKind::kNumber:
      return append_number(out, value.text());
    case AttributeKind::kStringSet:
    case AttributeKind::kBinarySet:
      writer.varint(value.members().size());
      for (const std::string& member : value.members()) writer.bytes(member);
      return;
    case AttributeKind::kNumberSet:
      writer.varint(value.members().size());
      for (const std::string& member : value.members()) append_number(out, member);
      return;
    case AttributeKind::kMap:
      writer.varint(value.entries().size());
      for (const auto& [name, child] : value.entries()) {
        writer.bytes(name);
        append_value(out, child);
      }
      return;
    case AttributeKind::kList:
      writer.varint(value.elements().size());
      for (const AttributeValue& child : value.elements()) append_value(out, child);
      return;
    case AttributeKind::kNull:
    case AttributeKind::kBool:
      out += value.flag() ? '\x01' : '\x00';
      return;
    case AttributeKind::kNone:
    case AttributeKind::kSeveral:
      return;
  }
}

bool read_value(ByteReader& in, AttributeValue& out, int depth) {
  if (depth > kNestingMax + 1) return false;
  const auto kind = static_cast<AttributeKind>(in.fixed<std::uint8_t>());
  switch (kind) {
    case AttributeKind::kString:
    case AttributeKind::kBinary:
    case AttributeKind::kNumber:
      out = AttributeValue::scalar(kind, in.text());
      return in.ok();
    case AttributeKind::kStringSet:
    case AttributeKind::kBinarySet:
    case AttributeKind::kNumberSet: {
      AttributeValue::Set members;
      for (auto left = in.varint(); left > 0 && in.ok(); --left) members.push_back(in.text());
      out = AttributeValue::set(kind, std::move(members));
      return in.ok();
    }
    case AttributeKind::kMap: {
      AttributeMap entries;
      for (auto left = in.varint(); left > 0 && in.ok(); --left) {
        std::string name = in.text();
        AttributeValue child;
        if (!read_value(in, child, depth + 1)) return false;
        entries.emplace_hint(entries.end(), std::move(name), std::move(child));
      }
      out = AttributeValue::map(std::move(entries));
      return in.ok();
    }
    case AttributeKind::kList: {
      AttributeValue::List elements;
      for (auto left = in.varint(); left > 0 && in.ok(); --left) {
        AttributeValue child;
        if (!read_value(in, child, depth + 1)) return false;
        elements.push_back(std::move(child));
      }
      out = AttributeValue::list(std::move(elements));
      return in.ok();
    }
    case AttributeKind::kNull:
      out = AttributeValue::null(in.fixed<std::uint8_t>() != 0);
      return in.ok();
    case AttributeKind::kBool:
      out = AttributeValue::boolean(in.fixed<std::uint8_t>() != 0);
      return in.ok();
    case AttributeKind::kNone:
    case AttributeKind::kSeveral:
      break;
  }
  return false;
}

}  // namespace

void append_item(std::string& out, const AttributeMap& item) {
  ByteWriter writer(out);
  writer.varint(item_size(item));
  writer.varint(item.size());
  for (const auto& [name, value] : item) {
    writer.bytes(name);
    append_value(out, value);
  }
}

std::optional<AttributeMap> read_item(std::string_view bytes) {
  ByteReader in(bytes);
  in.varint();
  AttributeMap item;
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    AttributeValue value;
    if (!read_value(in, value, 0)) return std::nullopt;
    item.emplace_hint(item.end(), std::move(name), std::move(value));
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return item;
}

std::size_t stored_item_size(std::string_view bytes) { return ByteReader(bytes).varint(); }

}  // namespace reef::table
