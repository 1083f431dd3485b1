// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html and its companions
#include <algorithm>

#include <fmt/format.h>

#include "aws/schedule.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "service/applicationautoscaling/operations.h"

namespace reef::service::applicationautoscaling::operations {

Task<Reply<model::PutScheduledActionOutput>> PutScheduledAction(ApplicationAutoScaling&, const model::PutScheduledActionInput& in, const Call& call) {
  Target target = CO_TRY(need_target(call, in.service_namespace, in.scalable_dimension, in.resource_id));
  model::ScheduledAction* before = target.action(in.scheduled_action_name);
  if (in.timezone && *in.timezone != "UTC" && *in.timezone != "Etc/UTC") co_return Err(aws::not_implemented(fmt::format("Timezone {} of PutScheduledAction", *in.timezone)));
  if (!before && !in.schedule) co_return Err(aws::validation_exception("Schedule is required."));
  if (in.schedule && !aws::parse_schedule(*in.schedule)) co_return Err(aws::validation_exception(fmt::format("Invalid schedule expression: {}", *in.schedule)));
  if (!before && !in.scalable_target_action) co_return Err(aws::validation_exception("At least one of MinCapacity and MaxCapacity of ScalableTargetAction is required."));
  if (in.scalable_target_action && in.scalable_target_action->min_capacity && in.scalable_target_action->max_capacity &&
      *in.scalable_target_action->min_capacity > *in.scalable_target_action->max_capacity)
    co_return Err(aws::validation_exception("Maximum capacity cannot be less than minimum capacity"));
  if (!before) {
    before = &target.actions.emplace_back();
    before->scheduled_action_name = in.scheduled_action_name;
    before->scheduled_action_arn = call.arn("autoscaling", fmt::format("scheduledAction:{}:resource/{}/{}:scheduledActionName/{}", make_uuid(thread_random()), in.service_namespace,
                                                                       in.resource_id, in.scheduled_action_name));
    before->service_namespace = in.service_namespace;
    before->resource_id = in.resource_id;
    before->scalable_dimension = in.scalable_dimension;
    before->creation_time = call.now;
  }
  if (in.schedule) {
    before->schedule = *in.schedule;
    target.action_done.insert_or_assign(in.scheduled_action_name, call.now);  // what was due before it was put is past
  }
  if (in.timezone) before->timezone = in.timezone;
  before->start_time = in.start_time;
  before->end_time = in.end_time;
  if (in.scalable_target_action) before->scalable_target_action = in.scalable_target_action;
  save(target);
  co_await committed();
  co_return model::PutScheduledActionOutput{};
}

Task<Reply<model::DescribeScheduledActionsOutput>> DescribeScheduledActions(ApplicationAutoScaling&, const model::DescribeScheduledActionsInput& in, const Call& call) {
  model::DescribeScheduledActionsOutput out;
  auto& all = out.scheduled_actions.emplace();
  for (const Target& target : all_targets(call.account, call.region, in.service_namespace))
    for (const model::ScheduledAction& action : target.actions) {
      if (in.resource_id && action.resource_id != *in.resource_id) continue;
      if (in.scalable_dimension && action.scalable_dimension != *in.scalable_dimension) continue;
      if (in.scheduled_action_names && !in.scheduled_action_names->empty() &&
          std::find(in.scheduled_action_names->begin(), in.scheduled_action_names->end(), action.scheduled_action_name) == in.scheduled_action_names->end())
        continue;
      all.push_back(action);
    }
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  co_return out;
}

Task<Reply<model::DeleteScheduledActionOutput>> DeleteScheduledAction(ApplicationAutoScaling&, const model::DeleteScheduledActionInput& in, const Call& call) {
  auto target = find_target(call.account, call.region, in.service_namespace, in.scalable_dimension, in.resource_id);
  if (!target || !target->action(in.scheduled_action_name))
    co_return Err(aws::Error(errors::kObjectNotFoundException,
                             fmt::format("No scheduled action found for service namespace: {}, resource ID: {}, scalable dimension: {}, scheduled action name: {}", in.service_namespace,
                                         in.resource_id, in.scalable_dimension, in.scheduled_action_name)));
  std::erase_if(target->actions, [&](const auto& one) { return one.scheduled_action_name == in.scheduled_action_name; });
  target->action_done.erase(in.scheduled_action_name);
  save(*target);
  co_await committed();
  co_return model::DeleteScheduledActionOutput{};
}

}  // namespace reef::service::applicationautoscaling::operations
