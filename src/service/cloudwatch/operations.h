// The operations that CloudWatch serves.
#pragma once

#include "service/cloudwatch/state.h"

namespace reef::service::cloudwatch::operations {

#define CLOUDWATCH_OPERATIONS(V)                                                                                            \
  V(PutMetricData) V(GetMetricData) V(GetMetricStatistics) V(ListMetrics) V(PutMetricAlarm) V(PutCompositeAlarm)            \
  V(DescribeAlarms) V(DescribeAlarmsForMetric) V(DescribeAlarmHistory) V(SetAlarmState) V(DeleteAlarms)                     \
  V(EnableAlarmActions) V(DisableAlarmActions) V(PutDashboard) V(GetDashboard) V(ListDashboards) V(DeleteDashboards)        \
  V(TagResource) V(UntagResource) V(ListTagsForResource)
#define CLOUDWATCH_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Cloudwatch& service, const model::Name##Input& in, const Call& call);
CLOUDWATCH_OPERATIONS(CLOUDWATCH_OPERATION)
#undef CLOUDWATCH_OPERATION

}  // namespace reef::service::cloudwatch::operations

namespace reef::service::cloudwatch {
// {"body", "modified"}
std::optional<wire::Json> find_dashboard(const Call& call, std::string_view name);
}  // namespace reef::service::cloudwatch
