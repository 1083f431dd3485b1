#include "service/dynamodb/item_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/table/values.h"
#include "service/dynamodb/expressions.h"

namespace reef::dynamodb {
namespace {

constexpr std::size_t kHashBytesMax = 2048, kRangeBytesMax = 1024;
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-partition-sort-keys

std::string_view empty_kind(const AttributeValue& value) { return value.is(AttributeKind::kString) ? "string" : "binary"; }

std::string check_key_bytes(const AttributeValue& value, bool is_hash) {
  if (value.is(AttributeKind::kNumber)) return {};
  if (is_hash && value.text().size() > kHashBytesMax)
    return "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes";
  if (!is_hash && value.text().size() > kRangeBytesMax)
    return "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of "
           "1024 bytes";
  return {};
}

bool is_empty_text(const AttributeValue& value) { return !value.is(AttributeKind::kNumber) && value.text().empty(); }

std::string check_item_key(const AttributeMap& item, const table::KeyAttribute& attribute, bool is_hash) {
  const auto found = item.find(attribute.name);
  if (found == item.end())
    return fmt::format("One or more parameter values were invalid: Missing the key {} in the item", attribute.name);
  const AttributeValue& value = found->second;
  if (!value.is(attribute.kind))
    return fmt::format("One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {}",
                       attribute.name, attribute_kind_name(attribute.kind), value.kind_name());
  if (is_empty_text(value))
    return fmt::format("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                       "an empty {} value. Key: {}", empty_kind(value), attribute.name);
  return check_key_bytes(value, is_hash);
}

std::string check_key_attribute(const AttributeMap& key, const table::KeyAttribute& attribute, bool is_hash) {
  const auto found = key.find(attribute.name);
  if (found == key.end() || !found->second.is(attribute.kind))
    return "The provided key element does not match the schema";
  if (is_empty_text(found->second))
    return fmt::format("One or more parameter values were invalid: The AttributeValue for a key attribute cannot contain "
                       "an empty {} value. Key: {}", empty_kind(found->second), attribute.name);
  return check_key_bytes(found->second, is_hash);
}

}  // namespace

Reply<void> check_item(const table::TableDefinition& table, const AttributeMap& item) {
  if (std::string fault = check_item_key(item, table.keys.hash, true); !fault.empty()) return as_reply(std::move(fault));
  if (!table.keys.range) return {};
  return as_reply(check_item_key(item, *table.keys.range, false));
}

Reply<void> check_key(const table::KeySchema& keys, const AttributeMap& key) {
  if (key.size() != (keys.range ? 2u : 1u)) return as_reply("The provided key element does not match the schema");
  if (std::string fault = check_key_attribute(key, keys.hash, true); !fault.empty()) return as_reply(std::move(fault));
  if (!keys.range) return {};
  return as_reply(check_key_attribute(key, *keys.range, false));
}

Reply<void> check_attributes(const AttributeMap& values) { return as_reply(table::check_values(values)); }

Reply<void> check_update_targets(const table::TableDefinition& table, const std::vector<std::string>& names) {
  const table::KeyAttribute* attributes[] = {&table.keys.hash, table.keys.range ? &*table.keys.range : nullptr};
  for (const table::KeyAttribute* attribute : attributes)
    if (attribute && std::ranges::find(names, attribute->name) != names.end())
      return Err(invalid(fmt::format("One or more parameter values were invalid: Cannot update attribute {}. This attribute "
                                     "is part of the key", attribute->name)));
  return {};
}

Reply<void> check_nested_heads(const table::TableDefinition& table, const std::set<std::string, std::less<>>& heads) {
  if (heads.empty()) return {};
  const auto refuse = [](const char* what, const std::string& name) {
    return Err(invalid(fmt::format("Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
                                   "allowed: {}: {}", what, name)));
  };
  if (heads.contains(table.keys.hash.name)) return refuse("Key", table.keys.hash.name);
  if (table.keys.range && heads.contains(table.keys.range->name)) return refuse("Key", table.keys.range->name);
  for (const table::IndexDefinition& index : table.indexes) {
    if (heads.contains(index.keys.hash.name)) return refuse("IndexKey", index.keys.hash.name);
    if (index.keys.range && heads.contains(index.keys.range->name)) return refuse("IndexKey", index.keys.range->name);
  }
  return {};
}

Reply<void> check_paths(const table::TableDefinition& table, const Expressions& expressions) {
  std::set<std::string, std::less<>> heads;
  if (expressions.condition) table::collect_nested_heads(*expressions.condition, heads);
  if (expressions.projection) table::collect_nested_heads(*expressions.projection, heads);
  if (expressions.filter) table::collect_nested_heads(*expressions.filter, heads);
  return check_nested_heads(table, heads);
}

const AttributeMap* canonical(const AttributeMap& item, AttributeMap& storage) {
  for (const auto& [name, value] : item) {
    if (table::has_canonical_numbers(value)) continue;
    storage = item;
    table::canonicalise(storage);
    return &storage;
  }
  return &item;
}

}  // namespace reef::dynamodb
