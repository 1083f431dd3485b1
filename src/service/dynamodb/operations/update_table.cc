// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "service/dynamodb/description.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

std::string check_update_request(const model::UpdateTableInput& in) {
  const bool has_indexes = in.global_secondary_index_updates && !in.global_secondary_index_updates->empty();
  if (!in.provisioned_throughput && !in.billing_mode && !has_indexes && !in.sse_specification && !in.table_class &&
      !in.deletion_protection_enabled && !in.stream_specification && !in.on_demand_throughput && !in.replica_updates &&
      !in.warm_throughput)
    return "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
           "SSESpecification or ReplicaUpdates is required";
  if (in.billing_mode == "PROVISIONED" && !in.provisioned_throughput)
    return "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED";
  if (in.provisioned_throughput)
    if (auto checked = check_throughput_bounds(*in.provisioned_throughput); !checked) return checked.error().message;
  if (!has_indexes) return {};
  std::set<std::string> names;
  for (const model::GlobalSecondaryIndexUpdate& update : *in.global_secondary_index_updates) {
    if (!update.create && !update.update && !update.delete_)
      return "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, "
             "GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null";
    const std::string& name = update.update   ? update.update->index_name
                              : update.create ? update.create->index_name
                                              : update.delete_->index_name;
    if (!names.insert(name).second)
      return "One or more parameter values were invalid: Only one global secondary index update per index is allowed "
             "simultaneously. Index: " + name;
  }
  return {};
}

std::string unchanged(const table::Throughput& now, const model::ProvisionedThroughput& wanted) {
  return fmt::format(
      "The provisioned throughput for the table will not change. The requested value equals the current value. Current "
      "ReadCapacityUnits provisioned for the table: {}. Requested ReadCapacityUnits: {}. Current WriteCapacityUnits "
      "provisioned for the table: {}. Requested WriteCapacityUnits: {}. Refer to the Amazon DynamoDB Developer Guide for "
      "current limits and how to request higher limits.",
      now.read_units, wanted.read_capacity_units, now.write_units, wanted.write_capacity_units);
}

std::string update_throughput(const model::UpdateTableInput& in, Time now, table::TableDefinition& table) {
  const bool will_be_on_demand = in.billing_mode ? *in.billing_mode == "PAY_PER_REQUEST" : table.is_on_demand;
  const std::string millis = std::to_string(to_millis(now));
  if (in.provisioned_throughput && will_be_on_demand)
    return "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
           "BillingMode is PAY_PER_REQUEST";
  if (in.provisioned_throughput) {
    const auto& wanted = *in.provisioned_throughput;
    const bool same = wanted.read_capacity_units == table.throughput.read_units &&
                      wanted.write_capacity_units == table.throughput.write_units;
    if (same && !in.billing_mode) return unchanged(table.throughput, wanted);
    if (wanted.read_capacity_units > table.throughput.read_units || wanted.write_capacity_units > table.throughput.write_units)
      table.settings[setting::kIncreasedAt] = millis;
    if (wanted.read_capacity_units < table.throughput.read_units || wanted.write_capacity_units < table.throughput.write_units)
      table.settings[setting::kDecreasedAt] = millis;
    table.throughput = {wanted.read_capacity_units, wanted.write_capacity_units};
  }
  if (will_be_on_demand != table.is_on_demand) {
    table.settings[setting::kBillingShown] = "1";
    if (will_be_on_demand) {
      table.settings[setting::kOnDemandSince] = millis;
      table.throughput = {};
      for (table::IndexDefinition& index : table.indexes) index.throughput = {};
    }
    table.is_on_demand = will_be_on_demand;
  }
  return {};
}

std::string no_such_index(const std::string& name) { return "Requested resource not found: Index: " + name + " not found"; }

