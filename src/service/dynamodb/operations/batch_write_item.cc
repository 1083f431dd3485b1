// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
#include <deque>
#include <unordered_set>

#include "service/dynamodb/capacity.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

constexpr std::size_t kBatchWritesMax = 25;

Reply<void> check_requests(const model::BatchWriteItemInput& in) {
  std::size_t count = 0;
  for (const auto& [name, requests] : in.request_items) {
    for (const model::WriteRequest& request : requests) {
      if (request.put_request.has_value() == request.delete_request.has_value())
        return Err(invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
                           "supported datatypes"));
      if (++count > kBatchWritesMax) return Err(invalid("Too many items requested for the BatchWriteItem call"));
      TRY(check_attributes(request.put_request ? request.put_request->item : request.delete_request->key));
      if (request.put_request && item_size(request.put_request->item) > table::kItemBytesMax)
        return Err(invalid("Item size has exceeded the maximum allowed size"));
    }
  }
  return {};
}

}  // namespace

Task<Reply<model::BatchWriteItemOutput>> batch_write_item(Dynamodb& dynamodb, const model::BatchWriteItemInput& in,
                                                          const Call& call) {
  CO_TRY(check_requests(in));
  struct Planned {
    const std::string* name;
    const model::WriteRequest* request;
    table::TablePtr table;
    AttributeMap storage;
  };
  std::deque<Planned> planned;
  std::unordered_set<std::string> seen;
  for (const auto& [name, requests] : in.request_items) {
    const table::TablePtr table = CO_TRY(find_table(dynamodb, call, name));
    for (const model::WriteRequest& request : requests) {
      if (request.put_request) {
        auto checked = check_item(*table, request.put_request->item);
        if (!checked && (checked.error().message.find("Missing the key") != std::string::npos ||
                         checked.error().message.find("Type mismatch for key") != std::string::npos))
          co_return Err(invalid("The provided key element does not match the schema"));
        CO_TRY(std::move(checked));
      }
      if (request.delete_request) CO_TRY(check_key(table->keys, request.delete_request->key));
      const AttributeMap& item = request.put_request ? request.put_request->item : request.delete_request->key;
      if (!seen.insert(table::item_key(table->id, table->keys, item)).second)
        co_return Err(invalid("Provided list of item keys contains duplicates"));
      planned.push_back({&name, &request, table, {}});
    }
  }
  // All at once: they share their shards' commits.
  std::vector<Task<Result<table::Written, table::Refused>>> running;
  for (Planned& one : planned) {
    const bool is_put = one.request->put_request.has_value();
    const AttributeMap& item = is_put ? one.request->put_request->item : one.request->delete_request->key;
    running.push_back(dynamodb.tables.write({.kind = is_put ? table::Write::Kind::kPut : table::Write::Kind::kDelete,
                                             .table = one.table,
                                             .item = canonical(item, one.storage)}));
  }
  model::BatchWriteItemOutput out;
  out.unprocessed_items.emplace();
  std::map<std::string_view, Consumption> consumption;
  std::optional<aws::Error> error;
  for (std::size_t i = 0; i < running.size(); ++i) {
    auto written = co_await running[i];
    const Planned& one = planned[i];
    if (written) {
      Consumption& sum = consumption[*one.name];
      sum.table = one.table;
      sum.add_write(*written);
      const AttributeMap& item =
          one.request->put_request ? one.request->put_request->item : one.request->delete_request->key;
      if (auto metrics = collection_metrics(*one.table, item, in.return_item_collection_metrics)) {
        if (!out.item_collection_metrics) out.item_collection_metrics.emplace();
        (*out.item_collection_metrics)[*one.name].push_back(*std::move(metrics));
      }
    } else if (written.error().why == table::Refusal::kConflict) {
      (*out.unprocessed_items)[*one.name].push_back(*one.request);
    } else {
      error = to_error(std::move(written).error());
    }
  }
  if (error) co_return Err(*std::move(error));
  for (const auto& [name, sum] : consumption) {
    sum.publish(dynamodb.counters, Consumption::Direction::kWrite);
    if (auto report = sum.report(in.return_consumed_capacity)) {
      if (!out.consumed_capacity) out.consumed_capacity.emplace();
      out.consumed_capacity->push_back(*std::move(report));
    }
  }
  co_return out;
}

}  // namespace reef::dynamodb::operations
