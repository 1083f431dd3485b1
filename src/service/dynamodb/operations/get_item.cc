// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
#include "engine/table/evaluate.h"
#include "service/dynamodb/capacity.h"
#include "service/dynamodb/expressions.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {

Task<Reply<model::GetItemOutput>> get_item(Dynamodb& dynamodb, const model::GetItemInput& in, const Call& call) {
  CO_TRY(check_mixing({{"ProjectionExpression", in.projection_expression.has_value()}},
                      {{"AttributesToGet", in.attributes_to_get.has_value()}}, in.expression_attribute_names.has_value(),
                      false));
  CO_TRY(check_attributes(in.key));
  Expressions expressions(in.expression_attribute_names, std::nullopt);
  if (in.projection_expression) CO_TRY(expressions.parse({.projection = &in.projection_expression}));
  CO_TRY(expressions.take_attributes(in.attributes_to_get));
  const table::TablePtr table = CO_TRY(find_table(dynamodb, call, in.table_name));
  CO_TRY(check_key(table->keys, in.key));
  CO_TRY(check_paths(*table, expressions));
  model::GetItemOutput out;
  out.item = dynamodb.tables.get(*table, in.key);
  Consumption consumption{.table = table};
  consumption.table_units = read_units(out.item ? item_size(*out.item) : 0, in.consistent_read.value_or(false));
  consumption.publish(dynamodb.counters, Consumption::Direction::kRead);
  out.consumed_capacity = consumption.report(in.return_consumed_capacity);
  if (out.item && expressions.projection) out.item = table::project(*out.item, *expressions.projection);
  co_return out;
}

}  // namespace reef::dynamodb::operations
