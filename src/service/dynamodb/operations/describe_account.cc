// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html
#include "service/dynamodb/errors.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {

Task<Reply<model::DescribeLimitsOutput>> describe_limits(Dynamodb& dynamodb, const model::DescribeLimitsInput& in,
                                                         const Call& call) {
  co_return model::DescribeLimitsOutput{.account_max_read_capacity_units = 80000,
                                        .account_max_write_capacity_units = 80000,
                                        .table_max_read_capacity_units = 40000,
                                        .table_max_write_capacity_units = 40000};
}

Task<Reply<model::DescribeEndpointsOutput>> describe_endpoints(Dynamodb& dynamodb, const model::DescribeEndpointsInput& in,
                                                               const Call& call) {
  // The address without its scheme, as AWS gives it.
  std::string address = call.endpoint;
  if (const auto scheme = address.find("://"); scheme != address.npos) address.erase(0, scheme + 3);
  co_return model::DescribeEndpointsOutput{.endpoints = {{.address = std::move(address), .cache_period_in_minutes = 1440}}};
}

Task<Reply<model::DescribeContinuousBackupsOutput>> describe_continuous_backups(
    Dynamodb& dynamodb, const model::DescribeContinuousBackupsInput& in, const Call& call) {
  const auto table = find_table(dynamodb, call, in.table_name);
  if (!table)
    co_return Err(aws::Error("TableNotFoundException",
                             "Table not found: " + parse_table_name(call, in.table_name).name, 400));
  model::ContinuousBackupsDescription description{.continuous_backups_status = "ENABLED"};
  description.point_in_time_recovery_description = {.point_in_time_recovery_status = "DISABLED"};
  co_return model::DescribeContinuousBackupsOutput{.continuous_backups_description = std::move(description)};
}

}  // namespace reef::dynamodb::operations
