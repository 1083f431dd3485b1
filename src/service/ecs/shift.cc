// Deployments that shift traffic: what the shift machine says is done here, with the listener rules of load balancers,
// and the functions that are asked at its stages.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "base/random.h"
#include "service/ecs/ecs.h"
#include "service/ecs/service_connect.h"

namespace reef::service::ecs {
namespace {

using wire::Json;

constexpr Duration kHookDelay = 30s;
constexpr Duration kHookDelayMax = 24h;
constexpr Duration kAlarmsLook = 1s;

Duration minutes(const std::optional<std::int32_t>& value, int otherwise) { return std::chrono::minutes(value.value_or(otherwise)); }

// A percentage as two weights, which are whole numbers up to 999.
std::pair<int, int> weights_of(double percent) {
  const bool is_whole = percent == std::floor(percent);
  const int total = is_whole ? 100 : 1000, part = static_cast<int>(std::lround(percent * (is_whole ? 1 : 10)));
  return {part, total - part};
}

// The actions of a rule with its forward action as wanted; what is before it (sign-in) stays.
Json with_weights(const Json& actions, const std::string& target, const std::string& source, double percent) {
  const auto [part, rest] = weights_of(percent);
  Json forward = Json::object({{"Type", "forward"}});
  Json config = Json::object({{"TargetGroups", Json::array({Json::object({{"TargetGroupArn", target}, {"Weight", part}}), Json::object({{"TargetGroupArn", source}, {"Weight", rest}})})}});
  Json out = Json::array();
  for (const Json& action : actions.as_array()) {
    if (action.text("Type") != "forward") {
      if (action.text("Type").starts_with("authenticate")) out.push_back(action);
      continue;
    }
    if (const Json* order = action.find("Order")) forward.set("Order", *order);
    if (const Json* stickiness = action["ForwardConfig"].find("TargetGroupStickinessConfig")) config.set("TargetGroupStickinessConfig", *stickiness);
  }
  forward.set("ForwardConfig", std::move(config));
  out.push_back(std::move(forward));
  return out;
}

// `arn`: a listener's rule, its default rule, or a listener.
Task<Reply<void>> set_rule_weights(Ecs& ecs, Call call, std::string arn, std::string target, std::string source, double percent) {
  constexpr std::string_view kElb = "elasticloadbalancingv2";
  std::string listener = arn;
  if (arn.find(":listener-rule/") != std::string::npos) {
    const Json found = CO_TRY(co_await ecs.caller.invoke_json(call, kElb, "DescribeRules", Json::object({{"RuleArns", Json::array({arn})}})));
    const Json& rule = found["Rules"].at(0);
    if (!rule["IsDefault"].as_bool()) {
      CO_TRY(co_await ecs.caller.invoke_json(call, kElb, "ModifyRule", Json::object({{"RuleArn", arn}, {"Actions", with_weights(rule["Actions"], target, source, percent)}})));
      co_return {};
    }
    listener.replace(listener.find(":listener-rule/"), 15, ":listener/");
    listener.resize(listener.rfind('/'));
  }
  const Json found = CO_TRY(co_await ecs.caller.invoke_json(call, kElb, "DescribeListeners", Json::object({{"ListenerArns", Json::array({listener})}})));
  CO_TRY(co_await ecs.caller.invoke_json(call, kElb, "ModifyListener",
                                         Json::object({{"ListenerArn", listener}, {"DefaultActions", with_weights(found["Listeners"].at(0)["DefaultActions"], target, source, percent)}})));
  co_return {};
}

Task<void> set_weights(Ecs& ecs, ServicePtr service, double production, double test) {
  const Call call = ecs.caller.internal_call(service->account, service->region);
  const std::string target_id = service->shift.state().target;
  const auto link = service->links.find(target_id);
  const bool alternate = link != service->links.end() && link->second.uses_alternate;
  std::string trouble;
  const auto balancers = service->service.load_balancers.value_or(std::vector<model::LoadBalancer>{});
  for (const model::LoadBalancer& one : balancers) {
    if (!one.advanced_configuration || !one.target_group_arn) continue;
    const model::AdvancedConfiguration& more = *one.advanced_configuration;
    std::string target = *one.target_group_arn, source = more.alternate_target_group_arn.value_or("");
    if (alternate) std::swap(target, source);
    const auto production_set = co_await set_rule_weights(ecs, call, more.production_listener_rule.value_or(""), target, source, production);
    if (!production_set) trouble = production_set.error().message;
    if (!more.test_listener_rule || more.test_listener_rule->empty()) continue;
    const auto test_set = co_await set_rule_weights(ecs, call, *more.test_listener_rule, target, source, test);
    if (!test_set) trouble = test_set.error().message;
  }
  const Time now = store::Shard::control().now();
  if (!service->is_active || service->shift.state().target != target_id) co_return;
  connect_service(ecs, *service);
  if (trouble.empty()) {
    service->shift.weights_set(production, test, now);
  } else {
    service->shift.weights_failed(now);
    add_event(*service, fmt::format("failed to shift traffic with (error {})", trouble), now);
  }
  // Without a balancer nothing was waited for: not from inside what is being carried out already.
  store::Shard::control().reactor().post([&ecs, service] { drive(ecs, service); });
}

Json traffic_json(const StoredService& service, double percent) {
  Json out = Json::object();
  const task::ShiftState& state = service.shift.state();
  const auto put = [&](const std::string& deployment, double part) {
    if (const auto link = service.links.find(deployment); link != service.links.end()) out.set(link->second.revision, part);
  };
  if (!state.source.empty()) put(state.source, 100 - percent);
  put(state.target, percent);
  return out;
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
Task<void> ask_hook(Ecs& ecs, ServicePtr service, task::HookRun run, model::DeploymentLifecycleHook hook) {
  const task::ShiftState& state = service->shift.state();
  const auto link = service->links.find(state.target);
  Json payload = Json::object({{"executionDetails", Json::object({{"testTrafficWeights", traffic_json(*service, state.test_set.value_or(0))},
                                                                 {"productionTrafficWeights", traffic_json(*service, state.production_set.value_or(0))},
                                                                 {"serviceArn", *service->service.service_arn},
                                                                 {"targetServiceRevisionArn", link == service->links.end() ? "" : link->second.revision}})},
                               {"executionId", run.id},
                               {"lifecycleStage", task::name_of(state.stage)},
                               {"resourceArn", link == service->links.end() ? "" : link->second.record}});
  if (auto details = Json::parse(run.details); details && !run.details.empty()) payload.set("hookDetails", *std::move(details));
  else if (hook.hook_details) payload.set("hookDetails", *hook.hook_details);
  aws::lambda::InvokeInput in;
  in.function_name = hook.hook_target_arn.value_or("");
  in.payload = payload.dump();
  const Call call = ecs.caller.internal_call(service->account, service->region);
  const auto out = co_await ecs.caller.call<aws::lambda::InvokeOutput>(call, aws::lambda::ops::kInvoke, in);
  const Time now = store::Shard::control().now();
  if (!service->is_active) co_return;
  auto status = task::HookStatus::kFailed;
  std::string details;
  Duration delay = kHookDelay;
  if (out && !out->function_error) {
    const auto answer = Json::parse(out->payload.value_or(""));
    const std::string word = answer ? answer->text("hookStatus") : "";
    if (word == "SUCCEEDED") status = task::HookStatus::kSucceeded;
    if (word == "IN_PROGRESS") status = task::HookStatus::kInProgress;
    if (answer && answer->find("hookDetails")) details = (*answer)["hookDetails"].dump();
    if (answer)
      if (const auto seconds = (*answer)["callBackDelay"].as_double()) delay = std::clamp<Duration>(std::chrono::microseconds(std::llround(*seconds * 1e6)), 1s, kHookDelayMax);
  } else {
    add_event(*service, fmt::format("lifecycle hook {} failed at {} with (error {})", hook.hook_target_arn.value_or(""), task::name_of(service->shift.state().stage),
                                    out ? *out->function_error : out.error().message), now);
  }
  service->shift.hook_answered(run.id, status, std::move(details), delay, now);
  drive(ecs, service);
}

task::ShiftFacts facts_of(const StoredService& service, Time now) {
  const task::ServiceMachine& machine = service.machine;
  const task::ShiftState& state = service.shift.state();
  task::ShiftFacts out{.source_gone = true, .target_gone = true};
  for (const auto& [id, member] : machine.members()) {
    if (member.deployment == state.source) out.source_gone = false;
    else if (member.deployment == state.target) out.target_gone = false;
    else out.others_gone = false;
  }
  const task::Deployment* target = machine.deployment(state.target);
  out.target_serves = target && target->share == 100 && machine.serving(state.target, now) >= machine.wanted(*target);
  out.target_broken = machine.is_broken(state.target);
  for (const std::string& alarm : service.ringing) out.alarm += (out.alarm.empty() ? "" : ", ") + alarm;
  return out;
}

void finish_shift(StoredService& service, const std::string& reason, Time now) {
  const task::ShiftState& state = service.shift.state();
  switch (state.status) {
    case task::ShiftStatus::kSuccessful:
      service.machine.complete(state.target, now);
      service.machine.retire(state.source);
      add_event(service, fmt::format("(deployment {}) deployment completed.", state.target), now);
      break;
    case task::ShiftStatus::kRolledBack:
      service.machine.fail(state.target, reason, now);
      service.machine.retire(state.target);
      return_to_revision(service, state.source);
      add_event(service, fmt::format("(deployment {}) rollback completed.", state.target), now);
      break;
    case task::ShiftStatus::kStopped:
    case task::ShiftStatus::kInProgress:
    case task::ShiftStatus::kRollbackRequested:
    case task::ShiftStatus::kRollingBack:
      service.machine.fail(state.target, reason, now);
      add_event(service, fmt::format("(deployment {}) deployment failed: {}", state.target, reason), now);
      break;
  }
}

Task<void> look_at_alarms(Ecs& ecs, ServicePtr service) {
  const auto& configuration = service->service.deployment_configuration;
  if (!configuration || !configuration->alarms || !configuration->alarms->enable || service->history.empty()) co_return;
  Json names = Json::array();
  for (const std::string& name : configuration->alarms->alarm_names) names.push_back(name);
  const std::string record = *service->history.front().service_deployment_arn;
  const auto out = co_await ecs.caller.invoke_json(ecs.caller.internal_call(service->account, service->region), "cloudwatch", "DescribeAlarms",
                                                   Json::object({{"AlarmNames", std::move(names)}, {"AlarmTypes", Json::array({"MetricAlarm", "CompositeAlarm"})}}));
  if (!out || !service->is_active || service->history.empty() || service->history.front().service_deployment_arn != record) co_return;
  std::vector<std::string> ringing;
  // After a deployment its alarms need as long as their own evaluation takes to show what it did.
  std::int64_t bake_seconds = 0;
  for (const std::string_view kind : {"MetricAlarms", "CompositeAlarms"})
    for (const Json& one : (*out)[kind].as_array()) {
      if (one.text("StateValue") == "ALARM") ringing.push_back(one.text("AlarmName"));
      bake_seconds = std::max(bake_seconds, one["Period"].as_int().value_or(60) * one["EvaluationPeriods"].as_int().value_or(1));
    }
  service->alarm_bake = std::chrono::seconds(bake_seconds);
  model::ServiceDeploymentAlarms& shown = *service->history.front().alarms;
  // An alarm that rings already when a deployment starts says nothing about it.
  if (shown.status == "") {
    shown.status = ringing.empty() ? "MONITORING" : "DISABLED";
  } else if (shown.status != "MONITORING" || ringing.empty()) {
    co_return;
  } else {
    shown.status = "TRIGGERED";
    shown.triggered_alarm_names = ringing;
    service->ringing = std::move(ringing);
  }
  apply_rule(ecs, *service);
  drive(ecs, service);
}

}  // namespace

bool shifts(const model::Service& service) {
  return service.deployment_configuration && service.deployment_configuration->strategy.value_or("ROLLING") != "ROLLING";
}

void apply_shift_rule(StoredService& service) {
  if (!shifts(service.service)) return;
  const model::DeploymentConfiguration& configuration = *service.service.deployment_configuration;
  task::ShiftRule rule{.bake = minutes(configuration.bake_time_in_minutes, 0)};
  if (configuration.strategy == "CANARY") {
    const auto canary = configuration.canary_configuration.value_or(model::CanaryConfiguration{});
    rule.is_canary = true;
    rule.step_percent = canary.canary_percent.value_or(5);
    rule.step_bake = minutes(canary.canary_bake_time_in_minutes, 10);
  } else if (configuration.strategy == "LINEAR") {
    const auto linear = configuration.linear_configuration.value_or(model::LinearConfiguration{});
    rule.step_percent = linear.step_percent.value_or(10);
    rule.step_bake = minutes(linear.step_bake_time_in_minutes, 6);
  }
  for (const model::LoadBalancer& one : service.service.load_balancers.value_or(std::vector<model::LoadBalancer>{}))
    rule.has_test = rule.has_test || (one.advanced_configuration && !one.advanced_configuration->test_listener_rule.value_or("").empty());
  rule.has_test = rule.has_test || has_test_traffic(service);
  rule.rolls_back = !configuration.deployment_circuit_breaker || configuration.deployment_circuit_breaker->rollback;
  for (const model::DeploymentLifecycleHook& one : configuration.lifecycle_hooks.value_or(std::vector<model::DeploymentLifecycleHook>{})) {
    task::ShiftHook hook{.stages = {}, .is_pause = one.target_type == "PAUSE"};
    for (const std::string& stage : one.lifecycle_stages.value_or(std::vector<std::string>{}))
      if (const auto known = task::parse_stage(stage)) hook.stages.push_back(*known);
    if (one.timeout_configuration) {
      hook.patience = minutes(one.timeout_configuration->timeout_in_minutes, 24 * 60);
      hook.continues_late = one.timeout_configuration->action == "CONTINUE";
    }
    rule.hooks.push_back(std::move(hook));
  }
  service.shift.set_rule(std::move(rule));
}

// What has the production traffic.
std::string shift_source(const StoredService& service) {
  const task::ShiftState& state = service.shift.state();
  if (service.shift.is_active()) return state.production_set.value_or(0) >= 100 && !service.shift.rolling_back() ? state.target : state.source;
  for (const task::Deployment& one : service.machine.deployments())
    if (!one.is_retired) return one.id;
  return {};
}

void begin_shift(Ecs&, StoredService& service, const std::string& source, const std::string& target, Time now) {
  service.shift.abandon("A newer service deployment started.", now);
  bool has_others = false;
  for (const task::Deployment& one : std::vector(service.machine.deployments())) {
    if (one.id == source) service.machine.set_share(source, 100, now);
    else if (one.id != target) service.machine.retire(one.id);
    has_others = has_others || (one.id != source && one.id != target);
  }
  service.links[target].uses_alternate = !source.empty() && !service.links[source].uses_alternate;
  service.shift.begin(source, target, has_others, now);
  apply_shift_rule(service);
}

bool drive_shift(Ecs& ecs, const ServicePtr& service, Time now) {
  if (!service->shift.is_active()) return false;
  bool changed = false;
  for (const task::ShiftChange& change : service->shift.apply(facts_of(*service, now), now)) {
    const task::ShiftState& state = service->shift.state();
    switch (change.kind) {
      case task::ShiftChange::Kind::kShares: {
        const auto* source = service->machine.deployment(state.source);
        const auto* target = service->machine.deployment(state.target);
        changed = changed || (source && source->share != change.source) || (target && target->share != change.target);
        service->machine.set_share(state.source, change.source, now);
        service->machine.set_share(state.target, change.target, now);
        break;
      }
      case task::ShiftChange::Kind::kWeights: set_weights(ecs, service, change.source, change.target).detach(); break;
      case task::ShiftChange::Kind::kHook: {
        if (change.run >= state.hooks.size()) break;
        const auto& hooks = service->service.deployment_configuration->lifecycle_hooks;
        const std::size_t index = state.hooks[change.run].hook;
        if (hooks && index < hooks->size()) ask_hook(ecs, service, state.hooks[change.run], (*hooks)[index]).detach();
        break;
      }
      case task::ShiftChange::Kind::kEvent: add_event(*service, change.text, now); break;
      case task::ShiftChange::Kind::kDone:
        finish_shift(*service, change.text, now);
        connect_service(ecs, *service);
        changed = true;
        break;
    }
  }
  return changed;
}

void watch_alarms(Ecs& ecs, const ServicePtr& service) {
  store::Shard& control = store::Shard::control();
  const auto& configuration = service->service.deployment_configuration;
  const bool watches = service->is_active && configuration && configuration->alarms && configuration->alarms->enable && !service->history.empty() &&
                       (service->history.front().status == "IN_PROGRESS" || service->history.front().status == "PENDING");
  if (!watches) return;
  if (service->history.front().alarms->status == "") look_at_alarms(ecs, service).detach();
  if (service->alarm_timer != 0) return;
  service->alarm_timer = control.reactor().at(control.now() + kAlarmsLook, [&ecs, weak = std::weak_ptr(service)] {
    const auto self = weak.lock();
    if (!self || ecs.is_stopping) return;
    self->alarm_timer = 0;
    look_at_alarms(ecs, self).detach();
    watch_alarms(ecs, self);
  });
}

}  // namespace reef::service::ecs
