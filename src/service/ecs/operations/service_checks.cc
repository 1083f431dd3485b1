#include "service/ecs/operations/service_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "service/ecs/operations.h"

namespace reef::service::ecs::operations {

Reply<void> check_balancers(const std::optional<std::vector<model::LoadBalancer>>& balancers, const model::TaskDefinition& definition) {
  if (!balancers) return {};
  for (const model::LoadBalancer& one : *balancers) {
    if (one.load_balancer_name) return Err(aws::not_implemented("loadBalancerName (a Classic Load Balancer) of a service"));
    if (!one.target_group_arn) return Err(invalid("loadBalancerName or targetGroupArn must be specified."));
    const auto& all = *definition.container_definitions;
    const auto container = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == one.container_name; });
    if (container == all.end()) return Err(invalid(fmt::format("The container {} does not exist in the task definition.", one.container_name.value_or(""))));
    const bool maps = container->port_mappings && std::any_of(container->port_mappings->begin(), container->port_mappings->end(), [&](const auto& port) { return port.container_port == one.container_port; });
    if (!maps) return Err(invalid(fmt::format("The container {} did not have a container port {} defined.", *container->name, one.container_port.value_or(0))));
  }
  return {};
}

Reply<const StoredDefinition*> active_definition(Ecs& ecs, const Call& call, const std::string& wanted) {
  const StoredDefinition* definition = find_definition(ecs, call.account, call.region, wanted);
  if (!definition) return Err(aws::Error(errors::kClientException, "TaskDefinition not found."));
  if (definition->definition.status != "ACTIVE") return Err(aws::Error(errors::kClientException, "TaskDefinition is inactive"));
  return definition;
}

Launch launch_of(const StoredDefinition& definition, const std::optional<model::NetworkConfiguration>& network, const std::optional<std::string>& launch_type) {
  return {.cluster = nullptr, .definition = &definition, .overrides = {}, .network = network, .launch_type = launch_type.value_or("EC2")};
}

Task<Reply<void>> check_network(Ecs& ecs, const Call& call, const std::optional<model::NetworkConfiguration>& network) {
  if (!network || !network->awsvpc_configuration) co_return Reply<void>{};
  const auto wanted = [](const char* member, const std::vector<std::string>& ids) {
    wire::Json list = wire::Json::array();
    for (const std::string& id : ids) list.push_back(id);
    return wire::Json::object({{member, std::move(list)}});
  };
  const std::vector<std::string> subnets = network->awsvpc_configuration->subnets;
  const wire::Json those_subnets = wanted("SubnetIds", subnets);
  if (const auto found = co_await ecs.caller.invoke_json(call, "ec2", "DescribeSubnets", those_subnets); !found)
    co_return Err(invalid(fmt::format("Error retrieving subnet information for [{}]: {} (ErrorCode: {})", fmt::join(subnets, ", "), found.error().message, found.error().code)));
  const auto groups = network->awsvpc_configuration->security_groups.value_or(std::vector<std::string>());
  if (groups.empty()) co_return Reply<void>{};
  const wire::Json those_groups = wanted("GroupIds", groups);
  if (const auto found = co_await ecs.caller.invoke_json(call, "ec2", "DescribeSecurityGroups", those_groups); !found)
    co_return Err(invalid(fmt::format("Error retrieving security group information for [{}]: {} (ErrorCode: {})", fmt::join(groups, ", "), found.error().message, found.error().code)));
  co_return Reply<void>{};
}

}  // namespace reef::service::ecs::operations
