// The CloudFormation types of user pools.
#pragma once

#include "aws/resource.h"

namespace reef::service::cognito::resources {

extern const aws::ResourceType kUserPool, kUserPoolClient, kUserPoolDomain, kUserPoolGroup, kUserPoolResourceServer, kUserPoolUser, kUserPoolUserToGroupAttachment;

}  // namespace reef::service::cognito::resources
