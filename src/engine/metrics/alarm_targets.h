// Who acts when an alarm rings, besides functions and topics: a service registers for what its ARNs begin with, and is
// told by the service that keeps alarms. On the control shard.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "engine/metrics/alarm.h"

namespace reef::metrics {

struct AlarmNotice {
  std::string target;            // the ARN that the alarm names
  std::string alarm, alarm_arn;  // its name and ARN
  std::string account, region;
  AlarmState state = AlarmState::kAlarm;
  std::optional<double> value;   // the newest data point
  double threshold = 0;
  Time at{};
};

class AlarmTargets {
 public:
  // Acts on a notice; an error says why it could not.
  using Act = std::function<Task<Result<void, std::string>>(const AlarmNotice& notice)>;

  // `service`: the third part of the ARNs: "autoscaling". The notice also comes once a minute while the alarm stays.
  void open(std::string service, Act act) { acts_[std::move(service)] = std::move(act); }
  const Act* find(std::string_view service) const {
    const auto found = acts_.find(service);
    return found == acts_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, Act, std::less<>> acts_;
};

}  // namespace reef::metrics
