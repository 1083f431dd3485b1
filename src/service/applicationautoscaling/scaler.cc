#include "service/applicationautoscaling/scaler.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/schedule.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"

namespace reef::service::applicationautoscaling {
namespace {

using wire::Json;
using Outcome = Result<void, std::string>;

constexpr Duration kDefaultStepCooldown = 0s, kDefaultTrackingCooldown = 300s;

std::string key_of(const Target& target) { return fmt::format("{}/{}/{}", target.account, target.region, target.target.resource_id); }

std::optional<Target> again(const Target& target) {
  return find_target(target.account, target.region, target.target.service_namespace, target.target.scalable_dimension, target.target.resource_id);
}

// Only one decision about a target at a time.
struct Busy {
  std::set<std::string>& busy;
  std::string key;
  ~Busy() { busy.erase(key); }
};

// "arn:aws:autoscaling:<region>:<account>:scalingPolicy:<id>:resource/ecs/service/<cluster>/<service>:policyName/<name>"
struct PolicyArn {
  std::string space, resource, policy;
};
std::optional<PolicyArn> parse_policy_arn(std::string_view arn) {
  const auto resource_at = arn.find(":resource/"), policy_at = arn.find(":policyName/");
  if (resource_at == std::string_view::npos || policy_at == std::string_view::npos || policy_at < resource_at) return std::nullopt;
  const std::string_view resource = arn.substr(resource_at + 10, policy_at - resource_at - 10);
  const auto slash = resource.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return PolicyArn{std::string(resource.substr(0, slash)), std::string(resource.substr(slash + 1)), std::string(arn.substr(policy_at + 12))};
}

}  // namespace

void Scaler::start(metrics::AlarmTargets& targets) {
  targets.open("autoscaling", [this](const metrics::AlarmNotice& notice) { return on_alarm(notice); });
  arm();
}

Task<Outcome> Scaler::on_alarm(metrics::AlarmNotice notice) {
  const auto named = parse_policy_arn(notice.target);
  if (!named) co_return Err(std::string("The scaling policy's ARN is not valid"));
  for (const Target& target : all_targets(notice.account, notice.region, named->space)) {
    if (target.target.resource_id != named->resource) continue;
    for (const model::ScalingPolicy& policy : target.policies)
      if (policy.policy_arn == notice.target) co_return co_await scale_by_policy(target, policy, notice);
  }
  co_return Err(std::string("The scaling policy does not exist"));
}

Task<Outcome> Scaler::scale_by_policy(Target target, model::ScalingPolicy policy, metrics::AlarmNotice notice) {
  const std::string key = key_of(target);
  if (!busy_.insert(key).second) co_return Outcome();
  const Busy busy{busy_, key};
  const aws::Call call = caller_.internal_call(target.account, target.region);
  const auto read = co_await read_capacity(caller_, call, target.target.resource_id);
  if (!read) co_return Err(fmt::format("{}: {}", read.error().code, read.error().message));
  const auto fresh = again(target);
  if (!fresh) co_return Outcome();
  target = *fresh;
  const std::int32_t current = *read;
  std::optional<std::int32_t> wanted;
  Duration out_cooldown = kDefaultTrackingCooldown, in_cooldown = kDefaultTrackingCooldown;
  if (policy.step_scaling_policy_configuration) {
    const auto& config = *policy.step_scaling_policy_configuration;
    out_cooldown = in_cooldown = config.cooldown ? Duration(std::chrono::seconds(*config.cooldown)) : kDefaultStepCooldown;
    wanted = step_capacity(config, current, notice.value.value_or(notice.threshold) - notice.threshold);
  } else if (policy.target_tracking_scaling_policy_configuration && notice.value) {
    const auto& config = *policy.target_tracking_scaling_policy_configuration;
    if (config.scale_out_cooldown) out_cooldown = std::chrono::seconds(*config.scale_out_cooldown);
    if (config.scale_in_cooldown) in_cooldown = std::chrono::seconds(*config.scale_in_cooldown);
    const bool is_high = notice.alarm.find("-AlarmHigh-") != std::string::npos;
    if (!is_high && co_await others_want_more(call, target, policy.policy_name)) co_return Outcome();
    wanted = tracking_capacity(config.target_value, *notice.value, current, is_high);
  }
  if (!wanted) co_return Outcome();
  *wanted = std::clamp(*wanted, target.target.min_capacity, std::max(target.target.min_capacity, target.target.max_capacity));
  const auto& suspended = target.target.suspended_state;
  if (suspended && *wanted > current && suspended->dynamic_scaling_out_suspended.value_or(false)) co_return Outcome();
  if (suspended && *wanted < current && suspended->dynamic_scaling_in_suspended.value_or(false)) co_return Outcome();
  wanted = after_cooldown(*wanted, current, target.last_out, target.last_in, out_cooldown, in_cooldown, notice.at);
  if (!wanted || *wanted == current) co_return Outcome();
  co_await set_capacity(target, current, *wanted, fmt::format("monitor alarm {} in state ALARM triggered policy {}", notice.alarm, policy.policy_name), notice.at);
  co_return Outcome();
}

// Scaling in needs every target tracking policy to agree.
Task<bool> Scaler::others_want_more(const aws::Call& call, const Target& target, std::string_view policy_name) {
  Json names = Json::array();
  for (const model::ScalingPolicy& policy : target.policies) {
    if (policy.policy_name == policy_name || !policy.target_tracking_scaling_policy_configuration || !policy.alarms) continue;
    for (const model::Alarm& alarm : *policy.alarms)
      if (alarm.alarm_name.find("-AlarmLow-") != std::string::npos) names.push_back(alarm.alarm_name);
  }
  if (names.size() == 0) co_return false;
  const auto out = co_await caller_.invoke_json(call, "cloudwatch", "DescribeAlarms", Json::object({{"AlarmNames", std::move(names)}}));
  if (!out) co_return false;
  const auto& alarms = (*out)["MetricAlarms"].as_array();
  co_return std::any_of(alarms.begin(), alarms.end(), [](const Json& alarm) { return alarm.text("StateValue") != "ALARM"; });
}

Task<void> Scaler::set_capacity(Target target, std::int32_t current, std::int32_t wanted, std::string cause, Time at) {
  const aws::Call call = caller_.internal_call(target.account, target.region);
  const Time began = store::Shard::control().now();
  const auto done = co_await write_capacity(caller_, call, target.target.resource_id, wanted);
  auto fresh = again(target);
  if (!fresh) co_return;
  const Time now = store::Shard::control().now();
  model::ScalingActivity activity;
  activity.activity_id = make_uuid(thread_random());
  activity.service_namespace = target.target.service_namespace;
  activity.resource_id = target.target.resource_id;
  activity.scalable_dimension = target.target.scalable_dimension;
  activity.description = fmt::format("Setting desired count to {}.", wanted);
  activity.cause = std::move(cause);
  activity.start_time = began;
  activity.end_time = now;
  activity.status_code = done ? "Successful" : "Failed";
  activity.status_message = done ? fmt::format("Successfully set desired count to {}. Change successfully fulfilled by ecs.", wanted)
                                 : fmt::format("Failed to set desired count to {}. Reason: {}", wanted, done.error().message);
  fresh->activities.insert(fresh->activities.begin(), std::move(activity));
  if (fresh->activities.size() > kActivitiesMax) fresh->activities.resize(kActivitiesMax);
  if (done) (wanted > current ? fresh->last_out : fresh->last_in) = LastScaling{.at = at, .before = current, .after = wanted};
  save(*fresh);
  if (done && wanted > current && wanted >= fresh->target.max_capacity) tell(*fresh, current, wanted, began, now);
}

// https://docs.aws.amazon.com/autoscaling/application/userguide/monitoring-eventbridge.html
void Scaler::tell(const Target& target, std::int32_t current, std::int32_t wanted, Time began, Time ended) {
  const Json detail = Json::object({{"startTime", format_iso8601(began, true)}, {"endTime", format_iso8601(ended, true)}, {"newDesiredCapacity", wanted}, {"oldDesiredCapacity", current},
                                    {"minCapacity", target.target.min_capacity}, {"maxCapacity", target.target.max_capacity}, {"resourceId", target.target.resource_id},
                                    {"scalableDimension", target.target.scalable_dimension}, {"serviceNamespace", target.target.service_namespace}, {"statusCode", "Successful"},
                                    {"scaledToMax", true}, {"direction", "scale-out"}});
  publisher_.publish({.id = {}, .detail_type = "Application Auto Scaling Scaling Activity State Change", .source = "aws.application-autoscaling", .account = target.account,
                      .region = target.region, .time = ended, .resources = {}, .detail = detail.dump(), .replay_name = {}});
}

Task<void> Scaler::keep_in_bounds(Target target, std::string cause) {
  const std::string key = key_of(target);
  if (!busy_.insert(key).second) co_return;
  const Busy busy{busy_, key};
  const auto current = co_await read_capacity(caller_, caller_.internal_call(target.account, target.region), target.target.resource_id);
  const auto fresh = again(target);
  if (!current || !fresh) co_return;
  const std::int32_t wanted = std::clamp(*current, fresh->target.min_capacity, std::max(fresh->target.min_capacity, fresh->target.max_capacity));
  if (wanted != *current) co_await set_capacity(*fresh, *current, wanted, std::move(cause), store::Shard::control().now());
}

// Schedules are looked at every minute.
void Scaler::arm() {
  store::Shard& shard = store::Shard::control();
  shard.reactor().at(from_seconds(to_seconds(shard.now()) / 60 * 60 + 60), [this] {
    if (stopping_) return;
    run_schedules(store::Shard::control().now()).detach();
    arm();
  });
}

Task<void> Scaler::run_schedules(Time now) {
  for (Target& target : every_target()) {
    bool changed = false;
    std::vector<std::string> causes;
    for (const model::ScheduledAction& action : target.actions) {
      const auto schedule = aws::parse_schedule(action.schedule);
      if (!schedule) continue;
      const Time begin = std::max(action.creation_time, action.start_time.value_or(action.creation_time));
      const Time after = target.action_done.contains(action.scheduled_action_name) ? target.action_done[action.scheduled_action_name] : begin - Duration(1);
      auto due = aws::next_time(*schedule, begin, after);
      if (!due || *due > now || (action.end_time && *due > *action.end_time)) continue;
      // Of several that a jump of the clock skipped, the last one counts.
      for (auto next = due; next && *next <= now; next = aws::next_time(*schedule, begin, now)) due = next;
      target.action_done.insert_or_assign(action.scheduled_action_name, now);
      changed = true;
      if (target.target.suspended_state && target.target.suspended_state->scheduled_scaling_suspended.value_or(false)) continue;
      if (!action.scalable_target_action) continue;
      if (action.scalable_target_action->min_capacity) target.target.min_capacity = *action.scalable_target_action->min_capacity;
      if (action.scalable_target_action->max_capacity) target.target.max_capacity = *action.scalable_target_action->max_capacity;
      causes.push_back(fmt::format("scheduled action name {} was triggered", action.scheduled_action_name));
    }
    if (!changed) continue;
    save(target);
    for (const std::string& cause : causes) co_await keep_in_bounds(target, cause);
  }
}

}  // namespace reef::service::applicationautoscaling
