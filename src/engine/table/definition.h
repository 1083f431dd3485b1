// What a table is: its keys, attributes and indexes, and the settings that belong to it. Immutable once published;
// changing a table makes a new definition.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "engine/table/keys.h"

namespace reef::table {

struct Throughput {
  std::int64_t read_units = 0, write_units = 0;  // 0: not provisioned
  bool operator==(const Throughput&) const = default;
};

enum class ProjectionKind : std::uint8_t { kAll, kKeysOnly, kInclude };

struct IndexDefinition {
  std::string name;
  std::uint16_t number = 0;  // in keys; 1 and up, never used twice in a table's life
  bool is_global = false;
  bool is_backfilling = false;
  KeySchema keys;
  ProjectionKind projection = ProjectionKind::kAll;
  std::vector<std::string> included;
  Throughput throughput;
};

struct TableDefinition {
  std::uint64_t id = 0;  // in keys; never used twice
  std::string account, region, name;
  std::string uuid;
  Time created{};
  KeySchema keys;
  std::vector<KeyAttribute> attributes;  // as defined, in order
  std::vector<IndexDefinition> indexes;
  std::uint16_t next_index_number = 1;
  bool is_on_demand = false;
  Throughput throughput;
  std::string expiry_attribute;  // numbers of seconds since 1970; "" when items do not expire
  bool is_deletion_protected = false;
  std::map<std::string, std::string, std::less<>> tags;
  // What only the service gives a meaning: its name and text, kept as given.
  std::map<std::string, std::string, std::less<>> settings;

  const IndexDefinition* find_index(std::string_view index_name) const;
  // The kind of a key attribute by name; nothing when it is not defined.
  std::optional<AttributeKind> kind_of(std::string_view attribute) const;
};

using TablePtr = std::shared_ptr<const TableDefinition>;

// The attributes of `item` that an index keeps.
AttributeMap index_entry(const TableDefinition& table, const IndexDefinition& index, const AttributeMap& item);
// Those that name an item in the table and, when given, in the index: what a page ends with.
AttributeMap key_attributes(const TableDefinition& table, const IndexDefinition* index, const AttributeMap& item);

std::string definition_bytes(const TableDefinition& table);
std::optional<TableDefinition> read_definition(std::string_view bytes);

}  // namespace reef::table
