// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
#include <fmt/format.h>

#include <deque>
#include <unordered_set>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/text.h"
#include "engine/table/evaluate.h"
#include "engine/table/item.h"
#include "service/dynamodb/capacity.h"
#include "service/dynamodb/expressions.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

constexpr std::size_t kTransactionBytesMax = 4u << 20;

// One action of a transaction with all that its pointers point into.
struct Action {
  Action(const Names& names, const Values& values) : expressions(names, values) {}
  Expressions expressions;
  AttributeMap storage;
  table::Write write;
  bool wants_item = false;
};

// What the four kinds of actions have in common.
struct Parts {
  table::Write::Kind kind;
  const std::string* table_name;
  const AttributeMap* item;
  const Text* update;
  const Text* condition;
  const Names* names;
  const Values* values;
  const Text* on_failure;
};

std::optional<Parts> parts_of(const model::TransactWriteItem& item, Text& update_storage, Text& condition_storage) {
  using Kind = table::Write::Kind;
  const int given = item.put.has_value() + item.update.has_value() + item.delete_.has_value() + item.condition_check.has_value();
  if (given != 1) return std::nullopt;
  if (item.put) {
    const model::Put& put = *item.put;
    return Parts{Kind::kPut, &put.table_name, &put.item, nullptr, &put.condition_expression, &put.expression_attribute_names,
                 &put.expression_attribute_values, &put.return_values_on_condition_check_failure};
  }
  if (item.update) {
    const model::Update& update = *item.update;
    update_storage = update.update_expression;
    return Parts{Kind::kUpdate, &update.table_name, &update.key, &update_storage, &update.condition_expression,
                 &update.expression_attribute_names, &update.expression_attribute_values,
                 &update.return_values_on_condition_check_failure};
  }
  if (item.delete_) {
    const model::Delete& erase = *item.delete_;
    return Parts{Kind::kDelete, &erase.table_name, &erase.key, nullptr, &erase.condition_expression,
                 &erase.expression_attribute_names, &erase.expression_attribute_values,
                 &erase.return_values_on_condition_check_failure};
  }
  const model::ConditionCheck& check = *item.condition_check;
  condition_storage = check.condition_expression;
  return Parts{Kind::kCheck, &check.table_name, &check.key, nullptr, &condition_storage, &check.expression_attribute_names,
               &check.expression_attribute_values, &check.return_values_on_condition_check_failure};
}

// What makes one action the same as another: requests with the same token must not differ.
void append_fingerprint(const Parts& parts, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(parts.kind);
  writer.bytes(*parts.table_name);
  writer.bytes(table::item_bytes(*parts.item));
  for (const Text* text : {parts.update, parts.condition, parts.on_failure}) writer.bytes(text && *text ? **text : "");
  if (*parts.names)
    for (const auto& [key, name] : **parts.names) {
      writer.bytes(key);
      writer.bytes(name);
    }
  writer.bytes(*parts.values ? table::item_bytes(**parts.values) : std::string());
}

// Checks one action and appends it.
Reply<void> prepare(Dynamodb& dynamodb, const Call& call, const Parts& parts, std::deque<Action>& actions) {
  Action& action = actions.emplace_back(*parts.names, *parts.values);
  const bool has_update = parts.update && *parts.update;
  TRY(check_mixing({{"UpdateExpression", has_update}, {"ConditionExpression", parts.condition->has_value()}}, {},
                   parts.names->has_value(), parts.values->has_value()));
  TRY(check_attributes(*parts.item));
  if (has_update || *parts.condition) TRY(action.expressions.parse({.update = parts.update, .condition = parts.condition}));
  action.write.table = TRY(find_table(dynamodb, call, *parts.table_name));
  const table::TableDefinition& table = *action.write.table;
  if (parts.kind == table::Write::Kind::kPut) {
    TRY(check_item(table, *parts.item));
    if (item_size(*parts.item) > table::kItemBytesMax) return Err(invalid("Item size has exceeded the maximum allowed size"));
  } else {
    TRY(check_key(table.keys, *parts.item));
  }
  TRY(check_update(table, action.expressions));
  action.write.kind = parts.kind;
  action.write.item = canonical(*parts.item, action.storage);
  action.write.condition = action.expressions.condition_or_null();
  action.write.update = action.expressions.update ? &*action.expressions.update : nullptr;
  action.wants_item = *parts.on_failure == "ALL_OLD";
  return {};
}

