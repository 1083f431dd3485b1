// The CloudFormation types that Secrets Manager owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::secretsmanager::resources {

extern const aws::ResourceType kSecret, kRotationSchedule, kResourcePolicy, kSecretTargetAttachment;

}  // namespace reef::service::secretsmanager::resources
