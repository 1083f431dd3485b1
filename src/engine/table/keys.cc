#include "engine/table/keys.h"

#include "engine/table/decimal.h"

namespace reef::table {

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void append_key_prefix(std::string& out, const AttributeValue& value) {
  for (const char c : value.text()) {
    out += c;
    if (c == '\0') out += '\xFF';
  }
}

void append_key_part(std::string& out, const AttributeValue& value) {
  if (value.is(AttributeKind::kNumber)) {
    Decimal::parse(value.text()).value_or(Decimal()).append_ordered(out);
    return;
  }
  append_key_prefix(out, value);
  out.append(2, '\0');
}

// FNV-1a with a final mix. Part of the on-disk format: it must never change.
std::uint32_t spread_of(std::string_view encoded_hash) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : encoded_hash) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdull;
  hash ^= hash >> 33;
  return static_cast<std::uint32_t>(hash >> 32);
}

std::string space_prefix(std::uint64_t table, std::uint16_t index) {
  std::string out = "T";
  append_big_endian(out, table, 8);
  append_big_endian(out, index, 2);
  return out;
}

void append_hash_part(std::string& out, const AttributeValue& hash) {
  const std::size_t at = out.size();
  out.append(4, '\0');
  append_key_part(out, hash);
  const std::uint32_t spread = spread_of(std::string_view(out).substr(at + 4));
  for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(spread >> (24 - 8 * i));
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty()) {
    if (prefix.back() != '\xFF') {
      prefix.back() = static_cast<char>(prefix.back() + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

std::string partition_key(std::uint64_t table, const AttributeValue& hash) {
  std::string out = space_prefix(table, 0);
  append_hash_part(out, hash);
  return out;
}

std::string item_key(std::uint64_t table, const KeySchema& schema, const AttributeMap& item) {
  std::string out = partition_key(table, item.find(schema.hash.name)->second);
  if (schema.range) append_key_part(out, item.find(schema.range->name)->second);
  return out;
}

std::optional<std::string> index_key(std::uint64_t table, std::uint16_t index, const KeySchema& schema,
                                     const KeySchema& table_schema, const AttributeMap& item) {
  const auto part = [&](const KeyAttribute& attribute) -> const AttributeValue* {
    const auto found = item.find(attribute.name);
    return found != item.end() && found->second.is(attribute.kind) ? &found->second : nullptr;
  };
  const AttributeValue* hash = part(schema.hash);
  const AttributeValue* range = schema.range ? part(*schema.range) : nullptr;
  if (!hash || (schema.range && !range)) return std::nullopt;
  std::string out = space_prefix(table, index);
  append_hash_part(out, *hash);
  if (range) append_key_part(out, *range);
  append_key_part(out, item.find(table_schema.hash.name)->second);
  if (table_schema.range) append_key_part(out, item.find(table_schema.range->name)->second);
  return out;
}

}  // namespace reef::table