aws::Error cancelled_error(table::Tables::Cancelled cancelled, const std::deque<Action>& actions) {
  std::vector<std::string> codes;
  wire::Json reasons = wire::Json::array();
  for (std::size_t i = 0; i < cancelled.reasons.size(); ++i) {
    auto& refused = cancelled.reasons[i];
    wire::Json reason = wire::Json::object();
    if (!refused) {
      codes.emplace_back("None");
      reason.set("Code", "None");
      reasons.push_back(std::move(reason));
      continue;
    }
    std::string code = "ValidationError";
    if (refused->why == table::Refusal::kConditionFailed) code = "ConditionalCheckFailed";
    if (refused->why == table::Refusal::kConflict) code = "TransactionConflict";
    if (refused->item && actions[i].wants_item) reason.set("Item", item_json(*refused->item));
    reason.set("Code", code);
    reason.set("Message", to_error(*std::move(refused), false, actions[i].write.kind == table::Write::Kind::kUpdate).message);
    codes.push_back(std::move(code));
    reasons.push_back(std::move(reason));
  }
  aws::Error error(model::errors::kTransactionCanceledException,
                   fmt::format("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                               join(codes, ", ")));
  error.fields.set("CancellationReasons", std::move(reasons));
  return error;
}

}  // namespace

Task<Reply<model::TransactWriteItemsOutput>> transact_write_items(Dynamodb& dynamodb, const model::TransactWriteItemsInput& in,
                                                                  const Call& call) {
  std::deque<Action> actions;
  std::deque<Text> texts;
  std::unordered_set<std::string> seen;
  std::size_t bytes = 0;
  std::string fingerprint;
  for (const model::TransactWriteItem& item : in.transact_items) {
    Text& update_text = texts.emplace_back();
    Text& condition_text = texts.emplace_back();
    const auto parts = parts_of(item, update_text, condition_text);
    if (!parts)
      co_return Err(invalid("TransactItems can only contain one of Check, Put, Update or Delete"));
    CO_TRY(prepare(dynamodb, call, *parts, actions));
    append_fingerprint(*parts, fingerprint);
    const table::Write& write = actions.back().write;
    bytes += item_size(*write.item);
    if (!seen.insert(table::item_key(write.table->id, write.table->keys, *write.item)).second)
      co_return Err(invalid("Transaction request cannot include multiple operations on one item"));
  }
  if (bytes > kTransactionBytesMax) co_return Err(invalid("Member must have length less than or equal to 4 MB"));
  const std::string token = in.client_request_token.value_or("");
  std::vector<table::Write> writes;
  for (const Action& action : actions) writes.push_back(action.write);
  std::optional<table::Tables::Token> once;
  if (!token.empty())
    once = table::Tables::Token{fmt::format("{}/{}/{}", call.account, call.region, token), sha256(fingerprint)};
  auto done = co_await dynamodb.tables.transact(std::move(writes), std::move(once));
  if (!done) {
    if (done.error().token_reused)
      co_return Err(aws::Error(model::errors::kIdempotentParameterMismatchException,
                               "The specified idempotent token has been used with different request parameters."));
    co_return Err(cancelled_error(std::move(done).error(), actions));
  }
  model::TransactWriteItemsOutput out;
  std::map<std::string_view, Consumption> consumption;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const table::TableDefinition& table = *actions[i].write.table;
    Consumption& sum = consumption[table.name];
    sum.table = actions[i].write.table;
    if (i < done->size()) sum.add_write((*done)[i], 2);
    if (auto metrics = collection_metrics(table, *actions[i].write.item, in.return_item_collection_metrics)) {
      if (!out.item_collection_metrics) out.item_collection_metrics.emplace();
      (*out.item_collection_metrics)[table.name].push_back(*std::move(metrics));
    }
  }
  for (const auto& [name, sum] : consumption) {
    sum.publish(dynamodb.counters, Consumption::Direction::kWrite);
    if (auto report = sum.report(in.return_consumed_capacity, Consumption::Sort::kTransactionWrite)) {
      if (!out.consumed_capacity) out.consumed_capacity.emplace();
      out.consumed_capacity->push_back(*std::move(report));
    }
  }
  co_return out;
}

Task<Reply<model::TransactGetItemsOutput>> transact_get_items(Dynamodb& dynamodb, const model::TransactGetItemsInput& in,
                                                              const Call& call) {
  std::deque<Expressions> expressions;
  std::vector<std::pair<table::TablePtr, const AttributeMap*>> keys;
  for (const model::TransactGetItem& wanted : in.transact_items) {
    const model::Get& get = wanted.get;
    CO_TRY(check_mixing({{"ProjectionExpression", get.projection_expression.has_value()}}, {},
                        get.expression_attribute_names.has_value(), false));
    CO_TRY(check_attributes(get.key));
    Expressions& parsed = expressions.emplace_back(get.expression_attribute_names, std::nullopt);
    if (get.projection_expression) CO_TRY(parsed.parse({.projection = &get.projection_expression}));
    table::TablePtr table = CO_TRY(find_table(dynamodb, call, get.table_name));
    CO_TRY(check_key(table->keys, get.key));
    keys.emplace_back(std::move(table), &get.key);
  }
  auto items = dynamodb.tables.get_all(keys);
  model::TransactGetItemsOutput out;
  out.responses.emplace();
  std::map<std::string_view, Consumption> consumption;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Consumption& sum = consumption[keys[i].first->name];
    sum.table = keys[i].first;
    sum.table_units += 2 * read_units(items[i] ? item_size(*items[i]) : 0, true);
    model::ItemResponse& response = out.responses->emplace_back();
    if (!items[i]) continue;
    const table::Projection* projection = expressions[i].projection_or_null();
    response.item = projection ? table::project(*items[i], *projection) : *std::move(items[i]);
  }
  for (const auto& [name, sum] : consumption) {
    sum.publish(dynamodb.counters, Consumption::Direction::kRead);
    if (auto report = sum.report(in.return_consumed_capacity, Consumption::Sort::kTransactionRead)) {
      if (!out.consumed_capacity) out.consumed_capacity.emplace();
      out.consumed_capacity->push_back(*std::move(report));
    }
  }
  co_return out;
}

}  // namespace reef::dynamodb::operations
