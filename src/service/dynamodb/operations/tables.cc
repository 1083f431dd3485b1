// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html
#include <fmt/format.h>

#include "service/dynamodb/description.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {

Task<Reply<model::CreateTableOutput>> create_table(Dynamodb& dynamodb, const model::CreateTableInput& in, const Call& call) {
  table::TableDefinition definition = CO_TRY(make_definition(in, call));
  const std::string name = definition.name;
  auto created = co_await dynamodb.tables.create(std::move(definition));
  if (!created && created.error().why == table::Refusal::kTableExists)
    co_return Err(aws::Error(model::errors::kResourceInUseException, "Table already exists: " + name));
  if (!created) co_return Err(to_error(std::move(created).error()));
  model::CreateTableOutput out;
  // Usable at once; the reply says CREATING as AWS's does, and clients then wait for ACTIVE.
  out.table_description = describe(dynamodb, **created, "CREATING");
  if (out.table_description->global_secondary_indexes)
    for (auto& index : *out.table_description->global_secondary_indexes) index.index_status = "CREATING";
  co_return out;
}

Task<Reply<model::DescribeTableOutput>> describe_table(Dynamodb& dynamodb, const model::DescribeTableInput& in,
                                                       const Call& call) {
  const table::TablePtr table = CO_TRY(find_table_by_name(dynamodb, call, in.table_name));
  co_return model::DescribeTableOutput{.table = describe(dynamodb, *table, "ACTIVE")};
}

Task<Reply<model::DeleteTableOutput>> delete_table(Dynamodb& dynamodb, const model::DeleteTableInput& in, const Call& call) {
  const table::TablePtr table = CO_TRY(find_table_by_name(dynamodb, call, in.table_name));
  model::DeleteTableOutput out;
  out.table_description = describe(dynamodb, *table, "DELETING");
  auto removed = co_await dynamodb.tables.remove(table->account, table->region, table->name);
  if (!removed && removed.error().why == table::Refusal::kTableProtected)
    co_return Err(invalid(fmt::format("Resource cannot be deleted as it is currently protected against deletion. Disable "
                                      "deletion protection first.")));
  if (!removed) co_return Err(no_such_table(table->name));
  // What a table that is going away no longer shows.
  out.table_description->attribute_definitions.reset();
  out.table_description->key_schema.reset();
  out.table_description->creation_date_time.reset();
  co_return out;
}

Task<Reply<model::ListTablesOutput>> list_tables(Dynamodb& dynamodb, const model::ListTablesInput& in, const Call& call) {
  const std::size_t limit = static_cast<std::size_t>(in.limit.value_or(100));
  model::ListTablesOutput out;
  auto names = dynamodb.tables.list(call.account, call.region, in.exclusive_start_table_name.value_or(""), limit + 1);
  if (names.size() > limit) {
    names.resize(limit);
    out.last_evaluated_table_name = names.back();
  }
  out.table_names = std::move(names);
  co_return out;
}

}  // namespace reef::dynamodb::operations
