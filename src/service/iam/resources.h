// The CloudFormation types that IAM owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::iam::resources {

extern const aws::ResourceType kRole;             // AWS::IAM::Role
extern const aws::ResourceType kPolicy;           // AWS::IAM::Policy (inline in several holders)
extern const aws::ResourceType kManagedPolicy;    // AWS::IAM::ManagedPolicy
extern const aws::ResourceType kRolePolicy;       // AWS::IAM::RolePolicy
extern const aws::ResourceType kUser;             // AWS::IAM::User
extern const aws::ResourceType kGroup;            // AWS::IAM::Group
extern const aws::ResourceType kAccessKey;        // AWS::IAM::AccessKey
extern const aws::ResourceType kInstanceProfile;  // AWS::IAM::InstanceProfile

}  // namespace reef::service::iam::resources
