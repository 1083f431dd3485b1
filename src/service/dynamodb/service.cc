// DynamoDB: what it serves, and nothing else.
#include "aws/service.h"
#include "service/dynamodb/operations/operations.h"
#include "service/dynamodb/resources.h"

namespace reef::dynamodb {
namespace {

const aws::ServiceDefinition& definition() {
  using aws::serve;
  namespace ops = model::ops;
  static const aws::ServiceDefinition kDefinition{
      .model = &model::kModel,
      .placement = aws::Placement::kAnyLoop,
      .operations = {serve<operations::batch_get_item>(ops::kBatchGetItem),
                     serve<operations::batch_write_item>(ops::kBatchWriteItem),
                     serve<operations::create_table>(ops::kCreateTable),
                     serve<operations::delete_item>(ops::kDeleteItem),
                     serve<operations::delete_table>(ops::kDeleteTable),
                     serve<operations::describe_continuous_backups>(ops::kDescribeContinuousBackups),
                     serve<operations::describe_endpoints>(ops::kDescribeEndpoints),
                     serve<operations::describe_limits>(ops::kDescribeLimits),
                     serve<operations::describe_table>(ops::kDescribeTable),
                     serve<operations::describe_time_to_live>(ops::kDescribeTimeToLive),
                     serve<operations::get_item>(ops::kGetItem),
                     serve<operations::list_tables>(ops::kListTables),
                     serve<operations::list_tags_of_resource>(ops::kListTagsOfResource),
                     serve<operations::put_item>(ops::kPutItem),
                     serve<operations::query>(ops::kQuery),
                     serve<operations::scan>(ops::kScan),
                     serve<operations::tag_resource>(ops::kTagResource),
                     serve<operations::transact_get_items>(ops::kTransactGetItems),
                     serve<operations::transact_write_items>(ops::kTransactWriteItems),
                     serve<operations::untag_resource>(ops::kUntagResource),
                     serve<operations::update_item>(ops::kUpdateItem),
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
                                                              dynamodb::Dynamodb{parts.get<table::Tables>()});
}

}  // namespace reef::service
