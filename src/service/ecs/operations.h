// The operations that ECS serves.
#pragma once

#include "service/ecs/ecs.h"

namespace reef::service::ecs::operations {

inline aws::Error invalid(std::string message) { return {errors::kInvalidParameterException, std::move(message)}; }

#define ECS_OPERATIONS(V)                                                                                              \
  V(CreateCluster) V(DeleteCluster) V(DescribeClusters) V(ListClusters) V(UpdateCluster) V(UpdateClusterSettings)      \
  V(PutClusterCapacityProviders) V(RegisterTaskDefinition) V(DeregisterTaskDefinition) V(DeleteTaskDefinitions)        \
  V(DescribeTaskDefinition) V(ListTaskDefinitions) V(ListTaskDefinitionFamilies) V(RunTask) V(StopTask)                \
  V(DescribeTasks) V(ListTasks) V(CreateService) V(UpdateService) V(DeleteService) V(DescribeServices)                 \
  V(ListServices) V(TagResource) V(UntagResource) V(ListTagsForResource) V(PutAccountSetting)                          \
  V(PutAccountSettingDefault) V(ListAccountSettings) V(DeleteAccountSetting) V(DescribeCapacityProviders)              \
  V(ListContainerInstances) V(DescribeContainerInstances) V(DescribeServiceDeployments) V(ListServiceDeployments)       \
  V(StopServiceDeployment) V(ContinueServiceDeployment) V(DescribeServiceRevisions)                           \
  V(CreateTaskSet) V(UpdateTaskSet) V(DeleteTaskSet) V(DescribeTaskSets) V(UpdateServicePrimaryTaskSet) V(StartTask)
#define ECS_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Ecs& ecs, const model::Name##Input& in, const Call& call);
ECS_OPERATIONS(ECS_OPERATION)
#undef ECS_OPERATION

}  // namespace reef::service::ecs::operations
