// The CloudFormation types that CloudWatch owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::cloudwatch::resources {

extern const aws::ResourceType kAlarm, kCompositeAlarm, kDashboard;

}  // namespace reef::service::cloudwatch::resources
