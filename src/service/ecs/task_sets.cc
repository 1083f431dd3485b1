// Task sets: versions of a service side by side, whose scale and traffic somebody outside decides.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-external.html
#include "service/ecs/ecs.h"

namespace reef::service::ecs {

bool is_external(const model::Service& service) { return service.deployment_controller && service.deployment_controller->type == "EXTERNAL"; }

const std::vector<model::LoadBalancer>& balancers_of(const StoredService& service, std::string_view deployment) {
  static const std::vector<model::LoadBalancer> kNone;
  if (const auto set = service.task_sets.find(deployment); set != service.task_sets.end() && set->second.set.load_balancers) return *set->second.set.load_balancers;
  return service.service.load_balancers ? *service.service.load_balancers : kNone;
}

std::vector<model::ServiceRegistry> registries_of(const StoredService& service, std::string_view deployment) {
  std::vector<model::ServiceRegistry> out = service.connect_registries;
  const auto set = service.task_sets.find(deployment);
  const auto& given = set != service.task_sets.end() && set->second.set.service_registries ? set->second.set.service_registries : service.service.service_registries;
  if (given) out.insert(out.end(), given->begin(), given->end());
  return out;
}

model::TaskSet describe(const StoredService& service, const StoredTaskSet& stored) {
  model::TaskSet out = stored.set;
  const task::Deployment* one = service.machine.deployment(*out.id);
  out.computed_desired_count = one ? service.machine.wanted(*one) : 0;
  out.running_count = service.machine.count(*out.id, task::MemberState::kRunning);
  out.pending_count = service.machine.count(*out.id, task::MemberState::kPending);
  return out;
}

void sync_task_sets(StoredService& service, Time now) {
  std::erase_if(service.task_sets, [&](const auto& one) { return one.second.set.status == "DRAINING" && !service.machine.deployment(one.first); });
  for (auto& [id, stored] : service.task_sets) {
    const task::Deployment* one = service.machine.deployment(id);
    if (!one) continue;
    const int wanted = service.machine.wanted(*one);
    const bool steady = service.machine.serving(id, now) == wanted && service.machine.count(id, task::MemberState::kRunning) == wanted &&
                        service.machine.count(id, task::MemberState::kPending) + service.machine.count(id, task::MemberState::kStopping) == 0;
    const char* status = steady ? "STEADY_STATE" : "STABILIZING";
    if (stored.set.stability_status == status) continue;
    stored.set.stability_status = status;
    stored.set.stability_status_at = now;
  }
}

}  // namespace reef::service::ecs
