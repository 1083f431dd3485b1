// The operations that CloudWatch serves.
#pragma once

#include "service/cloudwatch/cloudwatch.h"

namespace reef::service::cloudwatch::operations {

#define CLOUDWATCH_OPERATIONS(V) V(PutMetricData) V(GetMetricData) V(GetMetricStatistics) V(ListMetrics)
#define CLOUDWATCH_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Cloudwatch& service, const model::Name##Input& in, const Call& call);
CLOUDWATCH_OPERATIONS(CLOUDWATCH_OPERATION)
#undef CLOUDWATCH_OPERATION

}  // namespace reef::service::cloudwatch::operations
