// What a deployment configuration may say, and how an update changes it.
#pragma once

#include "service/ecs/ecs.h"

namespace reef::service::ecs::operations {

using Balancers = std::optional<std::vector<model::LoadBalancer>>;

Reply<void> check_strategy(const std::optional<model::DeploymentConfiguration>& configuration, const Balancers& balancers, bool has_connect);
// `before` with what `change` names.
model::DeploymentConfiguration merged(const std::optional<model::DeploymentConfiguration>& change, const std::optional<model::DeploymentConfiguration>& before);

}  // namespace reef::service::ecs::operations
