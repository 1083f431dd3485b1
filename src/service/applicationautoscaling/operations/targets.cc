// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html and its companions
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "service/applicationautoscaling/operations.h"

namespace reef::service::applicationautoscaling {

Reply<Target> need_target(const Call& call, const std::string& space, const std::string& dimension, const std::string& resource) {
  auto target = find_target(call.account, call.region, space, dimension, resource);
  if (target) return *std::move(target);
  return Err(aws::Error(errors::kObjectNotFoundException, fmt::format("No scalable target registered for service namespace: {}, resource ID: {}, scalable dimension: {}", space,
                                                                      resource, dimension)));
}

namespace operations {
namespace {

constexpr std::size_t kTargetTagsMax = 50;

Reply<Target> by_arn(const Call& call, const std::string& arn) {
  for (const std::string_view space : {"ecs"})
    for (Target& target : all_targets(call.account, call.region, space))
      if (target.target.scalable_target_arn == arn) return std::move(target);
  aws::Error error(errors::kResourceNotFoundException, fmt::format("The specified resource {} doesn't exist.", arn));
  error.fields.set("ResourceName", arn);
  return Err(std::move(error));
}

}  // namespace

Task<Reply<model::RegisterScalableTargetOutput>> RegisterScalableTarget(ApplicationAutoScaling& service, const model::RegisterScalableTargetInput& in, const Call& call) {
  CO_TRY(check_dimension(in.service_namespace, in.scalable_dimension, in.resource_id));
  CO_TRY(co_await read_capacity(service.caller, call, in.resource_id));  // it must be there
  auto found = find_target(call.account, call.region, in.service_namespace, in.scalable_dimension, in.resource_id);
  if (!found && (!in.min_capacity || !in.max_capacity))
    co_return Err(aws::validation_exception("MinCapacity and MaxCapacity are required when you register a new scalable target."));
  Target target = found.value_or(Target{.account = call.account, .region = call.region});
  if (!found) {
    target.target.service_namespace = in.service_namespace;
    target.target.resource_id = in.resource_id;
    target.target.scalable_dimension = in.scalable_dimension;
    target.target.creation_time = call.now;
    target.target.role_arn = fmt::format("arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService", call.account);
    target.target.scalable_target_arn = call.arn("application-autoscaling", "scalable-target/" + make_token(thread_random(), 36, "0123456789abcdef"));
    target.target.suspended_state = model::SuspendedState{.dynamic_scaling_in_suspended = false, .dynamic_scaling_out_suspended = false, .scheduled_scaling_suspended = false};
  }
  if (in.min_capacity) target.target.min_capacity = *in.min_capacity;
  if (in.max_capacity) target.target.max_capacity = *in.max_capacity;
  if (target.target.min_capacity > target.target.max_capacity) co_return Err(aws::validation_exception("Maximum capacity cannot be less than minimum capacity"));
  if (target.target.min_capacity < 0) co_return Err(aws::validation_exception("Minimum capacity cannot be negative"));
  if (in.role_arn) target.target.role_arn = *in.role_arn;
  if (in.suspended_state) {
    auto& state = *target.target.suspended_state;
    if (in.suspended_state->dynamic_scaling_in_suspended) state.dynamic_scaling_in_suspended = in.suspended_state->dynamic_scaling_in_suspended;
    if (in.suspended_state->dynamic_scaling_out_suspended) state.dynamic_scaling_out_suspended = in.suspended_state->dynamic_scaling_out_suspended;
    if (in.suspended_state->scheduled_scaling_suspended) state.scheduled_scaling_suspended = in.suspended_state->scheduled_scaling_suspended;
  }
  if (in.tags && !found) target.tags.insert(in.tags->begin(), in.tags->end());
  save(target);
  co_await committed();
  service.scaler.keep_in_bounds(target, fmt::format("minimum capacity was set to {}, maximum capacity to {}", target.target.min_capacity, target.target.max_capacity)).detach();
  model::RegisterScalableTargetOutput out;
  out.scalable_target_arn = target.target.scalable_target_arn;
  co_return out;
}

Task<Reply<model::DescribeScalableTargetsOutput>> DescribeScalableTargets(ApplicationAutoScaling&, const model::DescribeScalableTargetsInput& in, const Call& call) {
  model::DescribeScalableTargetsOutput out;
  auto& all = out.scalable_targets.emplace();
  for (const Target& target : all_targets(call.account, call.region, in.service_namespace)) {
    if (!is_wanted(target, std::nullopt, in.scalable_dimension)) continue;
    if (in.resource_ids && !in.resource_ids->empty() && std::find(in.resource_ids->begin(), in.resource_ids->end(), target.target.resource_id) == in.resource_ids->end()) continue;
    all.push_back(target.target);
  }
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  co_return out;
}

Task<Reply<model::DeregisterScalableTargetOutput>> DeregisterScalableTarget(ApplicationAutoScaling& service, const model::DeregisterScalableTargetInput& in, const Call& call) {
  const Target target = CO_TRY(need_target(call, in.service_namespace, in.scalable_dimension, in.resource_id));
  erase(target);
  for (const model::ScalingPolicy& policy : target.policies) co_await delete_tracking_alarms(service.caller, call, policy);
  co_await committed();
  co_return model::DeregisterScalableTargetOutput{};
}

Task<Reply<model::DescribeScalingActivitiesOutput>> DescribeScalingActivities(ApplicationAutoScaling&, const model::DescribeScalingActivitiesInput& in, const Call& call) {
  model::DescribeScalingActivitiesOutput out;
  auto& all = out.scaling_activities.emplace();
  for (const Target& target : all_targets(call.account, call.region, in.service_namespace))
    if (is_wanted(target, in.resource_id, in.scalable_dimension)) all.insert(all.end(), target.activities.begin(), target.activities.end());
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  co_return out;
}

Task<Reply<model::TagResourceOutput>> TagResource(ApplicationAutoScaling&, const model::TagResourceInput& in, const Call& call) {
  Target target = CO_TRY(by_arn(call, in.resource_arn));
  for (const auto& [key, value] : in.tags) target.tags.insert_or_assign(key, value);
  if (target.tags.size() > kTargetTagsMax) co_return Err(aws::Error(errors::kTooManyTagsException, "The request contains too many tags."));
  save(target);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(ApplicationAutoScaling&, const model::UntagResourceInput& in, const Call& call) {
  Target target = CO_TRY(by_arn(call, in.resource_arn));
  for (const std::string& key : in.tag_keys) target.tags.erase(key);
  save(target);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(ApplicationAutoScaling&, const model::ListTagsForResourceInput& in, const Call& call) {
  const Target target = CO_TRY(by_arn(call, in.resource_arn));
  model::ListTagsForResourceOutput out;
  out.tags = target.tags;
  co_return out;
}

}  // namespace operations
}  // namespace reef::service::applicationautoscaling
