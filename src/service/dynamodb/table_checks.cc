// CreateTable's rules, in the order that AWS reports them.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "service/dynamodb/description.h"

namespace reef::dynamodb {
namespace {

constexpr std::int64_t kUnitsMax = 1'000'000'000'000;
constexpr std::size_t kLocalIndexesMax = 5, kGlobalIndexesMax = 20, kIncludedMax = 100;
constexpr const char* kInvalid = "One or more parameter values were invalid: ";

using Attributes = std::vector<table::KeyAttribute>;

std::string names_of(const Attributes& attributes) {
  std::vector<std::string> names;
  for (const table::KeyAttribute& attribute : attributes) names.push_back(attribute.name);
  return join(names, ", ");
}
std::string names_of(const std::vector<model::KeySchemaElement>& schema) {
  std::vector<std::string> names;
  for (const model::KeySchemaElement& element : schema) names.push_back(element.attribute_name);
  return join(names, ", ");
}

const table::KeyAttribute* find_attribute(const Attributes& attributes, const std::string& name) {
  const auto found = std::ranges::find(attributes, name, &table::KeyAttribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

Reply<table::KeySchema> make_keys(const std::vector<model::KeySchemaElement>& schema, const Attributes& attributes) {
  if (schema.empty()) return Err(invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
  for (const model::KeySchemaElement& element : schema)
    if (!find_attribute(attributes, element.attribute_name))
      return Err(invalid(fmt::format("{}Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], "
                                     "AttributeDefinitions: [{}]", kInvalid, names_of(schema), names_of(attributes))));
  if (schema.size() > 1 && schema[0].attribute_name == schema[1].attribute_name)
    return Err(invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name"));
  if (schema[0].key_type != "HASH")
    return Err(invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
  if (schema.size() > 1 && schema[1].key_type != "RANGE")
    return Err(invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
  table::KeySchema keys{.hash = *find_attribute(attributes, schema[0].attribute_name), .range = std::nullopt};
  if (schema.size() > 1) keys.range = *find_attribute(attributes, schema[1].attribute_name);
  return keys;
}

Reply<void> set_projection(const model::Projection& in, table::IndexDefinition& index) {
  if (!in.projection_type) return Err(invalid(std::string(kInvalid) + "Unknown ProjectionType: null"));
  const std::string& type = *in.projection_type;
  if (in.non_key_attributes && type != "INCLUDE")
    return Err(invalid(fmt::format("{}ProjectionType is {}, but NonKeyAttributes is specified", kInvalid, type)));
  if (!in.non_key_attributes && type == "INCLUDE")
    return Err(invalid(fmt::format("{}ProjectionType is INCLUDE, but NonKeyAttributes is not specified", kInvalid)));
  index.projection = type == "ALL"         ? table::ProjectionKind::kAll
                     : type == "KEYS_ONLY" ? table::ProjectionKind::kKeysOnly
                                           : table::ProjectionKind::kInclude;
  if (in.non_key_attributes) index.included = *in.non_key_attributes;
  return {};
}

Reply<void> check_billing(const model::CreateTableInput& in) {
  if (in.billing_mode == "PAY_PER_REQUEST") {
    if (in.provisioned_throughput)
      return Err(invalid(std::string(kInvalid) + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                                                 "BillingMode is PAY_PER_REQUEST"));
    return {};
  }
  if (!in.provisioned_throughput)
    return Err(invalid(std::string(kInvalid) + "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
                                               "BillingMode is PROVISIONED"));
  return check_throughput_bounds(*in.provisioned_throughput);
}

Reply<void> add_local(const model::LocalSecondaryIndex& in, table::TableDefinition& table) {
  table::IndexDefinition index;
  index.name = in.index_name;
  index.keys = TRY(make_keys(in.key_schema, table.attributes));
  if (!index.keys.range)
    return Err(invalid(fmt::format("{}Index KeySchema does not have a range key for index: {}", kInvalid, in.index_name)));
  if (index.keys.hash.name != table.keys.hash.name)
    return Err(invalid(fmt::format("{}Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                                   "{}. index hash key: {}, table hash key: {}",
                                   kInvalid, in.index_name, index.keys.hash.name, table.keys.hash.name)));
  TRY(set_projection(in.projection, index));
  table.indexes.push_back(std::move(index));
  return {};
}

Reply<void> add_indexes(const model::CreateTableInput& in, table::TableDefinition& table) {
  std::set<std::string> names;
  const auto check_name = [&](const std::string& name) -> Reply<void> {
    if (!names.insert(name).second) return Err(invalid(fmt::format("{}Duplicate index name: {}", kInvalid, name)));
    return {};
  };
  if (in.local_secondary_indexes) {
    if (in.local_secondary_indexes->empty())
      return Err(invalid(std::string(kInvalid) + "List of LocalSecondaryIndexes is empty"));
    if (!table.keys.range)
      return Err(invalid(std::string(kInvalid) + "Table KeySchema does not have a range key, which is required when "
                                                 "specifying a LocalSecondaryIndex"));
    for (const auto& index : *in.local_secondary_indexes) {
      TRY(add_local(index, table));
      TRY(check_name(index.index_name));
    }
    if (in.local_secondary_indexes->size() > kLocalIndexesMax)
      return Err(invalid(std::string(kInvalid) + "Number of LocalSecondaryIndexes exceeds per-table limit of 5"));
  }
  if (in.global_secondary_indexes) {
    if (in.global_secondary_indexes->empty())
      return Err(invalid(std::string(kInvalid) + "List of GlobalSecondaryIndexes is empty"));
    for (const auto& index : *in.global_secondary_indexes) {
      table.indexes.push_back(TRY(make_global_index(index, table.attributes, table.is_on_demand)));
      TRY(check_name(index.index_name));
    }
    if (in.global_secondary_indexes->size() > kGlobalIndexesMax)
      return Err(invalid(std::string(kInvalid) + "GlobalSecondaryIndex count exceeds the per-table limit of 20"));
  }
  std::size_t included = 0;
  for (const table::IndexDefinition& index : table.indexes) included += index.included.size();
  if (included > kIncludedMax)
    return Err(invalid(fmt::format("{}Total number of NonKeyAttributes across all index projections exceeds limit of {}",
                                   kInvalid, kIncludedMax)));
  return {};
}

Reply<void> check_all_attributes_used(const table::TableDefinition& table) {
  std::set<std::string> used;
  const auto use = [&](const table::KeySchema& keys) {
    used.insert(keys.hash.name);
    if (keys.range) used.insert(keys.range->name);
  };
  use(table.keys);
  for (const table::IndexDefinition& index : table.indexes) use(index.keys);
  if (used.size() == table.attributes.size()) return {};
  if (table.indexes.empty())
    return Err(invalid(std::string(kInvalid) + "Number of attributes in KeySchema does not exactly match number of "
                                               "attributes defined in AttributeDefinitions"));
  return Err(invalid(fmt::format("{}Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
                                 kInvalid, names_of(table.attributes),
                                 join(std::vector<std::string>(used.begin(), used.end()), ", "))));
}

Reply<void> check_name(const std::string& name) {
  if (name.size() < 3 || name.size() > 255)
    return Err(invalid("TableName must be at least 3 characters long and at most 255 characters long"));
  const bool fits = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
  if (fits) return {};
  return Err(invalid(fmt::format("1 validation error detected: Value '{}' at 'tableName' failed to satisfy constraint: Member "
                                 "must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", name)));
}

}  // namespace

std::vector<table::KeyAttribute> to_attributes(const std::vector<model::AttributeDefinition>& in) {
  Attributes out;
  for (const model::AttributeDefinition& attribute : in)
    out.push_back({attribute.attribute_name, attribute_kind_from_name(attribute.attribute_type)});
  return out;
}

Reply<void> check_throughput_bounds(const model::ProvisionedThroughput& throughput) {
  if (throughput.read_capacity_units > kUnitsMax)
    return Err(invalid(fmt::format("Given value {} for ReadCapacityUnits is out of bounds", throughput.read_capacity_units)));
  if (throughput.write_capacity_units > kUnitsMax)
    return Err(invalid(fmt::format("Given value {} for WriteCapacityUnits is out of bounds", throughput.write_capacity_units)));
  return {};
}

Reply<table::IndexDefinition> make_global_index(const model::GlobalSecondaryIndex& in, const Attributes& attributes,
                                                bool is_on_demand) {
  table::IndexDefinition index;
  index.name = in.index_name;
  index.is_global = true;
  index.keys = TRY(make_keys(in.key_schema, attributes));
  TRY(set_projection(in.projection, index));
  if (is_on_demand && in.provisioned_throughput)
    return Err(invalid(fmt::format("{}ProvisionedThroughput should not be specified for index: {} when BillingMode is "
                                   "PAY_PER_REQUEST", kInvalid, in.index_name)));
  if (!is_on_demand && !in.provisioned_throughput)
    return Err(invalid(fmt::format("{}ProvisionedThroughput must be specified for index: {}", kInvalid, in.index_name)));
  if (in.provisioned_throughput) {
    TRY(check_throughput_bounds(*in.provisioned_throughput));
    index.throughput = {in.provisioned_throughput->read_capacity_units, in.provisioned_throughput->write_capacity_units};
  }
  return index;
}

Reply<void> check_supported(const model::CreateTableInput& in) {
  if (in.stream_specification && in.stream_specification->stream_enabled)
    return Err(aws::not_implemented("DynamoDB Streams (StreamSpecification)"));
  if (in.resource_policy) return Err(aws::not_implemented("A table's ResourcePolicy"));
  if (in.global_table_source_arn || in.global_table_settings_replication_mode)
    return Err(aws::not_implemented("A global table's settings replication"));
  return {};
}

Reply<table::TableDefinition> make_definition(const model::CreateTableInput& in, const Call& call) {
  const TableName name = parse_table_name(call, in.table_name);
  TRY(check_name(name.name));
  if (!in.key_schema || !in.attribute_definitions)
    return Err(invalid(fmt::format("1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must "
                                   "not be null", in.key_schema ? "attributeDefinitions" : "keySchema")));
  if (in.key_schema->empty() || in.key_schema->size() > 2)
    return Err(invalid(fmt::format("1 validation error detected: Value '{}' at 'keySchema' failed to satisfy constraint: "
                                   "Member must have length {}", names_of(*in.key_schema),
                                   in.key_schema->empty() ? "greater than or equal to 1" : "less than or equal to 2")));
  TRY(check_billing(in));
  table::TableDefinition table;
  table.account = name.account;
  table.region = name.region;
  table.name = name.name;
  table.uuid = make_uuid(thread_random());
  table.created = call.now;
  table.attributes = to_attributes(*in.attribute_definitions);
  if (in.key_schema->size() > table.attributes.size())
    return Err(invalid("Invalid KeySchema: Some index key attribute have no definition"));
  table.keys = TRY(make_keys(*in.key_schema, table.attributes));
  table.is_on_demand = in.billing_mode == "PAY_PER_REQUEST";
  TRY(add_indexes(in, table));
  TRY(check_all_attributes_used(table));
  TRY(check_supported(in));
  if (in.provisioned_throughput)
    table.throughput = {in.provisioned_throughput->read_capacity_units, in.provisioned_throughput->write_capacity_units};
  if (table.is_on_demand) table.settings[setting::kOnDemandSince] = std::to_string(to_millis(call.now));
  if (in.table_class) table.settings[setting::kTableClass] = *in.table_class;
  if (in.sse_specification && in.sse_specification->enabled.value_or(false))
    table.settings[setting::kEncryptionKey] = in.sse_specification->kms_master_key_id.value_or(
        fmt::format("arn:aws:kms:{}:{}:alias/aws/dynamodb", table.region, table.account));
  if (in.on_demand_throughput) {
    if (in.on_demand_throughput->max_read_request_units)
      table.settings[setting::kMaxReads] = std::to_string(*in.on_demand_throughput->max_read_request_units);
    if (in.on_demand_throughput->max_write_request_units)
      table.settings[setting::kMaxWrites] = std::to_string(*in.on_demand_throughput->max_write_request_units);
  }
  table.is_deletion_protected = in.deletion_protection_enabled.value_or(false);
  if (in.tags)
    for (const model::Tag& tag : *in.tags) table.tags[tag.key] = tag.value;
  return table;
}

}  // namespace reef::dynamodb
