// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html,
// -scalingpolicy
#include "service/applicationautoscaling/resources.h"

#include <fmt/format.h>

#include "aws/loose_values.h"
#include "aws/models/applicationautoscaling.h"
#include "aws/unmodelled_errors.h"
#include "base/text.h"

namespace reef::service::applicationautoscaling::resources {
namespace {

namespace model = aws::applicationautoscaling;
using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> run(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "applicationautoscaling", operation, std::move(input));
}

// A target's Ref: "<resource>|<dimension>|<namespace>".
std::string target_id(const Json& properties) {
  return fmt::format("{}|{}|{}", properties.text("ResourceId"), properties.text("ScalableDimension"), properties.text("ServiceNamespace"));
}
Json target_of(std::string_view id) {
  const auto parts = split(id, '|');
  if (parts.size() != 3) return Json::object();
  return Json::object({{"ResourceId", parts[0]}, {"ScalableDimension", parts[1]}, {"ServiceNamespace", parts[2]}});
}

Task<aws::Reply<void>> put_schedules(const ResourceContext& context, std::string id, Json before, Json after) {
  for (const Json& old : before.as_array()) {
    bool is_kept = false;
    for (const Json& one : after.as_array()) is_kept |= one.text("ScheduledActionName") == old.text("ScheduledActionName");
    if (is_kept) continue;
    Json input = target_of(id);
    input.set("ScheduledActionName", old["ScheduledActionName"]);
    CO_TRY(co_await aws::call_unless_gone(context, "applicationautoscaling", "DeleteScheduledAction", std::move(input), "ObjectNotFoundException"));
  }
  for (const Json& one : after.as_array()) {
    Json input = one;
    const Json target = target_of(id);
    for (const auto& [name, value] : target.as_object()) input.set(name, value);
    CO_TRY(co_await run(context, "PutScheduledAction", aws::fit_to_shape(model::kPutScheduledActionInputShape, std::move(input))));
  }
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> put_target(const ResourceContext& context, Json before, Json properties) {
  const std::string id = target_id(properties);
  const Json schedules = properties["ScheduledActions"];
  properties.erase("ScheduledActions");
  const Json made = CO_TRY(co_await run(context, "RegisterScalableTarget", aws::fit_to_shape(model::kRegisterScalableTargetInputShape, std::move(properties))));
  CO_TRY(co_await put_schedules(context, id, before["ScheduledActions"], schedules));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}, {"ScalableTargetARN", made["ScalableTargetARN"]}})};
}
Task<aws::Reply<ResourceState>> create_target(const ResourceContext& context, const Json& properties) { return put_target(context, Json::object(), properties); }
Task<aws::Reply<ResourceState>> update_target(const ResourceContext& context, const ResourceState&, const Json& before, const Json& after) { return put_target(context, before, after); }
Task<aws::Reply<void>> remove_target(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "applicationautoscaling", "DeregisterScalableTarget", target_of(current.physical_id), "ObjectNotFoundException");
}

Task<aws::Reply<ResourceState>> put_policy(const ResourceContext& context, Json properties) {
  if (const Json* id = properties.find("ScalingTargetId")) {
    const Json target = target_of(id->as_string());
    if (target.size() == 0) co_return Err(aws::validation_exception(fmt::format("Invalid ScalingTargetId: {}", id->as_string())));
    properties.erase("ScalingTargetId");
    for (const auto& [name, value] : target.as_object()) properties.set(name, value);
  }
  const Json made = CO_TRY(co_await run(context, "PutScalingPolicy", aws::fit_to_shape(model::kPutScalingPolicyInputShape, std::move(properties))));
  co_return ResourceState{.physical_id = made.text("PolicyARN"), .attributes = Json::object({{"Arn", made["PolicyARN"]}})};
}
Task<aws::Reply<ResourceState>> create_policy(const ResourceContext& context, const Json& properties) { return put_policy(context, properties); }
Task<aws::Reply<ResourceState>> update_policy(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return put_policy(context, after); }
Task<aws::Reply<void>> remove_policy(const ResourceContext& context, const ResourceState&, const Json& properties) {
  Json input = properties.contains("ScalingTargetId")
                   ? target_of(properties.text("ScalingTargetId"))
                   : Json::object({{"ResourceId", properties["ResourceId"]}, {"ScalableDimension", properties["ScalableDimension"]}, {"ServiceNamespace", properties["ServiceNamespace"]}});
  input.set("PolicyName", properties["PolicyName"]);
  return aws::call_unless_gone(context, "applicationautoscaling", "DeleteScalingPolicy", std::move(input), "ObjectNotFoundException");
}

}  // namespace

const aws::ResourceType kScalableTarget{
    .name = "AWS::ApplicationAutoScaling::ScalableTarget",
    .properties = {{"MaxCapacity", OnChange::kUpdate, true}, {"MinCapacity", OnChange::kUpdate, true}, {"ResourceId", OnChange::kReplace, true}, {"RoleARN"},
                   {"ScalableDimension", OnChange::kReplace, true}, {"ScheduledActions"}, {"ServiceNamespace", OnChange::kReplace, true}, {"SuspendedState"}},
    .create = create_target, .update = update_target, .remove = remove_target};
const aws::ResourceType kScalingPolicy{
    .name = "AWS::ApplicationAutoScaling::ScalingPolicy",
    .properties = {{"PolicyName", OnChange::kReplace, true}, {"PolicyType", OnChange::kUpdate, true}, {"ResourceId", OnChange::kReplace}, {"ScalableDimension", OnChange::kReplace},
                   {"ScalingTargetId", OnChange::kReplace}, {"ServiceNamespace", OnChange::kReplace}, {"StepScalingPolicyConfiguration"}, {"TargetTrackingScalingPolicyConfiguration"}},
    .create = create_policy, .update = update_policy, .remove = remove_policy};

}  // namespace reef::service::applicationautoscaling::resources
