// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
#include "service/ecs/operations/strategy.h"

#include <cmath>

#include <fmt/format.h>

#include "service/ecs/operations.h"

namespace reef::service::ecs::operations {
namespace {

constexpr int kMinutesMax = 1440, kHooksMax = 20, kPauseMinutesMax = 20160;


Reply<void> check_minutes(const std::optional<std::int32_t>& value, std::string_view name) {
  if (value && (*value < 0 || *value > kMinutesMax)) return Err(invalid(fmt::format("{} must be between 0 and {}.", name, kMinutesMax)));
  return {};
}

Reply<void> check_percent(const std::optional<double>& value, double least, std::string_view name) {
  if (!value) return {};
  const double tenths = *value * 10;
  if (*value < least || *value > 100 || std::abs(tenths - std::round(tenths)) > 1e-6) return Err(invalid(fmt::format("{} must be a multiple of 0.1 between {:.1f} and 100.0.", name, least)));
  return {};
}

Reply<void> check_hooks(const std::vector<model::DeploymentLifecycleHook>& hooks) {
  if (hooks.size() > kHooksMax) return Err(invalid(fmt::format("At most {} lifecycle hooks can be specified.", kHooksMax)));
  for (const model::DeploymentLifecycleHook& hook : hooks) {
    if (!hook.lifecycle_stages || hook.lifecycle_stages->empty()) return Err(invalid("lifecycleStages must be specified for a deployment lifecycle hook."));
    for (const std::string& stage : *hook.lifecycle_stages)
      if (!task::parse_stage(stage)) return Err(invalid(fmt::format("Invalid lifecycle stage: {}.", stage)));
    if (hook.target_type == "PAUSE") {
      if (hook.hook_target_arn) return Err(invalid("hookTargetArn cannot be specified for a PAUSE lifecycle hook."));
      if (hook.timeout_configuration && hook.timeout_configuration->timeout_in_minutes && (*hook.timeout_configuration->timeout_in_minutes < 1 || *hook.timeout_configuration->timeout_in_minutes > kPauseMinutesMax))
        return Err(invalid(fmt::format("timeoutInMinutes must be between 1 and {}.", kPauseMinutesMax)));
      continue;
    }
    if (!hook.hook_target_arn || !hook.role_arn) return Err(invalid("hookTargetArn and roleArn must be specified for a deployment lifecycle hook."));
    if (hook.hook_target_arn->find(":lambda:") == std::string::npos || hook.hook_target_arn->find(":function:") == std::string::npos)
      return Err(invalid(fmt::format("Invalid hookTargetArn: {}. Only Lambda functions are supported.", *hook.hook_target_arn)));
  }
  return {};
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html
Reply<void> check_advanced(const Balancers& balancers, std::string_view strategy, bool has_connect) {
  bool any = false;
  for (const model::LoadBalancer& one : balancers.value_or(std::vector<model::LoadBalancer>{})) {
    if (!one.advanced_configuration) {
      if (strategy != "ROLLING") return Err(invalid(fmt::format("advancedConfiguration must be specified for each load balancer when the deployment strategy is {}.", strategy)));
      continue;
    }
    const model::AdvancedConfiguration& more = *one.advanced_configuration;
    any = true;
    if (more.alternate_target_group_arn.value_or("").empty() || more.production_listener_rule.value_or("").empty() || more.role_arn.value_or("").empty())
      return Err(invalid("alternateTargetGroupArn, productionListenerRule and roleArn must be specified in the advancedConfiguration of a load balancer."));
    if (more.alternate_target_group_arn == one.target_group_arn) return Err(invalid("targetGroupArn and alternateTargetGroupArn must be different."));
    for (const auto& rule : {more.production_listener_rule, more.test_listener_rule})
      if (rule && !rule->empty() && rule->find(":listener-rule/") == std::string::npos && rule->find(":listener/") == std::string::npos)
        return Err(invalid(fmt::format("Invalid listener rule: {}.", *rule)));
  }
  if (!any && !has_connect && (strategy == "LINEAR" || strategy == "CANARY")) return Err(invalid(fmt::format("The deployment strategy {} requires a load balancer or Service Connect.", strategy)));
  return {};
}

}  // namespace

Reply<void> check_strategy(const std::optional<model::DeploymentConfiguration>& configuration, const Balancers& balancers, bool has_connect) {
  if (!configuration) return check_advanced(balancers, "ROLLING", has_connect);
  const model::DeploymentConfiguration& in = *configuration;
  const std::string strategy = in.strategy.value_or("ROLLING");
  if (in.maximum_percent.value_or(200) == 100 && in.minimum_healthy_percent == 100) return Err(invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."));
  if (in.canary_configuration && strategy != "CANARY") return Err(invalid("canaryConfiguration can only be specified when the deployment strategy is CANARY."));
  if (in.linear_configuration && strategy != "LINEAR") return Err(invalid("linearConfiguration can only be specified when the deployment strategy is LINEAR."));
  if (in.lifecycle_hooks && !in.lifecycle_hooks->empty()) {
    if (strategy == "ROLLING") return Err(aws::not_implemented("lifecycleHooks with the deployment strategy ROLLING"));
    TRY(check_hooks(*in.lifecycle_hooks));
  }
  if (in.alarms && in.alarms->enable && in.alarms->alarm_names.empty()) return Err(invalid("alarmNames must be specified when deployment alarms are enabled."));
  TRY(check_minutes(in.bake_time_in_minutes, "bakeTimeInMinutes"));
  if (in.canary_configuration) {
    TRY(check_percent(in.canary_configuration->canary_percent, 0.1, "canaryPercent"));
    TRY(check_minutes(in.canary_configuration->canary_bake_time_in_minutes, "canaryBakeTimeInMinutes"));
  }
  if (in.linear_configuration) {
    TRY(check_percent(in.linear_configuration->step_percent, 3, "stepPercent"));
    TRY(check_minutes(in.linear_configuration->step_bake_time_in_minutes, "stepBakeTimeInMinutes"));
  }
  return check_advanced(balancers, strategy, has_connect);
}

model::DeploymentConfiguration merged(const std::optional<model::DeploymentConfiguration>& change, const std::optional<model::DeploymentConfiguration>& before) {
  model::DeploymentConfiguration out = before.value_or(model::DeploymentConfiguration{});
  if (!change) return out;
  if (change->strategy && change->strategy != out.strategy) {
    out.canary_configuration.reset();
    out.linear_configuration.reset();
    if (change->strategy == "ROLLING") out.lifecycle_hooks.reset();
  }
  const auto take = [](auto& to, const auto& from) {
    if (from) to = from;
  };
  take(out.deployment_circuit_breaker, change->deployment_circuit_breaker);
  take(out.maximum_percent, change->maximum_percent);
  take(out.minimum_healthy_percent, change->minimum_healthy_percent);
  take(out.alarms, change->alarms);
  take(out.strategy, change->strategy);
  take(out.bake_time_in_minutes, change->bake_time_in_minutes);
  take(out.lifecycle_hooks, change->lifecycle_hooks);
  take(out.linear_configuration, change->linear_configuration);
  take(out.canary_configuration, change->canary_configuration);
  return out;
}

}  // namespace reef::service::ecs::operations
