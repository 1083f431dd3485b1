// DynamoDB: what it serves, and nothing else.
#include "aws/service.h"
#include "service/dynamodb/operations/operations.h"
#include "service/dynamodb/resources.h"

namespace reef::dynamodb {
namespace {

template <class In, class Out>
using Handler = Task<Reply<Out>> (*)(Dynamodb&, const In&, const Call&);

// A handler with the metrics of its table around it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
template <auto kHandler, class In, class Out>
Task<Reply<Out>> measure(Dynamodb& dynamodb, const In& in, const Call& call) {
  const std::int64_t began = io::monotonic_micros();
  Reply<Out> reply = co_await kHandler(dynamodb, in, call);
  const TableName name = parse_table_name(call, in.table_name);
  if (reply) {
    dynamodb.counters.add({name.account, name.region, "AWS/DynamoDB", {{"Operation", call.operation}, {"TableName", name.name}}},
                          {{"SuccessfulRequestLatency", static_cast<double>(io::monotonic_micros() - began) / 1000, metrics::Unit::kMilliseconds}});
    if constexpr (requires { reply->scanned_count; })
      dynamodb.counters.add({name.account, name.region, "AWS/DynamoDB", {{"Operation", call.operation}, {"TableName", name.name}}},
                            {{"ReturnedItemCount", static_cast<double>(reply->count.value_or(0))}});
  } else if (reply.error().code == "ConditionalCheckFailedException") {
    dynamodb.counters.add({name.account, name.region, "AWS/DynamoDB", {{"TableName", name.name}}}, {{"ConditionalCheckFailedRequests", 1}});
  } else if (reply.error().status >= 500) {
    dynamodb.counters.add({name.account, name.region, "AWS/DynamoDB", {{"Operation", call.operation}, {"TableName", name.name}}}, {{"SystemErrors", 1}});
  } else {
    dynamodb.counters.add({name.account, name.region, "AWS/DynamoDB", {}}, {{"UserErrors", 1}});
  }
  co_return reply;
}
template <auto kHandler>
struct Measured;
template <class In, class Out, Handler<In, Out> kHandler>
struct Measured<kHandler> {
  static constexpr Handler<In, Out> handler = measure<kHandler, In, Out>;
};
template <auto kHandler>
inline constexpr auto measured = Measured<kHandler>::handler;

const aws::ServiceDefinition& definition() {
  using aws::serve;
  namespace ops = model::ops;
  static const aws::ServiceDefinition kDefinition{
      .model = &model::kModel,
      .placement = aws::Placement::kAnyLoop,
      .operations = {serve<operations::batch_get_item>(ops::kBatchGetItem),
                     serve<operations::batch_write_item>(ops::kBatchWriteItem),
                     serve<operations::create_table>(ops::kCreateTable),
                     serve<measured<operations::delete_item>>(ops::kDeleteItem),
                     serve<operations::delete_table>(ops::kDeleteTable),
                     serve<operations::describe_continuous_backups>(ops::kDescribeContinuousBackups),
                     serve<operations::describe_endpoints>(ops::kDescribeEndpoints),
                     serve<operations::describe_limits>(ops::kDescribeLimits),
                     serve<operations::describe_table>(ops::kDescribeTable),
                     serve<operations::describe_time_to_live>(ops::kDescribeTimeToLive),
                     serve<measured<operations::get_item>>(ops::kGetItem),
                     serve<operations::list_tables>(ops::kListTables),
                     serve<operations::list_tags_of_resource>(ops::kListTagsOfResource),
                     serve<measured<operations::put_item>>(ops::kPutItem),
                     serve<measured<operations::query>>(ops::kQuery),
                     serve<measured<operations::scan>>(ops::kScan),
                     serve<operations::tag_resource>(ops::kTagResource),
                     serve<operations::transact_get_items>(ops::kTransactGetItems),
                     serve<operations::transact_write_items>(ops::kTransactWriteItems),
                     serve<operations::untag_resource>(ops::kUntagResource),
                     serve<measured<operations::update_item>>(ops::kUpdateItem),
                     serve<operations::update_table>(ops::kUpdateTable),
                     serve<operations::update_time_to_live>(ops::kUpdateTimeToLive)},
      .resources = {&resources::kTable},
  };
  return kDefinition;
}

}  // namespace
}  // namespace reef::dynamodb

namespace reef::service {

std::unique_ptr<aws::Service> make_dynamodb(Parts& parts) {
  return std::make_unique<aws::ServiceOf<dynamodb::Dynamodb>>(dynamodb::definition(),
                                                              dynamodb::Dynamodb{parts.get<table::Tables>(), parts.get<metrics::Counters>()});
}

}  // namespace reef::service
