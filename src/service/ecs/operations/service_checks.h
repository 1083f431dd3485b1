// What services and task sets have to pass before they are made.
#pragma once

#include "service/ecs/ecs.h"

namespace reef::service::ecs::operations {

Reply<void> check_balancers(const std::optional<std::vector<model::LoadBalancer>>& balancers, const model::TaskDefinition& definition);
Reply<const StoredDefinition*> active_definition(Ecs& ecs, const Call& call, const std::string& wanted);
// The subnets and groups of an awsvpc configuration are there. Nothing found before may be kept over it: it waits.
Task<Reply<void>> check_network(Ecs& ecs, const Call& call, const std::optional<model::NetworkConfiguration>& network);
// What to launch, as far as check_launch looks at it.
Launch launch_of(const StoredDefinition& definition, const std::optional<model::NetworkConfiguration>& network, const std::optional<std::string>& launch_type);

}  // namespace reef::service::ecs::operations
