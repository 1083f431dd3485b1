// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
#include <fmt/format.h>

#include "engine/table/evaluate.h"
#include "engine/table/expression_reader.h"
#include "service/dynamodb/capacity.h"
#include "service/dynamodb/expressions.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

// The paths that an update writes.
table::Projection updated_paths(const Expressions& expressions) {
  table::Projection paths;
  if (expressions.update)
    for (const table::UpdateAction& action : *expressions.update) paths.push_back(action.path);
  for (const table::AttributeChange& change : expressions.changes) paths.push_back({{.name = change.name}});
  return paths;
}

std::optional<AttributeMap> updated_attributes(const std::optional<std::string>& wanted, table::Written& written,
                                               const table::Projection& paths) {
  std::optional<AttributeMap> out;
  if (wanted == "ALL_OLD") return std::move(written.before);
  if (wanted == "ALL_NEW") return std::move(written.after);
  if (wanted == "UPDATED_OLD" && written.before) out = table::project(*written.before, paths);
  if (wanted == "UPDATED_NEW" && written.after) out = table::project(*written.after, paths);
  if (out && out->empty()) out.reset();
  return out;
}

// Attributes that are set to a value whose type the request tells already.
std::vector<std::pair<std::string, AttributeKind>> known_kinds(const Expressions& expressions) {
  std::vector<std::pair<std::string, AttributeKind>> out;
  if (expressions.update)
    for (const table::UpdateAction& action : *expressions.update)
      if (action.kind != table::UpdateAction::Kind::kRemove && action.path.size() == 1)
        if (const auto kind = table::known_kind(action.value)) out.emplace_back(action.path.front().name, *kind);
  for (const table::AttributeChange& change : expressions.changes)
    if (change.value) out.emplace_back(change.name, change.value->kind());
  return out;
}

Reply<void> check_index_kinds(const table::TableDefinition& table, const Expressions& expressions) {
  if (table.indexes.empty()) return {};
  const auto kinds = known_kinds(expressions);
  for (const table::IndexDefinition& index : table.indexes) {
    const table::KeyAttribute* attributes[] = {&index.keys.hash, index.keys.range ? &*index.keys.range : nullptr};
    for (const table::KeyAttribute* attribute : attributes)
      for (const auto& [name, kind] : kinds)
        if (attribute && name == attribute->name && kind != attribute->kind)
          return Err(invalid(fmt::format("One or more parameter values were invalid: Type mismatch for Index Key {} Expected: "
                                         "{} Actual: {} IndexName: {}",
                                         name, attribute_kind_name(attribute->kind), attribute_kind_name(kind), index.name)));
  }
  return {};
}

}  // namespace

Reply<void> check_update(const table::TableDefinition& table, const Expressions& expressions) {
  std::vector<std::string> targets;
  std::set<std::string, std::less<>> nested;
  for (const table::Path& path : updated_paths(expressions)) {
    targets.push_back(path.front().name);
    if (path.size() > 1) nested.insert(path.front().name);
  }
  TRY(check_update_targets(table, targets));
  TRY(check_index_kinds(table, expressions));
  if (expressions.condition) table::collect_nested_heads(*expressions.condition, nested);
  return check_nested_heads(table, nested);
}

Task<Reply<model::UpdateItemOutput>> update_item(Dynamodb& dynamodb, const model::UpdateItemInput& in, const Call& call) {
  CO_TRY(check_mixing({{"UpdateExpression", in.update_expression.has_value()},
                       {"ConditionExpression", in.condition_expression.has_value()}},
                      {{"AttributeUpdates", in.attribute_updates.has_value()},
                       {"Expected", in.expected.has_value()},
                       {"ConditionalOperator", in.conditional_operator.has_value()}},
                      in.expression_attribute_names.has_value(), in.expression_attribute_values.has_value()));
  CO_TRY(check_attributes(in.key));
  Expressions expressions(in.expression_attribute_names, in.expression_attribute_values);
  CO_TRY(expressions.take_updates(in.attribute_updates));
  CO_TRY(expressions.take_expected(in.expected, in.conditional_operator));
  if (in.update_expression || in.condition_expression)
    CO_TRY(expressions.parse({.update = &in.update_expression, .condition = &in.condition_expression}));
  const table::TablePtr table = CO_TRY(find_table(dynamodb, call, in.table_name));
  CO_TRY(check_key(table->keys, in.key));
  CO_TRY(check_update(*table, expressions));
  AttributeMap storage;
  auto written = co_await dynamodb.tables.write({.kind = table::Write::Kind::kUpdate,
                                                 .table = table,
                                                 .item = canonical(in.key, storage),
                                                 .condition = expressions.condition_or_null(),
                                                 .update = expressions.update ? &*expressions.update : nullptr,
                                                 .changes = &expressions.changes});
  if (!written)
    co_return Err(to_error(std::move(written).error(), in.return_values_on_condition_check_failure == "ALL_OLD", true));
  model::UpdateItemOutput out;
  Consumption consumption{.table = table};
  consumption.add_write(*written);
  consumption.publish(dynamodb.counters, Consumption::Direction::kWrite);
  out.consumed_capacity = consumption.report(in.return_consumed_capacity);
  if (in.return_values) out.attributes = updated_attributes(in.return_values, *written, updated_paths(expressions));
  out.item_collection_metrics = collection_metrics(*table, in.key, in.return_item_collection_metrics);
  co_return out;
}

}  // namespace reef::dynamodb::operations
