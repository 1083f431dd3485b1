// Tables as DescribeTable shows them, and table definitions from what CreateTable and UpdateTable ask for.
#pragma once

#include "service/dynamodb/errors.h"

namespace reef::dynamodb {

// Names of the settings that TableDefinition::settings holds for this service.
namespace setting {
inline constexpr const char* kTableClass = "table_class";
inline constexpr const char* kTableClassSince = "table_class_since";       // milliseconds
inline constexpr const char* kOnDemandSince = "on_demand_since";           // milliseconds
inline constexpr const char* kBillingShown = "billing_shown";              // "1" once a billing mode was named
inline constexpr const char* kIncreasedAt = "throughput_increased_at";     // milliseconds
inline constexpr const char* kDecreasedAt = "throughput_decreased_at";     // milliseconds
inline constexpr const char* kEncryptionKey = "encryption_key";            // ARN; present when KMS was asked for
inline constexpr const char* kMaxReads = "on_demand_reads_max";
inline constexpr const char* kMaxWrites = "on_demand_writes_max";
inline constexpr const char* kExpiryAttribute = "expiry_attribute";        // kept while expiry is disabled
}  // namespace setting

model::TableDescription describe(const Dynamodb& dynamodb, const table::TableDefinition& table, const char* status);

// Checks a CreateTable request whole and makes its definition.
Reply<table::TableDefinition> make_definition(const model::CreateTableInput& in, const Call& call);

// One global index, checked against the attributes. `names` are those of the other indexes.
Reply<table::IndexDefinition> make_global_index(const model::GlobalSecondaryIndex& in,
                                                const std::vector<table::KeyAttribute>& attributes, bool is_on_demand);
Reply<void> check_throughput_bounds(const model::ProvisionedThroughput& throughput);
std::vector<table::KeyAttribute> to_attributes(const std::vector<model::AttributeDefinition>& in);

// Refuses by name what is not served: streams, replicas and the like.
Reply<void> check_supported(const model::CreateTableInput& in);

}  // namespace reef::dynamodb
