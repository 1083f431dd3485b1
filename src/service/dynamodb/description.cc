#include "service/dynamodb/description.h"

#include <algorithm>

#include "base/text.h"

namespace reef::dynamodb {
namespace {

std::optional<std::string> setting_of(const table::TableDefinition& table, std::string_view name) {
  const auto found = table.settings.find(name);
  if (found == table.settings.end()) return std::nullopt;
  return found->second;
}

std::optional<Time> time_setting(const table::TableDefinition& table, std::string_view name) {
  const auto text = setting_of(table, name);
  const auto millis = text ? parse_int(*text) : std::nullopt;
  if (!millis) return std::nullopt;
  return from_millis(*millis);
}

std::vector<model::KeySchemaElement> key_schema(const table::KeySchema& keys) {
  std::vector<model::KeySchemaElement> out = {{keys.hash.name, "HASH"}};
  if (keys.range) out.push_back({keys.range->name, "RANGE"});
  return out;
}

model::Projection projection(const table::IndexDefinition& index) {
  constexpr const char* kNames[] = {"ALL", "KEYS_ONLY", "INCLUDE"};
  model::Projection out{.projection_type = kNames[static_cast<int>(index.projection)]};
  if (index.projection == table::ProjectionKind::kInclude) out.non_key_attributes = index.included;
  return out;
}

model::ProvisionedThroughputDescription throughput(const table::Throughput& throughput) {
  return {.number_of_decreases_today = 0,
          .read_capacity_units = throughput.read_units,
          .write_capacity_units = throughput.write_units};
}

void describe_indexes(const table::TableDefinition& table, const std::string& arn, model::TableDescription& out) {
  for (const table::IndexDefinition& index : table.indexes) {
    const std::string index_arn = arn + "/index/" + index.name;
    if (!index.is_global) {
      if (!out.local_secondary_indexes) out.local_secondary_indexes.emplace();
      out.local_secondary_indexes->push_back({.index_name = index.name,
                                              .key_schema = key_schema(index.keys),
                                              .projection = projection(index),
                                              .index_size_bytes = 0,
                                              .item_count = 0,
                                              .index_arn = index_arn});
      continue;
    }
    if (!out.global_secondary_indexes) out.global_secondary_indexes.emplace();
    model::GlobalSecondaryIndexDescription description{.index_name = index.name,
                                                       .key_schema = key_schema(index.keys),
                                                       .projection = projection(index),
                                                       .index_status = index.is_backfilling ? "CREATING" : "ACTIVE",
                                                       .provisioned_throughput = throughput(index.throughput),
                                                       .index_size_bytes = 0,
                                                       .item_count = 0,
                                                       .index_arn = index_arn};
    if (index.is_backfilling) description.backfilling = true;
    out.global_secondary_indexes->push_back(std::move(description));
  }
}

}  // namespace

model::TableDescription describe(const Dynamodb& dynamodb, const table::TableDefinition& table, const char* status) {
  model::TableDescription out;
  out.attribute_definitions.emplace();
  for (const table::KeyAttribute& attribute : table.attributes)
    out.attribute_definitions->push_back({attribute.name, std::string(attribute_kind_name(attribute.kind))});
  out.table_name = table.name;
  out.key_schema = key_schema(table.keys);
  out.table_status = status;
  out.creation_date_time = table.created;
  out.provisioned_throughput = throughput(table.throughput);
  out.provisioned_throughput->last_increase_date_time = time_setting(table, setting::kIncreasedAt);
  out.provisioned_throughput->last_decrease_date_time = time_setting(table, setting::kDecreasedAt);
  const table::TableCounters counters = dynamodb.tables.counters(table);
  out.table_size_bytes = std::max<std::int64_t>(0, counters.bytes);
  out.item_count = std::max<std::int64_t>(0, counters.items);
  out.table_arn = table_arn(table);
  out.table_id = table.uuid;
  if (table.is_on_demand)
    out.billing_mode_summary = {.billing_mode = "PAY_PER_REQUEST",
                                .last_update_to_pay_per_request_date_time = time_setting(table, setting::kOnDemandSince)};
  else if (setting_of(table, setting::kBillingShown))
    out.billing_mode_summary = {.billing_mode = "PROVISIONED",
                                .last_update_to_pay_per_request_date_time = time_setting(table, setting::kOnDemandSince)};
  describe_indexes(table, *out.table_arn, out);
  if (const auto table_class = setting_of(table, setting::kTableClass))
    out.table_class_summary = {.table_class = *table_class,
                               .last_update_date_time = time_setting(table, setting::kTableClassSince)};
  if (const auto key = setting_of(table, setting::kEncryptionKey))
    out.sse_description = {.status = "ENABLED", .sse_type = "KMS", .kms_master_key_arn = *key};
  out.deletion_protection_enabled = table.is_deletion_protected;
  const auto reads = setting_of(table, setting::kMaxReads), writes = setting_of(table, setting::kMaxWrites);
  if (reads || writes)
    out.on_demand_throughput = {.max_read_request_units = parse_int(reads.value_or("-1")),
                                .max_write_request_units = parse_int(writes.value_or("-1"))};
  out.warm_throughput = {.read_units_per_second = table.is_on_demand ? 12000 : table.throughput.read_units,
                         .write_units_per_second = table.is_on_demand ? 4000 : table.throughput.write_units,
                         .status = "ACTIVE"};
  return out;
}

}  // namespace reef::dynamodb
