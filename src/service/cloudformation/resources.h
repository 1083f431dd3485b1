// The resource types that CloudFormation itself owns.
#pragma once

#include "aws/resource.h"

namespace reef::cloudformation::resources {

extern const aws::ResourceType kStack;                // AWS::CloudFormation::Stack: a stack inside a stack
extern const aws::ResourceType kWaitConditionHandle;  // AWS::CloudFormation::WaitConditionHandle

}  // namespace reef::cloudformation::resources
