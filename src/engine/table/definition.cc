#include "engine/table/definition.h"

#include <algorithm>

#include "base/bytes.h"

namespace reef::table {
namespace {

constexpr std::uint8_t kFormat = 1;

void write_attribute(ByteWriter& out, const KeyAttribute& attribute) {
  out.bytes(attribute.name);
  out.fixed(attribute.kind);
}
KeyAttribute read_attribute(ByteReader& in) {
  KeyAttribute attribute;
  attribute.name = in.text();
  attribute.kind = in.fixed<AttributeKind>();
  return attribute;
}

void write_schema(ByteWriter& out, const KeySchema& keys) {
  write_attribute(out, keys.hash);
  out.fixed<std::uint8_t>(keys.range.has_value());
  if (keys.range) write_attribute(out, *keys.range);
}
KeySchema read_schema(ByteReader& in) {
  KeySchema keys;
  keys.hash = read_attribute(in);
  if (in.fixed<std::uint8_t>()) keys.range = read_attribute(in);
  return keys;
}

void write_throughput(ByteWriter& out, const Throughput& throughput) {
  out.fixed(throughput.read_units);
  out.fixed(throughput.write_units);
}
Throughput read_throughput(ByteReader& in) {
  Throughput throughput;
  throughput.read_units = in.fixed<std::int64_t>();
  throughput.write_units = in.fixed<std::int64_t>();
  return throughput;
}

template <class Map>
void write_texts(ByteWriter& out, const Map& texts) {
  out.varint(texts.size());
  for (const auto& [name, text] : texts) {
    out.bytes(name);
    out.bytes(text);
  }
}
template <class Map>
void read_texts(ByteReader& in, Map& texts) {
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    texts[std::move(name)] = in.text();
  }
}

void write_index(ByteWriter& out, const IndexDefinition& index) {
  out.bytes(index.name);
  out.fixed(index.number);
  out.fixed<std::uint8_t>(index.is_global);
  out.fixed<std::uint8_t>(index.is_backfilling);
  write_schema(out, index.keys);
  out.fixed(index.projection);
  out.varint(index.included.size());
  for (const std::string& name : index.included) out.bytes(name);
  write_throughput(out, index.throughput);
}
IndexDefinition read_index(ByteReader& in) {
  IndexDefinition index;
  index.name = in.text();
  index.number = in.fixed<std::uint16_t>();
  index.is_global = in.fixed<std::uint8_t>() != 0;
  index.is_backfilling = in.fixed<std::uint8_t>() != 0;
  index.keys = read_schema(in);
  index.projection = in.fixed<ProjectionKind>();
  for (auto left = in.varint(); left > 0 && in.ok(); --left) index.included.push_back(in.text());
  index.throughput = read_throughput(in);
  return index;
}

void copy_attribute(const AttributeMap& item, const std::string& name, AttributeMap& out) {
  if (const auto found = item.find(name); found != item.end()) out.insert_or_assign(name, found->second);
}
void copy_keys(const AttributeMap& item, const KeySchema& keys, AttributeMap& out) {
  copy_attribute(item, keys.hash.name, out);
  if (keys.range) copy_attribute(item, keys.range->name, out);
}

}  // namespace

const IndexDefinition* TableDefinition::find_index(std::string_view index_name) const {
  const auto found = std::ranges::find(indexes, index_name, &IndexDefinition::name);
  return found == indexes.end() ? nullptr : &*found;
}

std::optional<AttributeKind> TableDefinition::kind_of(std::string_view attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &KeyAttribute::name);
  if (found == attributes.end()) return std::nullopt;
  return found->kind;
}

AttributeMap index_entry(const TableDefinition& table, const IndexDefinition& index, const AttributeMap& item) {
  if (index.projection == ProjectionKind::kAll) return item;
  AttributeMap out = key_attributes(table, &index, item);
  if (index.projection == ProjectionKind::kInclude)
    for (const std::string& name : index.included) copy_attribute(item, name, out);
  return out;
}

AttributeMap key_attributes(const TableDefinition& table, const IndexDefinition* index, const AttributeMap& item) {
  AttributeMap out;
  copy_keys(item, table.keys, out);
  if (index) copy_keys(item, index->keys, out);
  return out;
}

std::string definition_bytes(const TableDefinition& table) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kFormat);
  out.fixed(table.id);
  out.bytes(table.account);
  out.bytes(table.region);
  out.bytes(table.name);
  out.bytes(table.uuid);
  out.fixed(to_micros(table.created));
  write_schema(out, table.keys);
  out.varint(table.attributes.size());
  for (const KeyAttribute& attribute : table.attributes) write_attribute(out, attribute);
  out.varint(table.indexes.size());
  for (const IndexDefinition& index : table.indexes) write_index(out, index);
  out.fixed(table.next_index_number);
  out.fixed<std::uint8_t>(table.is_on_demand);
  write_throughput(out, table.throughput);
  out.bytes(table.expiry_attribute);
  out.fixed<std::uint8_t>(table.is_deletion_protected);
  write_texts(out, table.tags);
  write_texts(out, table.settings);
  return bytes;
}

std::optional<TableDefinition> read_definition(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<std::uint8_t>() != kFormat) return std::nullopt;
  TableDefinition table;
  table.id = in.fixed<std::uint64_t>();
  table.account = in.text();
  table.region = in.text();
  table.name = in.text();
  table.uuid = in.text();
  table.created = from_micros(in.fixed<std::int64_t>());
  table.keys = read_schema(in);
  for (auto left = in.varint(); left > 0 && in.ok(); --left) table.attributes.push_back(read_attribute(in));
  for (auto left = in.varint(); left > 0 && in.ok(); --left) table.indexes.push_back(read_index(in));
  table.next_index_number = in.fixed<std::uint16_t>();
  table.is_on_demand = in.fixed<std::uint8_t>() != 0;
  table.throughput = read_throughput(in);
  table.expiry_attribute = in.text();
  table.is_deletion_protected = in.fixed<std::uint8_t>() != 0;
  read_texts(in, table.tags);
  read_texts(in, table.settings);
  if (!in.ok()) return std::nullopt;
  return table;
}

}  // namespace reef::table
