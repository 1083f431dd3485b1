// The CloudFormation types that ECS owns.
#pragma once

#include "aws/resource.h"

namespace reef::service::ecs::resources {
extern const aws::ResourceType kCluster;         // AWS::ECS::Cluster
extern const aws::ResourceType kTaskDefinition;  // AWS::ECS::TaskDefinition
extern const aws::ResourceType kService;         // AWS::ECS::Service
}  // namespace reef::service::ecs::resources
