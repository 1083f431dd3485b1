// The CloudFormation resource types that Lambda owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::lambda::resources {

extern const aws::ResourceType kFunction, kVersion, kAlias, kPermission, kUrl, kEventSourceMapping, kEventInvokeConfig,
    kLayerVersion, kLayerVersionPermission;

}  // namespace reef::service::lambda::resources
