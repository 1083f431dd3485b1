// The CloudFormation types that SQS owns.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
#pragma once

#include "aws/resource.h"

namespace reef::service::sqs::resources {

extern const aws::ResourceType kQueue;        // AWS::SQS::Queue
extern const aws::ResourceType kQueuePolicy;  // AWS::SQS::QueuePolicy

}  // namespace reef::service::sqs::resources
