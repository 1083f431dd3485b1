// Scalable targets with their policies, scheduled actions and activities: a record for each, on the control shard.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/call.h"
#include "aws/error.h"
#include "service/applicationautoscaling/scaling_math.h"

namespace reef::service::applicationautoscaling {

inline constexpr std::size_t kActivitiesMax = 100;

struct Target {
  std::string account, region;
  model::ScalableTarget target;
  std::vector<model::ScalingPolicy> policies;
  std::vector<model::ScheduledAction> actions;
  std::map<std::string, Time, std::less<>> action_done;  // when each was last due
  std::vector<model::ScalingActivity> activities;        // newest first
  std::map<std::string, std::string, std::less<>> tags;
  std::optional<LastScaling> last_out, last_in;

  model::ScalingPolicy* policy(std::string_view name);
  model::ScheduledAction* action(std::string_view name);
};

std::optional<Target> find_target(std::string_view account, std::string_view region, std::string_view space, std::string_view dimension, std::string_view resource);
void save(const Target& target);
void erase(const Target& target);
// Of an account and region, in order of namespace, dimension and resource.
std::vector<Target> all_targets(std::string_view account, std::string_view region, std::string_view space);
// Of every account and region.
std::vector<Target> every_target();

}  // namespace reef::service::applicationautoscaling
