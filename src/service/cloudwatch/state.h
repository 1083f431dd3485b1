// CloudWatch over engine/metrics: data points, statistics, metric math, alarms with their actions and history,
// dashboards. On the control shard.
#pragma once

#include "service/cloudwatch/alarms.h"

namespace reef::service::cloudwatch {

struct Cloudwatch {
  explicit Cloudwatch(Parts& parts)
      : metrics(parts.get<metrics::Metrics>()), counters(parts.get<metrics::Counters>()), history(parts.get<store::Kv>()),
        actions(parts.get<aws::Caller>(), parts.get<delivery::Deliveries>(), parts.get<metrics::AlarmTargets>(), history, parts.get<events::Publisher>()), alarms(metrics, counters, actions, history) {}
  void start() {
    metrics.start();
    actions.start();
    alarms.start();
  }
  void stop() { alarms.stop(); }
  void reset() {
    counters.forget();
    alarms.reset();
  }

  metrics::Metrics& metrics;
  metrics::Counters& counters;
  AlarmHistory history;
  AlarmActions actions;
  Alarms alarms;
};

}  // namespace reef::service::cloudwatch
