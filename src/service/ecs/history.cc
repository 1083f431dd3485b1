// Service deployments and service revisions: what was deployed, when, and how it went.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "service/ecs/ecs.h"

namespace reef::service::ecs {
namespace {

// AWS keeps 90 days; here as many as are still of use.
constexpr std::size_t kHistoryMax = 100;

constexpr const char* kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_over(std::string_view status) { return status == "SUCCESSFUL" || status == "STOPPED" || status == "ROLLBACK_SUCCESSFUL" || status == "ROLLBACK_FAILED"; }

model::ServiceRevision make_revision(Ecs& ecs, const StoredService& service, const model::Deployment& deployment, Time now) {
  model::ServiceRevision out;
  out.service_revision_arn = fmt::format("arn:aws:ecs:{}:{}:service-revision/{}/{}/{}", service.region, service.account, service.cluster, service.name, make_token(thread_random(), 19, "123456789"));
  out.service_arn = service.service.service_arn;
  out.cluster_arn = service.service.cluster_arn;
  out.task_definition = deployment.task_definition;
  out.capacity_provider_strategy = service.service.capacity_provider_strategy;
  out.launch_type = service.service.launch_type;
  out.platform_version = service.service.platform_version;
  out.platform_family = service.service.platform_family;
  out.load_balancers = service.service.load_balancers;
  out.service_registries = service.service.service_registries;
  out.network_configuration = service.service.network_configuration;
  out.guard_duty_enabled = false;
  out.created_at = now;
  auto& images = out.container_images.emplace();
  if (const StoredDefinition* definition = find_definition(ecs, service.account, service.region, deployment.task_definition.value_or("")))
    for (const auto& one : *definition->definition.container_definitions) images.push_back({.container_name = one.name, .image_digest = {}, .image = one.image});
  return out;
}

model::ServiceRevisionSummary summary(const StoredService& service, const std::string& revision, std::optional<double> production, std::optional<double> test) {
  model::ServiceRevisionSummary out{.arn = revision};
  out.requested_task_count = out.running_task_count = out.pending_task_count = 0;
  for (const auto& [deployment, link] : service.links) {
    if (link.revision != revision) continue;
    const task::Deployment* one = service.machine.deployment(deployment);
    if (!one) continue;
    const bool is_primary = one == &service.machine.deployments().front();
    out.requested_task_count = *out.requested_task_count + (shifts(service.service) ? service.machine.wanted(*one) : is_primary ? service.machine.desired() : 0);
    out.running_task_count = *out.running_task_count + service.machine.count(deployment, task::MemberState::kRunning);
    out.pending_task_count = *out.pending_task_count + service.machine.count(deployment, task::MemberState::kPending);
  }
  out.requested_production_traffic_weight = production;
  out.requested_test_traffic_weight = test;
  return out;
}

const char* shift_status(task::ShiftStatus status) {
  switch (status) {
    case task::ShiftStatus::kInProgress: return "IN_PROGRESS";
    case task::ShiftStatus::kSuccessful: return "SUCCESSFUL";
    case task::ShiftStatus::kStopped: return "STOPPED";
    case task::ShiftStatus::kRollbackRequested: return "ROLLBACK_REQUESTED";
    case task::ShiftStatus::kRollingBack: return "ROLLBACK_IN_PROGRESS";
    case task::ShiftStatus::kRolledBack: return "ROLLBACK_SUCCESSFUL";
  }
  return "";
}

void set_status(model::ServiceDeployment& record, std::string status, std::string reason, Time now) {
  if (record.status == status) return;
  record.status = std::move(status);
  if (!reason.empty()) record.status_reason = std::move(reason);
  record.updated_at = now;
  if (!is_over(*record.status)) return;
  record.finished_at = now;
  if (record.status == "STOPPED") record.stopped_at = now;
  if (record.alarms && record.alarms->status == "MONITORING") record.alarms->status = "MONITORING_COMPLETE";
  if (record.deployment_circuit_breaker && record.deployment_circuit_breaker->status == "MONITORING") record.deployment_circuit_breaker->status = "MONITORING_COMPLETE";
}

std::string deployment_of(const StoredService& service, const model::ServiceDeployment& record) {
  // The newest of them: a rollback is part of the deployment that failed.
  for (const task::Deployment& one : service.machine.deployments())
    if (const auto link = service.links.find(one.id); link != service.links.end() && link->second.record == *record.service_deployment_arn) return one.id;
  return {};
}

void sync_rolling(StoredService& service, model::ServiceDeployment& record, Time now) {
  const task::Deployment* one = service.machine.deployment(deployment_of(service, record));
  if (!one) return;
  if (record.deployment_circuit_breaker && record.deployment_circuit_breaker->status != "DISABLED") {
    if (!one->is_rollback) record.deployment_circuit_breaker->failure_count = one->failed_tasks;
    if (one->state == task::RolloutState::kFailed && !one->is_rollback && service.ringing.empty()) record.deployment_circuit_breaker->status = "TRIGGERED";
  }
  switch (one->state) {
    case task::RolloutState::kInProgress:
      if (!one->is_rollback) set_status(record, "IN_PROGRESS", {}, now);
      break;
    case task::RolloutState::kCompleted: set_status(record, one->is_rollback ? "ROLLBACK_SUCCESSFUL" : "SUCCESSFUL", {}, now); break;
    case task::RolloutState::kFailed: set_status(record, one->is_rollback ? "ROLLBACK_FAILED" : "STOPPED", one->reason, now); break;
  }
}

void sync_shift(StoredService& service, model::ServiceDeployment& record, Time now) {
  const task::ShiftState& state = service.shift.state();
  const auto link = service.links.find(state.target);
  if (link == service.links.end() || link->second.record != *record.service_deployment_arn) return;
  record.lifecycle_stage = task::name_of(state.stage);
  if (record.deployment_circuit_breaker && record.deployment_circuit_breaker->status != "DISABLED") {
    if (const task::Deployment* one = service.machine.deployment(state.target)) record.deployment_circuit_breaker->failure_count = one->failed_tasks;
    if (state.reason.find("circuit breaker") != std::string::npos) record.deployment_circuit_breaker->status = "TRIGGERED";
  }
  if (state.rollback_began && !record.rollback) {
    const auto source = service.links.find(state.source);
    record.rollback = model::Rollback{.reason = state.reason, .started_at = *state.rollback_began, .service_revision_arn = source == service.links.end() ? std::optional<std::string>() : source->second.revision};
  }
  record.target_service_revision = summary(service, link->second.revision, state.production, state.test);
  if (record.source_service_revisions && !record.source_service_revisions->empty())
    record.source_service_revisions->front() = summary(service, *record.source_service_revisions->front().arn, 100 - state.production, 100 - state.test);
  set_status(record, shift_status(state.status), state.reason, now);
}

}  // namespace

void open_record(Ecs& ecs, StoredService& service, const std::string& deployment, const std::string& source, bool is_rollback, Time now) {
  DeploymentLink& link = service.links[deployment];
  if (is_rollback && !service.history.empty()) {
    // The same service deployment goes on, with the revision that was good.
    model::ServiceDeployment& record = service.history.front();
    link.record = *record.service_deployment_arn;
    for (const auto& [arn, revision] : service.revisions)
      if (revision.task_definition == service.deployments[deployment].task_definition && (link.revision.empty() || *revision.created_at > *service.revisions[link.revision].created_at)) link.revision = arn;
    record.rollback = model::Rollback{.reason = record.status_reason, .started_at = now, .service_revision_arn = link.revision};
    record.finished_at.reset();
    record.stopped_at.reset();
    set_status(record, "ROLLBACK_IN_PROGRESS", {}, now);
    return;
  }
  if (!service.history.empty() && !is_over(*service.history.front().status)) {
    const bool was_shift = service.shift.state().target.size() > 0 && service.links[service.shift.state().target].record == *service.history.front().service_deployment_arn;
    if (was_shift) sync_shift(service, service.history.front(), now);
    set_status(service.history.front(), "STOPPED", "A newer service deployment started.", now);
  }
  model::ServiceRevision revision = make_revision(ecs, service, service.deployments[deployment], now);
  link.revision = *revision.service_revision_arn;
  model::ServiceDeployment record;
  record.service_deployment_arn = fmt::format("arn:aws:ecs:{}:{}:service-deployment/{}/{}/{}", service.region, service.account, service.cluster, service.name, make_token(thread_random(), 21, kLetters));
  link.record = *record.service_deployment_arn;
  record.service_arn = service.service.service_arn;
  record.cluster_arn = service.service.cluster_arn;
  record.created_at = record.started_at = record.updated_at = now;
  record.status = "IN_PROGRESS";
  record.deployment_configuration = service.service.deployment_configuration;
  record.target_service_revision = model::ServiceRevisionSummary{.arn = link.revision};
  auto& sources = record.source_service_revisions.emplace();
  if (const auto before = service.links.find(source); before != service.links.end() && !source.empty()) sources.push_back({.arn = before->second.revision});
  const auto& configuration = *record.deployment_configuration;
  const bool breaks = configuration.deployment_circuit_breaker && configuration.deployment_circuit_breaker->enable;
  record.deployment_circuit_breaker = model::ServiceDeploymentCircuitBreaker{.status = breaks ? "MONITORING" : "DISABLED", .failure_count = 0, .threshold = breaks ? service.machine.breaker_threshold() : 0};
  const bool alarms = configuration.alarms && configuration.alarms->enable;
  record.alarms = model::ServiceDeploymentAlarms{.status = alarms ? "" : "DISABLED", .alarm_names = configuration.alarms ? configuration.alarms->alarm_names : std::vector<std::string>{}, .triggered_alarm_names = std::vector<std::string>{}};
  service.ringing.clear();
  service.revisions.emplace(link.revision, std::move(revision));
  service.history.insert(service.history.begin(), std::move(record));
  while (service.history.size() > kHistoryMax) service.history.pop_back();
  std::erase_if(service.revisions, [&](const auto& one) {
    const bool listed = std::any_of(service.history.begin(), service.history.end(), [&](const auto& each) { return each.target_service_revision->arn == one.first; });
    return !listed && std::none_of(service.links.begin(), service.links.end(), [&](const auto& each) { return each.second.revision == one.first; });
  });
}

void sync_records(StoredService& service, Time now) {
  if (service.history.empty()) return;
  model::ServiceDeployment& record = service.history.front();
  const auto link = service.links.find(service.shift.state().target);
  const bool is_shift = link != service.links.end() && link->second.record == *record.service_deployment_arn;
  if (is_shift) sync_shift(service, record, now);
  else if (!is_over(record.status.value_or(""))) sync_rolling(service, record, now);
}

model::ServiceDeployment describe_record(const StoredService& service, const model::ServiceDeployment& record) {
  model::ServiceDeployment out = record;
  if (out.alarms && out.alarms->status == "") out.alarms->status.reset();  // they were not looked at yet
  const task::ShiftState& state = service.shift.state();
  const auto link = service.links.find(state.target);
  const bool is_shift = link != service.links.end() && link->second.record == *record.service_deployment_arn;
  if (!is_shift) {
    if (is_over(record.status.value_or(""))) return out;
    out.target_service_revision = summary(service, *out.target_service_revision->arn, std::nullopt, std::nullopt);
    for (auto& one : *out.source_service_revisions) one = summary(service, *one.arn, std::nullopt, std::nullopt);
    return out;
  }
  auto& hooks = out.lifecycle_hook_details.emplace();
  for (const task::HookRun& run : state.hooks) {
    const task::ShiftHook& rule = service.shift.rule().hooks[run.hook];
    model::DeploymentLifecycleHookDetail detail{.hook_id = run.id, .target_type = rule.is_pause ? "PAUSE" : "AWS_LAMBDA", .target_arn = {}, .status = task::name_of(run.status), .expires_at = run.expires,
                                                .timeout_action = rule.continues_late ? "CONTINUE" : "ROLLBACK"};
    const auto& configured = service.service.deployment_configuration->lifecycle_hooks;
    if (!rule.is_pause && configured && run.hook < configured->size()) detail.target_arn = (*configured)[run.hook].hook_target_arn;
    hooks.push_back(std::move(detail));
  }
  return out;
}

void return_to_revision(StoredService& service, const std::string& deployment) {
  const auto link = service.links.find(deployment);
  const auto revision = link == service.links.end() ? service.revisions.end() : service.revisions.find(link->second.revision);
  if (revision == service.revisions.end()) return;
  service.service.task_definition = revision->second.task_definition;
  service.service.network_configuration = revision->second.network_configuration;
  service.service.load_balancers = revision->second.load_balancers;
  service.service.service_registries = revision->second.service_registries;
  service.service.platform_version = revision->second.platform_version;
  service.service.capacity_provider_strategy = revision->second.capacity_provider_strategy;
}

}  // namespace reef::service::ecs
