// The CloudFormation types that Application Auto Scaling owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::applicationautoscaling::resources {

extern const aws::ResourceType kScalableTarget, kScalingPolicy;

}  // namespace reef::service::applicationautoscaling::resources
