// A service's tasks as targets of load balancers and as instances of service registries.
#include <algorithm>

#include <fmt/format.h>

#include "service/ecs/ecs.h"

namespace reef::service::ecs {
namespace {

using wire::Json;

constexpr Duration kLook = 50ms, kDrainsMax = 1h;

Json targets_json(const std::pair<std::string, int>& target) { return Json::array({Json::object({{"Id", target.first}, {"Port", target.second}})}); }

struct Group {
  std::string arn;
  std::pair<std::string, int> target;
};
std::vector<Group> groups_of(const StoredService& service, const StoredTask& task) {
  std::vector<Group> out;
  for (const model::LoadBalancer& one : balancers_of(service, task.deployment))
    if (auto group = group_for(service, one, task.deployment))
      if (auto target = reached_at(task, one.container_name.value_or(""), one.container_port.value_or(0))) out.push_back({*std::move(group), *std::move(target)});
  return out;
}

// What one group says of one target: "healthy", "draining", ...; "" when it does not know it.
std::string state_of(const Ecs& ecs, const Group& group) {
  for (const edge::TargetStatus& status : ecs.balancers.targets(group.arn))
    if (status.id == group.target.first && status.port == group.target.second) return std::string(edge::name_of(status.state));
  return {};
}

Json registry_attributes(const StoredService& service, const StoredTask& task, const model::ServiceRegistry& registry) {
  const auto target = reached_at(task, registry.container_name.value_or((*task.task.containers)[0].name.value_or("")), registry.container_port.value_or(registry.port.value_or(0)));
  const std::string_view definition = last_part(*task.task.task_definition_arn);
  Json out = Json::object({{"AWS_INSTANCE_IPV4", target ? target->first : task.address}, {"AWS_INIT_HEALTH_STATUS", "HEALTHY"}, {"AVAILABILITY_ZONE", task.task.availability_zone.value_or("")},
                           {"REGION", task.region}, {"ECS_CLUSTER_NAME", service.cluster}, {"ECS_SERVICE_NAME", service.name},
                           {"ECS_TASK_DEFINITION_FAMILY", std::string(definition.substr(0, definition.find(':')))}});
  if (target && target->second > 0) out.set("AWS_INSTANCE_PORT", std::to_string(target->second));
  return out;
}

}  // namespace

std::optional<std::string> group_for(const StoredService& service, const model::LoadBalancer& balancer, std::string_view deployment) {
  const auto link = service.links.find(deployment);
  if (link != service.links.end() && link->second.uses_alternate && balancer.advanced_configuration && balancer.advanced_configuration->alternate_target_group_arn)
    return balancer.advanced_configuration->alternate_target_group_arn;
  return balancer.target_group_arn;
}

std::optional<std::pair<std::string, int>> reached_at(const StoredTask& task, const std::string& container, int port) {
  for (const model::Container& one : *task.task.containers) {
    if (one.name != container) continue;
    if (one.network_interfaces && !one.network_interfaces->empty()) return std::pair(task.address, port);
    if (one.network_bindings)
      for (const model::NetworkBinding& binding : *one.network_bindings)
        if (binding.container_port == port) return std::pair(std::string("127.0.0.1"), binding.host_port.value_or(port));
    return std::pair(std::string("127.0.0.1"), port);
  }
  return std::nullopt;
}

Task<void> register_targets(Ecs& ecs, ServicePtr service, TaskPtr task) {
  const Call call = ecs.caller.internal_call(service->account, service->region);
  task->is_registered = true;
  save(*task);
  for (const Group& group : groups_of(*service, *task)) {
    const auto out = co_await ecs.caller.invoke_json(call, "elasticloadbalancingv2", "RegisterTargets", Json::object({{"TargetGroupArn", group.arn}, {"Targets", targets_json(group.target)}}));
    if (out) add_event(*service, fmt::format("registered 1 targets in (target-group {})", group.arn), store::Shard::control().now());
    else add_event(*service, fmt::format("failed to register targets in (target-group {}) with (error {})", group.arn, out.error().message), store::Shard::control().now());
  }
  {
    const auto registries = registries_of(*service, task->deployment);
    for (const model::ServiceRegistry& registry : registries) {
      const auto out = co_await ecs.caller.invoke_json(call, "servicediscovery", "RegisterInstance",
                                                       Json::object({{"ServiceId", std::string(last_part(registry.registry_arn.value_or("")))}, {"InstanceId", task->id},
                                                                     {"Attributes", registry_attributes(*service, *task, registry)}}));
      if (!out) add_event(*service, fmt::format("(task {}) failed to register into service registry {} with (error {})", task->id, registry.registry_arn.value_or(""), out.error().message), store::Shard::control().now());
    }
  }
  // It may have been told to stop meanwhile.
  if (task->is_draining || task->task.last_status == "STOPPED") co_return co_await deregister_targets(ecs, service, task);
  look_at_targets(ecs, service);
}

Task<void> deregister_targets(Ecs& ecs, ServicePtr service, TaskPtr task) {
  const Call call = ecs.caller.internal_call(service->account, service->region);
  task->is_draining = true;
  task->is_registered = false;
  {
    const auto registries = registries_of(*service, task->deployment);
    for (const model::ServiceRegistry& registry : registries)
      static_cast<void>(co_await ecs.caller.invoke_json(call, "servicediscovery", "DeregisterInstance",
                                                        Json::object({{"ServiceId", std::string(last_part(registry.registry_arn.value_or("")))}, {"InstanceId", task->id}})));
  }
  const auto groups = groups_of(*service, *task);
  for (const Group& group : groups) {
    const auto out = co_await ecs.caller.invoke_json(call, "elasticloadbalancingv2", "DeregisterTargets", Json::object({{"TargetGroupArn", group.arn}, {"Targets", targets_json(group.target)}}));
    if (out && task->task.last_status != "STOPPED")
      add_event(*service, fmt::format("has begun draining connections on 1 tasks."), store::Shard::control().now());
  }
  save(*task);
  // Requests under way may end: the target group says when.
  store::Shard& control = store::Shard::control();
  const Time until = control.now() + kDrainsMax;
  for (const Group& group : groups)
    while (task->task.last_status != "STOPPED" && control.now() < until && !ecs.is_stopping && state_of(ecs, group) == "draining")
      co_await control.reactor().sleep(kLook);
}

void look_at_targets(Ecs& ecs, const ServicePtr& service) {
  const auto members = service->machine.members();  // what follows changes it
  for (const auto& [id, member] : members) {
    const auto found = ecs.all_tasks.find(id);
    if (found == ecs.all_tasks.end() || !found->second->is_registered || found->second->is_draining) continue;
    const TaskPtr task = found->second;
    std::optional<bool> healthy;
    for (const Group& group : groups_of(*service, *task)) {
      const std::string state = state_of(ecs, group);
      if (state == "unhealthy") healthy = false;
      else if (state == "healthy") healthy = healthy.value_or(true);
      else if (healthy != false) {
        healthy.reset();
        break;
      }
    }
    if (healthy == task->target_healthy) continue;
    task->target_healthy = healthy;
    note_task(ecs, task);
  }
}

void look_at_group(Ecs& ecs, const std::string& group) {
  const auto means = [&](const std::vector<model::LoadBalancer>& balancers) {
    return std::any_of(balancers.begin(), balancers.end(), [&](const model::LoadBalancer& one) {
      return one.target_group_arn == group || (one.advanced_configuration && one.advanced_configuration->alternate_target_group_arn == group);
    });
  };
  for (const auto& [key, service] : ecs.services) {
    if (!service->is_active) continue;
    bool any = service->service.load_balancers && means(*service->service.load_balancers);
    for (const auto& [id, stored] : service->task_sets) any = any || (stored.set.load_balancers && means(*stored.set.load_balancers));
    if (any) look_at_targets(ecs, service);
  }
}

}  // namespace reef::service::ecs
