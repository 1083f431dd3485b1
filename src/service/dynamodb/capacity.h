// Consumed capacity and item collection metrics, as replies report them.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
#pragma once

#include "service/dynamodb/dynamodb.h"

namespace reef::dynamodb {

double read_units(std::size_t bytes, bool consistent);
double write_units(std::size_t bytes);

// Sums of one table's reads and writes within a request.
struct Consumption {
  table::TablePtr table;
  double table_units = 0;
  std::map<std::uint16_t, double> index_units;  // by index number

  // `times` is 2 in transactions.
  void add_write(const table::Written& written, double times = 1);
  // As the metrics of the table and its indexes.
  enum class Direction { kRead, kWrite };
  void publish(metrics::Counters& counters, Direction direction) const;
  // Nothing unless `wanted` (ReturnConsumedCapacity) asks for it. `is_transaction` adds read and write units apart.
  enum class Sort { kPlain, kTransactionRead, kTransactionWrite };
  std::optional<model::ConsumedCapacity> report(const std::optional<std::string>& wanted, Sort sort = Sort::kPlain) const;
};

// Only for tables with local indexes, when asked for.
std::optional<model::ItemCollectionMetrics> collection_metrics(const table::TableDefinition& table, const AttributeMap& item,
                                                               const std::optional<std::string>& wanted);

}  // namespace reef::dynamodb