std::string update_indexes(const model::UpdateTableInput& in, table::TableDefinition& table) {
  if (!in.global_secondary_index_updates) return {};
  for (const model::GlobalSecondaryIndexUpdate& update : *in.global_secondary_index_updates) {
    if (update.create) {
      const auto& create = *update.create;
      if (table.find_index(create.index_name))
        return "Attempting to create an index which already exists";
      std::vector<table::KeyAttribute> attributes = table.attributes;
      if (in.attribute_definitions)
        for (const table::KeyAttribute& attribute : to_attributes(*in.attribute_definitions)) {
          const auto known = std::ranges::find(attributes, attribute.name, &table::KeyAttribute::name);
          if (known == attributes.end())
            attributes.push_back(attribute);
          else if (known->kind != attribute.kind)
            return "One or more parameter values were invalid: Attribute type cannot be changed: " + attribute.name;
        }
      auto index = make_global_index({.index_name = create.index_name,
                                      .key_schema = create.key_schema,
                                      .projection = create.projection,
                                      .provisioned_throughput = create.provisioned_throughput},
                                     attributes, table.is_on_demand);
      if (!index) return index.error().message;
      table.attributes = std::move(attributes);
      table.indexes.push_back(*std::move(index));
    } else if (update.delete_) {
      if (std::erase_if(table.indexes, [&](const auto& index) {
            return index.is_global && index.name == update.delete_->index_name;
          }) == 0)
        return no_such_index(update.delete_->index_name);
    } else {
      const auto found = std::ranges::find_if(table.indexes, [&](const auto& index) {
        return index.is_global && index.name == update.update->index_name;
      });
      if (found == table.indexes.end()) return no_such_index(update.update->index_name);
      if (const auto& wanted = update.update->provisioned_throughput)
        found->throughput = {wanted->read_capacity_units, wanted->write_capacity_units};
    }
  }
  // Attributes that no key uses any more go.
  std::erase_if(table.attributes, [&](const table::KeyAttribute& attribute) {
    const auto in_keys = [&](const table::KeySchema& keys) {
      return keys.hash.name == attribute.name || (keys.range && keys.range->name == attribute.name);
    };
    return !in_keys(table.keys) && std::ranges::none_of(table.indexes, [&](const auto& index) { return in_keys(index.keys); });
  });
  return {};
}

void update_settings(const model::UpdateTableInput& in, Time now, table::TableDefinition& table) {
  if (in.deletion_protection_enabled) table.is_deletion_protected = *in.deletion_protection_enabled;
  if (in.table_class && table.settings[setting::kTableClass] != *in.table_class) {
    table.settings[setting::kTableClass] = *in.table_class;
    table.settings[setting::kTableClassSince] = std::to_string(to_millis(now));
  }
  if (in.sse_specification) {
    if (in.sse_specification->enabled.value_or(false))
      table.settings[setting::kEncryptionKey] = in.sse_specification->kms_master_key_id.value_or(
          fmt::format("arn:aws:kms:{}:{}:alias/aws/dynamodb", table.region, table.account));
    else
      table.settings.erase(setting::kEncryptionKey);
  }
  if (in.on_demand_throughput) {
    const auto set = [&](const char* name, const std::optional<std::int64_t>& value) {
      if (value && *value >= 0) table.settings[name] = std::to_string(*value);
      if (value && *value < 0) table.settings.erase(name);
    };
    set(setting::kMaxReads, in.on_demand_throughput->max_read_request_units);
    set(setting::kMaxWrites, in.on_demand_throughput->max_write_request_units);
  }
}

}  // namespace

Task<Reply<model::UpdateTableOutput>> update_table(Dynamodb& dynamodb, const model::UpdateTableInput& in, const Call& call) {
  if (std::string fault = check_update_request(in); !fault.empty()) co_return Err(invalid(std::move(fault)));
  if (in.stream_specification && in.stream_specification->stream_enabled)
    co_return Err(aws::not_implemented("DynamoDB Streams (StreamSpecification)"));
  if (in.replica_updates || in.global_table_witness_updates)
    co_return Err(aws::not_implemented("A global table's replicas (ReplicaUpdates)"));
  const table::TablePtr table = CO_TRY(find_table_by_name(dynamodb, call, in.table_name));
  const Time now = call.now;
  auto changed = co_await dynamodb.tables.change(
      table->account, table->region, table->name, [&in, now](table::TableDefinition& definition) {
        std::string fault = update_throughput(in, now, definition);
        if (fault.empty()) fault = update_indexes(in, definition);
        if (fault.empty()) update_settings(in, now, definition);
        return fault;
      });
  if (!changed && changed.error().detail.starts_with("Requested resource not found"))
    co_return Err(aws::Error(model::errors::kResourceNotFoundException, std::move(changed.error().detail)));
  if (!changed && changed.error().why == table::Refusal::kNoSuchTable) co_return Err(no_such_table(table->name));
  if (!changed) co_return Err(to_error(std::move(changed).error()));
  model::UpdateTableOutput out{.table_description = describe(dynamodb, **changed, "UPDATING")};
  if (!in.billing_mode) {  // while it updates, AWS shows the throughput that was
    out.table_description->provisioned_throughput->read_capacity_units = table->throughput.read_units;
    out.table_description->provisioned_throughput->write_capacity_units = table->throughput.write_units;
  }
  co_return out;
}

}  // namespace reef::dynamodb::operations
