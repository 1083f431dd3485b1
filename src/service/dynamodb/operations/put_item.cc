// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
#include "service/dynamodb/capacity.h"
#include "service/dynamodb/expressions.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {

Task<Reply<model::PutItemOutput>> put_item(Dynamodb& dynamodb, const model::PutItemInput& in, const Call& call) {
  CO_TRY(check_mixing({{"ConditionExpression", in.condition_expression.has_value()}},
                      {{"Expected", in.expected.has_value()}, {"ConditionalOperator", in.conditional_operator.has_value()}},
                      in.expression_attribute_names.has_value(), in.expression_attribute_values.has_value()));
  CO_TRY(check_attributes(in.item));
  if (in.return_values && *in.return_values != "ALL_OLD" && *in.return_values != "NONE")
    co_return Err(invalid("ReturnValues can only be ALL_OLD or NONE"));
  if (item_size(in.item) > table::kItemBytesMax) co_return Err(invalid("Item size has exceeded the maximum allowed size"));
  Expressions expressions(in.expression_attribute_names, in.expression_attribute_values);
  CO_TRY(expressions.take_expected(in.expected, in.conditional_operator));
  if (in.condition_expression) CO_TRY(expressions.parse({.condition = &in.condition_expression}));
  const table::TablePtr table = CO_TRY(find_table(dynamodb, call, in.table_name));
  CO_TRY(check_item(*table, in.item));
  CO_TRY(check_paths(*table, expressions));
  AttributeMap storage;
  const bool wants_old = in.return_values == "ALL_OLD";
  auto written = co_await dynamodb.tables.write({.kind = table::Write::Kind::kPut,
                                                 .table = table,
                                                 .item = canonical(in.item, storage),
                                                 .condition = expressions.condition_or_null(),
                                                 .wants_before = wants_old});
  if (!written)
    co_return Err(to_error(std::move(written).error(), in.return_values_on_condition_check_failure == "ALL_OLD"));
  model::PutItemOutput out;
  if (wants_old) out.attributes = std::move(written->before);
  Consumption consumption{.table = table};
  consumption.add_write(*written);
  consumption.publish(dynamodb.counters, Consumption::Direction::kWrite);
  out.consumed_capacity = consumption.report(in.return_consumed_capacity);
  out.item_collection_metrics = collection_metrics(*table, in.item, in.return_item_collection_metrics);
  co_return out;
}

}  // namespace reef::dynamodb::operations
