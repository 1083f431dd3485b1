// Every alarm, in memory and as records: when each is looked at, and what follows when its state changes.
//
// Always true:
// - The record of an alarm has the state that memory has, once the shard committed.
// - A change of state is in the history, and its actions are in the outbox, before the next look.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/cloudwatch.h"
#include "engine/metrics/alarm.h"
#include "engine/metrics/composite_rule.h"
#include "engine/metrics/counters.h"
#include "service/cloudwatch/alarm_actions.h"
#include "service/cloudwatch/alarm_history.h"
#include "service/cloudwatch/data_query.h"

namespace reef::service::cloudwatch {

// The newest data point that an evaluation saw, and its reason data.
struct StateChange {
  metrics::AlarmState state;
  std::string reason, reason_data;
  std::optional<double> value;
};

// A composite alarm's actions that its suppressor holds back.
struct Withheld {
  StateChange change;
  metrics::AlarmState before;
  std::string reason_before;
  Time reached_before;
  std::optional<Time> until;  // of a wait or extension; none while the suppressor is in alarm
};

struct Alarm {
  std::string account, region, name;
  bool is_composite = false;
  model::MetricAlarm metric;        // of a metric alarm
  model::CompositeAlarm composite;  // of a composite one

  // What the settings come to; made from the model.
  metrics::AlarmRule rule;
  std::int64_t period = 60;
  std::optional<metrics::MetricId> metric_id;  // of an alarm on one metric
  std::optional<metrics::Unit> unit;
  metrics::Statistic statistic;
  std::optional<DataQueries> queries;          // of an alarm on an expression
  metrics::CompositeRule composite_rule;
  std::optional<Withheld> withheld;
  std::int64_t looked_at = 0;                  // as of which second it was last evaluated

  std::string scope() const { return account + "/" + region; }
  std::string key() const { return scope() + "/" + name; }
  const std::string& arn() const { return is_composite ? *composite.alarm_arn : *metric.alarm_arn; }
  metrics::AlarmState state() const;
  bool actions_enabled() const { return (is_composite ? composite.actions_enabled : metric.actions_enabled).value_or(true); }
  const std::vector<std::string>& actions(metrics::AlarmState state) const;
  // Looked at every 10 seconds; others every minute.
  bool is_fine() const { return !is_composite && period < 60; }
};

class Alarms {
 public:
  Alarms(metrics::Metrics& metrics, metrics::Counters& counters, AlarmActions& actions, AlarmHistory& history);

  void start();
  void reset();
  void stop() { stopping_ = true; }

  Alarm* find(std::string_view scope, std::string_view name);
  // In order of name.
  std::vector<Alarm*> of_scope(std::string_view scope);
  std::size_t count() const { return alarms_.size(); }
  // Makes or replaces it; the state of the one before stays. The caller has checked it.
  Alarm& put(Alarm alarm, Time now);
  void erase(Alarm& alarm, Time now);
  void save(const Alarm& alarm);
  // Everything that changes its mind about the composite ones follows.
  void set_state(Alarm& alarm, StateChange change, Time now);

  // Derives rule and queries from the model's members. An error is what PutMetricAlarm or PutCompositeAlarm answers.
  static Reply<void> prepare(Alarm& alarm);

 private:
  void arm(bool fine);
  Task<void> look(bool fine, Time due);
  void evaluate(Alarm& alarm, std::int64_t at);
  void evaluate_composites(const std::string& scope, Time now);
  void evaluate_soon(const std::string& key);
  // alarms_suppression.cc: what an ActionsSuppressor holds back.
  void withhold(Alarm& alarm, Withheld what, Time now);
  void settle_withheld(Alarm& alarm, Time now);
  void hold(Alarm& alarm, std::string_view by, std::optional<Time> until);
  void release(Alarm& alarm, Time now);
  void load_withheld(Alarm& alarm);
  bool is_suppressed(const Alarm& alarm);

  metrics::Metrics& metrics_;
  metrics::Counters& counters_;
  AlarmActions& actions_;
  AlarmHistory& history_;
  std::map<std::string, std::unique_ptr<Alarm>, std::less<>> alarms_;
  std::map<std::string, std::set<std::string>, std::less<>> composites_;  // keys by scope
  Time looked_until_[2] = {};
  std::uint64_t generation_ = 0;  // changes when everything is wiped
  bool stopping_ = false;
  int depth_ = 0;                 // of composites of composites
};

}  // namespace reef::service::cloudwatch
