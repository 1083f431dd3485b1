// The CloudFormation types that ECS owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::ecs::resources {
extern const aws::ResourceType kCluster;         // AWS::ECS::Cluster
extern const aws::ResourceType kTaskDefinition;  // AWS::ECS::TaskDefinition
extern const aws::ResourceType kService;         // AWS::ECS::Service
extern const aws::ResourceType kTaskSet;         // AWS::ECS::TaskSet
extern const aws::ResourceType kPrimaryTaskSet;  // AWS::ECS::PrimaryTaskSet
}  // namespace reef::service::ecs::resources
