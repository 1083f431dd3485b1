// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html
#include "service/dynamodb/description.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {

Task<Reply<model::UpdateTimeToLiveOutput>> update_time_to_live(Dynamodb& dynamodb, const model::UpdateTimeToLiveInput& in,
                                                               const Call& call) {
  const table::TablePtr table = CO_TRY(find_table_by_name(dynamodb, call, in.table_name));
  const model::TimeToLiveSpecification& wanted = in.time_to_live_specification;
  if (wanted.attribute_name.empty()) co_return Err(invalid("TimeToLiveSpecification.AttributeName must not be empty"));
  auto changed = co_await dynamodb.tables.change(
      table->account, table->region, table->name, [&wanted](table::TableDefinition& definition) -> std::string {
        std::string& now = definition.expiry_attribute;
        if (wanted.enabled && now == wanted.attribute_name) return "TimeToLive is already enabled";
        if (!wanted.enabled && now.empty()) return "TimeToLive is already disabled";
        if (!now.empty() && now != wanted.attribute_name)
          return "TimeToLive is active on a different AttributeName: current AttributeName is " + now;
        now = wanted.enabled ? wanted.attribute_name : "";
        return {};
      });
  if (!changed && changed.error().why == table::Refusal::kNoSuchTable) co_return Err(no_such_table(table->name));
  if (!changed) co_return Err(to_error(std::move(changed).error()));
  co_return model::UpdateTimeToLiveOutput{.time_to_live_specification = wanted};
}

Task<Reply<model::DescribeTimeToLiveOutput>> describe_time_to_live(Dynamodb& dynamodb,
                                                                   const model::DescribeTimeToLiveInput& in,
                                                                   const Call& call) {
  const table::TablePtr table = CO_TRY(find_table_by_name(dynamodb, call, in.table_name));
  model::TimeToLiveDescription description{.time_to_live_status = "DISABLED"};
  if (!table->expiry_attribute.empty())
    description = {.time_to_live_status = "ENABLED", .attribute_name = table->expiry_attribute};
  co_return model::DescribeTimeToLiveOutput{.time_to_live_description = std::move(description)};
}

}  // namespace reef::dynamodb::operations
