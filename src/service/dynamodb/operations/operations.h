// DynamoDB's handlers, one for each operation that is served.
#pragma once

#include "service/dynamodb/dynamodb.h"

namespace reef::dynamodb {

class Expressions;

namespace operations {

#define REEF_DYNAMODB_OPERATION(function, Name) \
  Task<Reply<model::Name##Output>> function(Dynamodb& dynamodb, const model::Name##Input& in, const Call& call)
REEF_DYNAMODB_OPERATION(batch_get_item, BatchGetItem);
REEF_DYNAMODB_OPERATION(batch_write_item, BatchWriteItem);
REEF_DYNAMODB_OPERATION(create_table, CreateTable);
REEF_DYNAMODB_OPERATION(delete_item, DeleteItem);
REEF_DYNAMODB_OPERATION(delete_table, DeleteTable);
REEF_DYNAMODB_OPERATION(describe_continuous_backups, DescribeContinuousBackups);
REEF_DYNAMODB_OPERATION(describe_endpoints, DescribeEndpoints);
REEF_DYNAMODB_OPERATION(describe_limits, DescribeLimits);
REEF_DYNAMODB_OPERATION(describe_table, DescribeTable);
REEF_DYNAMODB_OPERATION(describe_time_to_live, DescribeTimeToLive);
REEF_DYNAMODB_OPERATION(get_item, GetItem);
REEF_DYNAMODB_OPERATION(list_tables, ListTables);
REEF_DYNAMODB_OPERATION(list_tags_of_resource, ListTagsOfResource);
REEF_DYNAMODB_OPERATION(put_item, PutItem);
REEF_DYNAMODB_OPERATION(query, Query);
REEF_DYNAMODB_OPERATION(scan, Scan);
REEF_DYNAMODB_OPERATION(tag_resource, TagResource);
REEF_DYNAMODB_OPERATION(transact_get_items, TransactGetItems);
REEF_DYNAMODB_OPERATION(transact_write_items, TransactWriteItems);
REEF_DYNAMODB_OPERATION(untag_resource, UntagResource);
REEF_DYNAMODB_OPERATION(update_item, UpdateItem);
REEF_DYNAMODB_OPERATION(update_table, UpdateTable);
REEF_DYNAMODB_OPERATION(update_time_to_live, UpdateTimeToLive);
#undef REEF_DYNAMODB_OPERATION

// What an update may write and reach into; update_item.cc. Transactions check the same.
Reply<void> check_update(const table::TableDefinition& table, const Expressions& expressions);

}  // namespace operations
}  // namespace reef::dynamodb
