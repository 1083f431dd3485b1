// The resource types that CloudFormation itself owns.
#pragma once

#include "aws/resource.h"

namespace reef::cloudformation::resources {

extern const aws::ResourceType kStack;                // AWS::CloudFormation::Stack: a stack inside a stack
extern const aws::ResourceType kCustomResource;       // AWS::CloudFormation::CustomResource and every Custom::Name
extern const aws::ResourceType kWaitCondition;        // AWS::CloudFormation::WaitCondition
extern const aws::ResourceType kCdkMetadata;          // AWS::CDK::Metadata: what the CDK says of the constructs it used
extern const aws::ResourceType kWaitConditionHandle;  // AWS::CloudFormation::WaitConditionHandle
extern const aws::ResourceType kMacro;                // AWS::CloudFormation::Macro

}  // namespace reef::cloudformation::resources
