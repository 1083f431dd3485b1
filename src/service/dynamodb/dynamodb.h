// What DynamoDB's handlers may touch.
#pragma once

#include "aws/call.h"
#include "aws/caller.h"
#include "aws/error.h"
#include "aws/models/dynamodb.h"
#include "aws/unmodelled_errors.h"
#include "base/task.h"
#include "engine/metrics/counters.h"
#include "engine/table/tables.h"

namespace reef::dynamodb {

namespace model = aws::dynamodb;
using aws::Call;
using aws::Reply;

struct Dynamodb {
  table::Tables& tables;
  metrics::Counters& counters;
  void start() { tables.start(); }
  void stop() { tables.stop(); }
  void reset() { tables.reset(); }
};

// The table of a TableName parameter, which may also be a table's ARN.
struct TableName {
  std::string account, region, name;
};
TableName parse_table_name(const Call& call, std::string_view name_or_arn);
// "Requested resource not found", as operations on items say it.
Reply<table::TablePtr> find_table(const Dynamodb& dynamodb, const Call& call, std::string_view name_or_arn);
// "Requested resource not found: Table: x not found", as operations on tables say it.
Reply<table::TablePtr> find_table_by_name(const Dynamodb& dynamodb, const Call& call, std::string_view name_or_arn);
// The table of a ResourceArn parameter.
Reply<table::TablePtr> find_table_by_arn(const Dynamodb& dynamodb, std::string_view arn);

std::string table_arn(const table::TableDefinition& table);

}  // namespace reef::dynamodb
