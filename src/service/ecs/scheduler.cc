// What keeps services as they should be: carries out what a service's machine says, and tells it what happened.
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "service/ecs/app_mesh.h"
#include "service/ecs/ecs.h"
#include "service/ecs/service_connect.h"
#include "service/ecs/state_events.h"

namespace reef::service::ecs {
namespace {

constexpr std::size_t kEventsMax = 100;
constexpr Duration kInactiveKept = 1h;

const char* rollout_name(task::RolloutState state) {
  switch (state) {
    case task::RolloutState::kInProgress: return "IN_PROGRESS";
    case task::RolloutState::kCompleted: return "COMPLETED";
    case task::RolloutState::kFailed: return "FAILED";
  }
  return "";
}

bool has_balancers(const StoredService& service, const std::string& deployment) { return !balancers_of(service, deployment).empty(); }
bool has_targets(const StoredService& service, const std::string& deployment) { return has_balancers(service, deployment) || !registries_of(service, deployment).empty(); }
bool any_has_balancers(const StoredService& service) {
  return has_balancers(service, {}) || std::any_of(service.task_sets.begin(), service.task_sets.end(), [&](const auto& one) { return has_balancers(service, one.first); });
}

// Traffic first, then the task.
Task<void> let_go(Ecs& ecs, ServicePtr service, TaskPtr task, std::string reason) {
  task->is_draining = true;
  connect_endpoints(ecs, *service);
  task->task.desired_status = "STOPPED";
  if (task->task.last_status == "RUNNING") task->task.last_status = "DEACTIVATING";
  task->task.stopped_reason = reason;
  save(*task);
  tell_task(ecs, *task);
  co_await deregister_targets(ecs, service, task);
  stop_task(ecs, task, task::StopCode::kScheduler, reason);
}

void run_one(Ecs& ecs, StoredService& service, const std::string& deployment_id, Time now) {
  const auto deployment = service.deployments.find(deployment_id);
  const auto cluster = ecs.clusters.find(fmt::format("{}/{}/{}", service.account, service.region, service.cluster));
  StoredDefinition* definition = deployment == service.deployments.end() ? nullptr : find_definition(ecs, service.account, service.region, *deployment->second.task_definition);
  if (!definition || cluster == ecs.clusters.end()) {
    // Not even a record can be made of it; the machine learns that it failed.
    const std::string id = new_id();
    service.machine.task_made(id, deployment_id, now);
    service.machine.task_stopped(id, true, now);
    add_event(service, "was unable to place a task because its task definition no longer exists.", now);
    tell_action(ecs, service, "ERROR", "SERVICE_TASK_CONFIGURATION_FAILURE", "The task definition no longer exists.");
    return;
  }
  Launch what{.cluster = &cluster->second, .definition = definition, .overrides = {}, .network = deployment->second.network_configuration,
              .launch_type = deployment->second.launch_type.value_or("EC2"), .group = "service:" + service.name, .started_by = deployment_id,
              .platform_version = service.service.platform_version.value_or(""), .tags = {}, .execute_command = service.service.enable_execute_command.value_or(false),
              .service = service.name, .deployment = deployment_id};
  if (service.service.propagate_tags == "SERVICE" && service.service.tags) what.tags = *service.service.tags;
  if (service.service.propagate_tags == "TASK_DEFINITION") what.tags = definition->tags;
  if (service.service.enable_ecs_managed_tags.value_or(false)) {
    what.tags.push_back({"aws:ecs:serviceName", service.name});
    what.tags.push_back({"aws:ecs:clusterName", service.cluster});
  }
  const TaskPtr task = launch(ecs, service.account, service.region, what);
  connect_member(ecs, *task, service);
  service.machine.task_made(task->id, deployment_id, now);
  add_event(service, fmt::format("has started 1 tasks: (task {}).", task->id), now);
}

void finish(Ecs& ecs, const ServicePtr& service) {
  if (service->service.status != "DRAINING" || !service->machine.members().empty()) return;
  service->service.status = "INACTIVE";
  service->is_active = false;
  disconnect_service(ecs, *service);
  remove_discovery(ecs, service).detach();
  save(*service);
  store::Shard& control = store::Shard::control();
  control.reactor().at(control.now() + kInactiveKept, [&ecs, weak = std::weak_ptr(service)] {
    const auto gone = weak.lock();
    if (!gone) return;
    const auto kept = ecs.services.find(fmt::format("{}/{}/{}/{}", gone->account, gone->region, gone->cluster, gone->name));
    if (kept == ecs.services.end() || kept->second != gone) return;
    erase_record(*gone);
    ecs.services.erase(kept);
  });
}

}  // namespace

void add_event(StoredService& service, const std::string& text, Time now) {
  service.events.insert(service.events.begin(), {.id = make_uuid(thread_random()), .created_at = now, .message = fmt::format("(service {}) {}", service.name, text)});
  if (service.events.size() > kEventsMax) service.events.resize(kEventsMax);
}

void apply_rule(Ecs& ecs, StoredService& service) {
  const bool is_daemon = service.service.scheduling_strategy == "DAEMON";
  const model::DeploymentConfiguration configuration = service.service.deployment_configuration.value_or(model::DeploymentConfiguration{});
  service.needs_container_health = false;
  if (!service.machine.deployments().empty())
    if (const StoredDefinition* definition = find_definition(ecs, service.account, service.region, service.machine.deployments().front().version))
      for (const model::TaskDefinition runs = without_proxy(definition->definition); const auto& one : *runs.container_definitions)
        service.needs_container_health = service.needs_container_health || (one.essential.value_or(true) && one.health_check && one.health_check->command != std::vector<std::string>{"NONE"});
  task::RolloutRule rule{.minimum_percent = configuration.minimum_healthy_percent.value_or(is_daemon ? 0 : 100), .maximum_percent = configuration.maximum_percent.value_or(is_daemon ? 100 : 200)};
  if (configuration.deployment_circuit_breaker) {
    rule.breaker = configuration.deployment_circuit_breaker->enable;
    rule.rollback = configuration.deployment_circuit_breaker->rollback;
  }
  rule.probed = any_has_balancers(service) || service.needs_container_health;
  rule.grace = std::chrono::seconds(service.service.health_check_grace_period_seconds.value_or(0));
  rule.by_share = shifts(service.service) || is_external(service.service);
  const bool has_alarms = configuration.alarms && configuration.alarms->enable && !service.history.empty() && service.history.front().alarms;
  if (has_alarms && service.history.front().alarms->status != "DISABLED") rule.bake = service.alarm_bake.value_or(1min);
  service.machine.set_rule(rule);
  apply_shift_rule(service);
}

model::Deployment& new_deployment(Ecs& ecs, StoredService& service, const std::string& definition_arn, bool is_rollback, Time now,
                                  std::optional<model::ServiceConnectConfiguration> connect) {
  // What is not said anew stays.
  if (!connect && !service.machine.deployments().empty())
    if (const auto before = service.deployments.find(service.machine.deployments().front().id); before != service.deployments.end()) connect = before->second.service_connect_configuration;
  const std::string source = shifts(service.service)                         ? shift_source(service)
                             : service.machine.deployments().empty() ? std::string()
                                                                      : service.machine.deployments().front().id;
  const std::string id = "ecs-svc/" + make_token(thread_random(), 19, "123456789");
  model::Deployment& deployment = service.deployments[id];
  deployment.id = id;
  deployment.task_definition = definition_arn;
  deployment.created_at = now;
  deployment.service_connect_configuration = std::move(connect);
  if (!service.connect_resources.empty()) deployment.service_connect_resources = service.connect_resources;
  deployment.launch_type = service.service.launch_type;
  deployment.platform_version = service.service.platform_version;
  deployment.network_configuration = service.service.network_configuration;
  deployment.capacity_provider_strategy = service.service.capacity_provider_strategy;
  service.service.task_definition = definition_arn;
  service.machine.deploy({.id = id, .version = definition_arn, .created = now, .updated = now, .state = task::RolloutState::kInProgress,
                          .reason = fmt::format("ECS deployment {} in progress.", id), .failed_tasks = 0, .is_rollback = is_rollback});
  open_record(ecs, service, id, source, is_rollback, now);
  if (shifts(service.service)) {
    begin_shift(ecs, service, source, id, now);
  } else {
    service.shift.abandon("A newer service deployment started.", now);
    service.links[id].uses_alternate = !source.empty() && service.links[source].uses_alternate;
  }
  apply_rule(ecs, service);
  connect_service(ecs, service);
  return deployment;
}

namespace {

// A rolling deployment during which an alarm rings has failed.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
void give_up_on_alarm(Ecs& ecs, StoredService& service, Time now) {
  if (service.ringing.empty() || shifts(service.service) || service.machine.deployments().empty()) return;
  const task::Deployment primary = service.machine.deployments().front();
  if (primary.state != task::RolloutState::kInProgress || primary.is_rollback) return;
  std::string names;
  for (const std::string& name : service.ringing) names += (names.empty() ? "" : ", ") + name;
  service.machine.fail(primary.id, fmt::format("ECS deployment {} failed: alarm(s) in ALARM state: {}.", primary.id, names), now);
  add_event(service, fmt::format("(deployment {}) deployment failed: alarm detected.", primary.id), now);
  sync_records(service, now);
  if (!service.service.deployment_configuration->alarms->rollback || service.machine.last_good().empty()) return;
  add_event(service, fmt::format("rolling back to deployment of {}.", last_part(service.machine.last_good())), now);
  new_deployment(ecs, service, service.machine.last_good(), true, now);
}

}  // namespace

void drive(Ecs& ecs, const ServicePtr& service) {
  if (service->driving || !service->is_active || ecs.is_stopping) return;
  service->driving = true;
  store::Shard& control = store::Shard::control();
  const Time now = control.now();
  constexpr int kRoundsMax = 100;
  for (int round = 0; round < kRoundsMax; ++round) {
    const bool shifted = drive_shift(ecs, service, now);
    give_up_on_alarm(ecs, *service, now);
    const auto changes = service->machine.apply(now);
    if (changes.empty() && !shifted) break;
    for (const task::Change& change : changes) {
      switch (change.kind) {
        case task::Change::Kind::kRun: run_one(ecs, *service, change.id, now); break;
        case task::Change::Kind::kStop: {
          const auto found = ecs.all_tasks.find(change.id);
          if (found == ecs.all_tasks.end()) break;
          add_event(*service, fmt::format("has stopped 1 running tasks: (task {}).", change.id), now);
          if (found->second->is_registered) let_go(ecs, service, found->second, change.reason).detach();
          else stop_task(ecs, found->second, task::StopCode::kScheduler, change.reason);
          connect_endpoints(ecs, *service);
          break;
        }
        case task::Change::Kind::kEvent:
          add_event(*service, change.reason, now);
          if (change.reason == "has reached a steady state.") tell_action(ecs, *service, "INFO", "SERVICE_STEADY_STATE");
          break;
        case task::Change::Kind::kRollback:
          sync_records(*service, now);
          add_event(*service, fmt::format("rolling back to deployment of {}.", last_part(change.id)), now);
          new_deployment(ecs, *service, change.id, true, now);
          break;
      }
    }
  }
  tell_deployments(ecs, *service);
  std::erase_if(service->deployments, [&](const auto& one) {
    const auto& live = service->machine.deployments();
    return std::none_of(live.begin(), live.end(), [&](const task::Deployment& other) { return other.id == one.first; });
  });
  sync_records(*service, now);
  sync_task_sets(*service, now);
  std::erase_if(service->links, [&](const auto& one) { return !service->machine.deployment(one.first) && one.first != service->shift.state().target && one.first != service->shift.state().source; });
  service->driving = false;
  save(*service);
  finish(ecs, service);
  control.reactor().cancel(std::exchange(service->timer, 0));
  auto wakes = service->machine.wakes();
  if (const auto other = service->shift.wakes(); other && (!wakes || *other < *wakes)) wakes = other;
  if (wakes && service->is_active)
    service->timer = control.reactor().at(std::max(*wakes, now), [&ecs, weak = std::weak_ptr(service)] {
      if (const auto self = weak.lock()) drive(ecs, self);
    });
}

void note_task(Ecs& ecs, const TaskPtr& task) {
  if (task->service.empty()) return;
  const auto found = ecs.services.find(fmt::format("{}/{}/{}/{}", task->account, task->region, task->cluster, task->service));
  if (found == ecs.services.end()) return;
  const ServicePtr service = found->second;
  const Time now = store::Shard::control().now();
  const std::string& status = *task->task.last_status;
  if (status == "STOPPED") {
    const std::string code = task->task.stop_code.value_or("");
    const bool failed = code == "TaskFailedToStart" || code == "EssentialContainerExited";
    if (failed) add_event(*service, fmt::format("(task {}) stopped: {}", task->id, task->task.stopped_reason.value_or("")), now);
    service->machine.task_stopped(task->id, failed, now);
    if (task->is_registered && !task->is_draining) deregister_targets(ecs, service, task).detach();
  } else if (status == "RUNNING") {
    service->machine.task_running(task->id, now);
    if (!task->has_run && has_targets(*service, task->deployment)) register_targets(ecs, service, task).detach();
    task->has_run = true;
  } else if (status == "DEPROVISIONING") {
    service->machine.task_stopping(task->id);
    // It is on its way down by itself or by a user: no more traffic for it.
    if (task->is_registered && !task->is_draining) deregister_targets(ecs, service, task).detach();
  }
  const bool needs_target = has_balancers(*service, task->deployment);
  const bool is_bad = task->target_healthy == false || task->container_healthy == false;
  const bool is_good = (!needs_target || task->target_healthy == true) && (!service->needs_container_health || task->container_healthy == true);
  if (is_bad) service->machine.task_health(task->id, false, now);
  else if (is_good && (needs_target || service->needs_container_health || (is_external(service->service) && status == "RUNNING"))) service->machine.task_health(task->id, true, now);
  connect_endpoints(ecs, *service);
  // Not from inside what is being carried out already.
  store::Shard::control().reactor().post([&ecs, service] { drive(ecs, service); });
}

model::Service describe(const StoredService& stored) {
  model::Service out = stored.service;
  out.desired_count = stored.machine.desired();
  out.running_count = stored.machine.count({}, task::MemberState::kRunning);
  out.pending_count = stored.machine.count({}, task::MemberState::kPending);
  out.events = stored.events;
  auto& deployments = out.deployments.emplace();
  if (is_external(stored.service)) {
    auto& sets = out.task_sets.emplace();
    for (const auto& [id, set] : stored.task_sets) sets.push_back(describe(stored, set));
    return out;
  }
  if (!stored.is_active) return out;
  for (const task::Deployment& one : stored.machine.deployments()) {
    const auto configured = stored.deployments.find(one.id);
    model::Deployment deployment = configured == stored.deployments.end() ? model::Deployment{} : configured->second;
    const bool is_primary = deployments.empty();
    deployment.id = one.id;
    deployment.status = is_primary ? "PRIMARY" : "ACTIVE";
    deployment.desired_count = shifts(stored.service) ? stored.machine.wanted(one) : is_primary ? stored.machine.desired() : 0;
    deployment.running_count = stored.machine.count(one.id, task::MemberState::kRunning);
    deployment.pending_count = stored.machine.count(one.id, task::MemberState::kPending);
    deployment.failed_tasks = one.failed_tasks;
    deployment.updated_at = one.updated;
    deployment.rollout_state = rollout_name(one.state);
    deployment.rollout_state_reason = one.reason;
    deployments.push_back(std::move(deployment));
  }
  return out;
}

}  // namespace reef::service::ecs
