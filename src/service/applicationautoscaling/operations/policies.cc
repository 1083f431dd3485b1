// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html and its companions
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "service/applicationautoscaling/operations.h"

namespace reef::service::applicationautoscaling::operations {
namespace {

Reply<void> check_policy(const model::PutScalingPolicyInput& in, std::string_view type) {
  if (type == "PredictiveScaling" || in.predictive_scaling_policy_configuration) return Err(aws::not_implemented("PolicyType PredictiveScaling"));
  if (type == "StepScaling") {
    if (!in.step_scaling_policy_configuration) return Err(aws::validation_exception("StepScalingPolicyConfiguration is required for policy type StepScaling"));
    const auto& config = *in.step_scaling_policy_configuration;
    if (!config.adjustment_type) return Err(aws::validation_exception("AdjustmentType is required for step scaling policies"));
    if (!config.step_adjustments || config.step_adjustments->empty()) return Err(aws::validation_exception("At least one step adjustment must be specified."));
    for (const model::StepAdjustment& step : *config.step_adjustments)
      if (step.metric_interval_lower_bound && step.metric_interval_upper_bound && *step.metric_interval_lower_bound >= *step.metric_interval_upper_bound)
        return Err(aws::validation_exception("The lower bound of a step adjustment must be less than its upper bound."));
    return {};
  }
  if (!in.target_tracking_scaling_policy_configuration)
    return Err(aws::validation_exception("TargetTrackingScalingPolicyConfiguration is required for policy type TargetTrackingScaling"));
  const auto& config = *in.target_tracking_scaling_policy_configuration;
  if (config.predefined_metric_specification.has_value() == config.customized_metric_specification.has_value())
    return Err(aws::validation_exception("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified."));
  if (!(config.target_value > 0)) return Err(aws::validation_exception("TargetValue must be greater than 0"));
  return {};
}

}  // namespace

Task<Reply<model::PutScalingPolicyOutput>> PutScalingPolicy(ApplicationAutoScaling& service, const model::PutScalingPolicyInput& in, const Call& call) {
  Target target = CO_TRY(need_target(call, in.service_namespace, in.scalable_dimension, in.resource_id));
  const model::ScalingPolicy* before = target.policy(in.policy_name);
  const std::string type = in.policy_type.value_or(before ? before->policy_type : "StepScaling");
  CO_TRY(check_policy(in, type));
  if (before && before->policy_type != type) co_return Err(aws::validation_exception("You can't change the policy type of an existing policy."));
  model::ScalingPolicy policy = before ? *before : model::ScalingPolicy{};
  if (!before) {
    policy.policy_arn = call.arn("autoscaling", fmt::format("scalingPolicy:{}:resource/{}/{}:policyName/{}", make_uuid(thread_random()), in.service_namespace, in.resource_id, in.policy_name));
    policy.policy_name = in.policy_name;
    policy.service_namespace = in.service_namespace;
    policy.resource_id = in.resource_id;
    policy.scalable_dimension = in.scalable_dimension;
    policy.policy_type = type;
    policy.creation_time = call.now;
    policy.alarms.emplace();
  }
  policy.step_scaling_policy_configuration = in.step_scaling_policy_configuration;
  policy.target_tracking_scaling_policy_configuration = in.target_tracking_scaling_policy_configuration;
  if (type == "TargetTrackingScaling") {
    auto alarms = CO_TRY(co_await put_tracking_alarms(service.caller, call, policy));
    policy.alarms = std::move(alarms);
    target = CO_TRY(need_target(call, in.service_namespace, in.scalable_dimension, in.resource_id));  // it may have changed meanwhile
  }
  if (model::ScalingPolicy* place = target.policy(in.policy_name)) *place = policy;
  else target.policies.push_back(policy);
  save(target);
  co_await committed();
  model::PutScalingPolicyOutput out;
  out.policy_arn = policy.policy_arn;
  out.alarms = policy.alarms;
  co_return out;
}

Task<Reply<model::DescribeScalingPoliciesOutput>> DescribeScalingPolicies(ApplicationAutoScaling&, const model::DescribeScalingPoliciesInput& in, const Call& call) {
  model::DescribeScalingPoliciesOutput out;
  auto& all = out.scaling_policies.emplace();
  for (const Target& target : all_targets(call.account, call.region, in.service_namespace))
    for (const model::ScalingPolicy& policy : target.policies)
      if (is_wanted(target, in.resource_id, in.scalable_dimension) &&
          (!in.policy_names || in.policy_names->empty() || std::find(in.policy_names->begin(), in.policy_names->end(), policy.policy_name) != in.policy_names->end()))
        all.push_back(policy);
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  co_return out;
}

Task<Reply<model::DeleteScalingPolicyOutput>> DeleteScalingPolicy(ApplicationAutoScaling& service, const model::DeleteScalingPolicyInput& in, const Call& call) {
  auto target = find_target(call.account, call.region, in.service_namespace, in.scalable_dimension, in.resource_id);
  const model::ScalingPolicy* found = target ? target->policy(in.policy_name) : nullptr;
  if (!found)
    co_return Err(aws::Error(errors::kObjectNotFoundException,
                             fmt::format("No scaling policy found for service namespace: {}, resource ID: {}, scalable dimension: {}, scaling policy name: {}", in.service_namespace,
                                         in.resource_id, in.scalable_dimension, in.policy_name)));
  const model::ScalingPolicy policy = *found;
  std::erase_if(target->policies, [&](const auto& one) { return one.policy_name == in.policy_name; });
  save(*target);
  co_await delete_tracking_alarms(service.caller, call, policy);
  co_await committed();
  co_return model::DeleteScalingPolicyOutput{};
}

}  // namespace reef::service::applicationautoscaling::operations
