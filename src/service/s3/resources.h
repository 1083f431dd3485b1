// The CloudFormation types that S3 owns.
#pragma once

#include "aws/resource.h"

namespace reef::s3::resources {

extern const aws::ResourceType kBucket;        // AWS::S3::Bucket
extern const aws::ResourceType kBucketPolicy;  // AWS::S3::BucketPolicy

}  // namespace reef::s3::resources
