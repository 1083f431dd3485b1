// What alarms do when their state changes: functions are invoked, topics published to, and whoever registered with
// metrics::AlarmTargets is told. Through the outbox: at least once, also after a restart.
#pragma once

#include <string>

#include "aws/caller.h"
#include "engine/delivery/deliveries.h"
#include "engine/events/publisher.h"
#include "engine/metrics/alarm_targets.h"
#include "service/cloudwatch/alarm_history.h"

namespace reef::service::cloudwatch {

struct Alarm;
struct StateChange;

class AlarmActions {
 public:
  AlarmActions(aws::Caller& caller, delivery::Deliveries& deliveries, const metrics::AlarmTargets& targets, AlarmHistory& history, const events::Publisher& publisher)
      : caller_(caller), deliveries_(deliveries), targets_(targets), history_(history), publisher_(publisher) {}

  void start();
  // After the alarm took its new state; `before` is what it had.
  void add(const Alarm& alarm, const StateChange& change, metrics::AlarmState before, const std::string& reason_before, Time reached_before, Time now);
  // Tells the event bus, whether the alarm's actions are enabled or not.
  void tell(const Alarm& alarm, const StateChange& change, metrics::AlarmState before, const std::string& reason_before, const std::string& data_before, Time reached_before, Time now);
  // Tells those among its targets that want to hear it again while the state stays.
  void repeat(const Alarm& alarm, std::optional<double> value, Time now);

 private:
  struct Event;
  Task<delivery::Verdict> attempt(const delivery::Entry& entry);
  Task<Result<void, std::string>> act(const Event& event);
  aws::Caller& caller_;
  delivery::Deliveries& deliveries_;
  const metrics::AlarmTargets& targets_;
  AlarmHistory& history_;
  const events::Publisher& publisher_;
};

// "lambda" of "arn:aws:lambda:..."
std::string_view arn_service(std::string_view arn);

}  // namespace reef::service::cloudwatch
