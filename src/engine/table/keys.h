// Where an item lies in the key-value store. A key is
//   'T' table id (8) index number (2, 0 = the table itself) spread (4) hash key [range key] [the table's key]
// all big-endian or order-preserving, so that a query is one run of keys and a scan visits hash keys in an order
// that has nothing to do with their values. Index entries end with the table's key, which makes them unique.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/attribute_value.h"

namespace reef::table {

struct KeyAttribute {
  std::string name;
  AttributeKind kind = AttributeKind::kString;  // kString, kNumber or kBinary
  bool operator==(const KeyAttribute&) const = default;
};

struct KeySchema {
  KeyAttribute hash;
  std::optional<KeyAttribute> range;
  bool operator==(const KeySchema&) const = default;
};

// Sorts as the values do within one kind, and tells its own end.
void append_key_part(std::string& out, const AttributeValue& value);
// The same without its end: what all longer strings or binaries that begin with `value` begin with too.
void append_key_prefix(std::string& out, const AttributeValue& value);

std::string space_prefix(std::uint64_t table, std::uint16_t index);
// Appends spread and hash key.
void append_hash_part(std::string& out, const AttributeValue& hash);
// A stable 32-bit hash of an encoded hash key: scan segments divide its range.
std::uint32_t spread_of(std::string_view encoded_hash);
void append_big_endian(std::string& out, std::uint64_t value, int bytes);

// The first key after every key that starts with `prefix`.
std::string after_prefix(std::string prefix);

// The key of `item` in the table itself. The item holds the key attributes, with the right kinds.
std::string item_key(std::uint64_t table, const KeySchema& schema, const AttributeMap& item);
// What decides the owning shard: the key up to and including its hash part.
std::string partition_key(std::uint64_t table, const AttributeValue& hash);
// The key of the item's entry in an index; nothing when the item lacks one of the index's key attributes.
std::optional<std::string> index_key(std::uint64_t table, std::uint16_t index, const KeySchema& schema,
                                     const KeySchema& table_schema, const AttributeMap& item);

}  // namespace reef::table
