// The CloudFormation types that DynamoDB owns.
#pragma once

#include "aws/resource.h"

namespace reef::dynamodb::resources {

extern const aws::ResourceType kTable;  // AWS::DynamoDB::Table

}  // namespace reef::dynamodb::resources
