#include "service/dynamodb/capacity.h"

#include <algorithm>

namespace reef::dynamodb {
namespace {

constexpr std::size_t kReadUnitBytes = 4096, kWriteUnitBytes = 1024;

model::Capacity capacity(double units, Consumption::Sort sort) {
  model::Capacity out{.capacity_units = units};
  if (sort == Consumption::Sort::kTransactionRead) out.read_capacity_units = units;
  if (sort == Consumption::Sort::kTransactionWrite) out.write_capacity_units = units;
  return out;
}

}  // namespace

double read_units(std::size_t bytes, bool consistent) {
  const double units = static_cast<double>(std::max<std::size_t>(1, (bytes + kReadUnitBytes - 1) / kReadUnitBytes));
  return consistent ? units : units / 2;
}

double write_units(std::size_t bytes) {
  return static_cast<double>(std::max<std::size_t>(1, (bytes + kWriteUnitBytes - 1) / kWriteUnitBytes));
}

void Consumption::add_write(const table::Written& written, double times) {
  table_units += times * write_units(std::max(written.before_bytes, written.after_bytes));
  for (const auto& [index, bytes] : written.index_bytes) index_units[index] += times * write_units(bytes);
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
void Consumption::publish(metrics::Counters& counters, Direction direction) const {
  const std::string_view name = direction == Direction::kRead ? "ConsumedReadCapacityUnits" : "ConsumedWriteCapacityUnits";
  double total = table_units;
  for (const table::IndexDefinition& index : table->indexes) {
    const auto found = index_units.find(index.number);
    if (found == index_units.end()) continue;
    // A local index's units are its table's.
    if (!index.is_global) total += found->second;
    else counters.add({table->account, table->region, "AWS/DynamoDB", {{"GlobalSecondaryIndexName", index.name}, {"TableName", table->name}}}, {{name, found->second}});
  }
  if (total > 0) counters.add({table->account, table->region, "AWS/DynamoDB", {{"TableName", table->name}}}, {{name, total}});
}

std::optional<model::ConsumedCapacity> Consumption::report(const std::optional<std::string>& wanted, Sort sort) const {
  if (!wanted || *wanted == "NONE") return std::nullopt;
  double total = table_units;
  for (const auto& [index, units] : index_units) total += units;
  model::ConsumedCapacity out{.table_name = table->name, .capacity_units = total};
  if (sort == Sort::kTransactionRead) out.read_capacity_units = total;
  if (sort == Sort::kTransactionWrite) out.write_capacity_units = total;
  if (*wanted != "INDEXES") return out;
  out.table = capacity(table_units, sort);
  for (const table::IndexDefinition& index : table->indexes) {
    const auto found = index_units.find(index.number);
    if (found == index_units.end()) continue;
    auto& group = index.is_global ? out.global_secondary_indexes : out.local_secondary_indexes;
    if (!group) group.emplace();
    group->emplace(index.name, capacity(found->second, sort));
  }
  return out;
}

std::optional<model::ItemCollectionMetrics> collection_metrics(const table::TableDefinition& table, const AttributeMap& item,
                                                               const std::optional<std::string>& wanted) {
  if (wanted != "SIZE") return std::nullopt;
  if (std::ranges::none_of(table.indexes, [](const auto& index) { return !index.is_global; })) return std::nullopt;
  model::ItemCollectionMetrics out;
  const auto hash = item.find(table.keys.hash.name);
  out.item_collection_key = AttributeMap{{hash->first, hash->second}};
  out.size_estimate_range_gb = std::vector<double>{0, 1};
  return out;
}

}  // namespace reef::dynamodb
