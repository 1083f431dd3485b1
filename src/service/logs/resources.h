// The CloudFormation types that CloudWatch Logs owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::logs::resources {
extern const aws::ResourceType kLogGroup;   // AWS::Logs::LogGroup
extern const aws::ResourceType kLogStream;  // AWS::Logs::LogStream
}  // namespace reef::service::logs::resources
