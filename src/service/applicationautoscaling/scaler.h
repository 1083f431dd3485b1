// Closes the loop: alarms and schedules change the capacity of targets, within their bounds and cooldowns.
#pragma once

#include <set>
#include <string>

#include "aws/caller.h"
#include "engine/events/publisher.h"
#include "engine/metrics/alarm_targets.h"
#include "service/applicationautoscaling/capacity.h"

namespace reef::service::applicationautoscaling {

class Scaler {
 public:
  Scaler(aws::Caller& caller, const events::Publisher& publisher) : caller_(caller), publisher_(publisher) {}
  void start(metrics::AlarmTargets& targets);
  void stop() { stopping_ = true; }

  // Brings a capacity that is out of its target's bounds into them.
  Task<void> keep_in_bounds(Target target, std::string cause);

 private:
  Task<Result<void, std::string>> on_alarm(metrics::AlarmNotice notice);
  Task<Result<void, std::string>> scale_by_policy(Target target, model::ScalingPolicy policy, metrics::AlarmNotice notice);
  Task<bool> others_want_more(const aws::Call& call, const Target& target, std::string_view policy_name);
  Task<void> set_capacity(Target target, std::int32_t current, std::int32_t wanted, std::string cause, Time at);
  // The event bus hears of a target that reached its most.
  void tell(const Target& target, std::int32_t current, std::int32_t wanted, Time began, Time ended);
  void arm();
  Task<void> run_schedules(Time now);

  aws::Caller& caller_;
  const events::Publisher& publisher_;
  std::set<std::string> busy_;  // targets that something is being decided for
  bool stopping_ = false;
};

// The alarms of a target tracking policy: made, changed and removed with it.
Task<aws::Reply<std::vector<model::Alarm>>> put_tracking_alarms(aws::Caller& caller, const aws::Call& call, const model::ScalingPolicy& policy);
Task<void> delete_tracking_alarms(aws::Caller& caller, const aws::Call& call, const model::ScalingPolicy& policy);

}  // namespace reef::service::applicationautoscaling
