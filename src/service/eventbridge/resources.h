// The CloudFormation types that EventBridge owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::eventbridge::resources {

extern const aws::ResourceType kRule, kEventBus, kEventBusPolicy, kArchive, kConnection, kApiDestination;

}  // namespace reef::service::eventbridge::resources
