// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
#include <unordered_set>

#include "engine/table/evaluate.h"
#include "engine/table/item.h"
#include "service/dynamodb/capacity.h"
#include "service/dynamodb/expressions.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

constexpr std::size_t kBatchGetKeysMax = 100;
constexpr std::size_t kBatchGetBytesMax = 16u << 20;

}  // namespace

Task<Reply<model::BatchGetItemOutput>> batch_get_item(Dynamodb& dynamodb, const model::BatchGetItemInput& in,
                                                      const Call& call) {
  std::size_t keys = 0;
  std::map<std::string_view, std::unique_ptr<Expressions>> expressions;
  std::map<std::string_view, table::TablePtr> tables;
  for (const auto& [name, wanted] : in.request_items) {
    CO_TRY(check_mixing({{"ProjectionExpression", wanted.projection_expression.has_value()}},
                        {{"AttributesToGet", wanted.attributes_to_get.has_value()}},
                        wanted.expression_attribute_names.has_value(), false));
    auto& parsed = expressions[name] = std::make_unique<Expressions>(wanted.expression_attribute_names, std::nullopt);
    CO_TRY(parsed->take_attributes(wanted.attributes_to_get));
    if (wanted.projection_expression) CO_TRY(parsed->parse({.projection = &wanted.projection_expression}));
    std::unordered_set<std::string> seen;
    for (const AttributeMap& key : wanted.keys) {
      CO_TRY(check_attributes(key));
      if (!seen.insert(table::item_bytes(key)).second)
        co_return Err(invalid("Provided list of item keys contains duplicates"));
      if (++keys > kBatchGetKeysMax) co_return Err(invalid("Too many items requested for the BatchGetItem call"));
    }
  }
  for (const auto& [name, wanted] : in.request_items) {
    const table::TablePtr table = CO_TRY(find_table(dynamodb, call, name));
    tables[name] = table;
    for (const AttributeMap& key : wanted.keys) CO_TRY(check_key(table->keys, key));
  }
  model::BatchGetItemOutput out;
  out.responses.emplace();
  out.unprocessed_keys.emplace();
  std::size_t bytes = 0;
  for (const auto& [name, wanted] : in.request_items) {
    const table::TablePtr& table = tables[name];
    auto& items = (*out.responses)[name];
    Consumption consumption{.table = table};
    for (const AttributeMap& key : wanted.keys) {
      if (bytes > kBatchGetBytesMax) {  // the reply is full: the caller asks again for the rest
        auto [rest, is_new] = out.unprocessed_keys->try_emplace(name, wanted);
        if (is_new) rest->second.keys.clear();
        rest->second.keys.push_back(key);
        continue;
      }
      auto item = dynamodb.tables.get(*table, key);
      const std::size_t size = item ? item_size(*item) : 0;
      bytes += size;
      consumption.table_units += read_units(size, wanted.consistent_read.value_or(false));
      if (!item) continue;
      const table::Projection* projection = expressions[name]->projection_or_null();
      items.push_back(projection ? table::project(*item, *projection) : *std::move(item));
    }
    consumption.publish(dynamodb.counters, Consumption::Direction::kRead);
    if (auto report = consumption.report(in.return_consumed_capacity)) {
      if (!out.consumed_capacity) out.consumed_capacity.emplace();
      out.consumed_capacity->push_back(*std::move(report));
    }
  }
  co_return out;
}

}  // namespace reef::dynamodb::operations
