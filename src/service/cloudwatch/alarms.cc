#include "service/cloudwatch/alarms.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/log.h"

namespace reef::service::cloudwatch {
namespace {

using metrics::AlarmState;
using wire::Json;

constexpr std::string_view kMetricPrefix = "cloudwatch/alarm/", kCompositePrefix = "cloudwatch/composite/";
constexpr std::size_t kSlice = 100;           // alarms looked at between two looks at the network
constexpr std::size_t kCatchUpMax = 20'000;   // evaluations after the clock jumped: two weeks of one alarm
constexpr int kCompositeDepthMax = 20;

std::string record_key(const Alarm& alarm) { return fmt::format("{}{}", alarm.is_composite ? kCompositePrefix : kMetricPrefix, alarm.key()); }

std::int64_t cadence(bool fine) { return fine ? 10 : 60; }

const std::vector<std::string>& list_or_empty(const std::optional<std::vector<std::string>>& list) {
  static const std::vector<std::string> kNone;
  return list ? *list : kNone;
}

// Lets the loop look at everything else before going on.
struct NextTick {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    store::Shard::control().reactor().post([waiter] { waiter.resume(); });
  }
  void await_resume() const {}
};

std::string java_time(Time time) {
  std::string text = format_iso8601(time, true);
  text.pop_back();
  return text + "+0000";
}

Json reason_data(const Alarm& alarm, const metrics::AlarmVerdict& verdict, std::int64_t at) {
  Json data = Json::object({{"version", "1.0"}, {"queryDate", java_time(from_seconds(at))}});
  if (!verdict.evaluated.empty()) data.set("startDate", java_time(from_seconds(verdict.evaluated.back().second)));
  if (alarm.metric.statistic) data.set("statistic", *alarm.metric.statistic);
  else if (alarm.metric.extended_statistic) data.set("statistic", *alarm.metric.extended_statistic);
  data.set("period", alarm.period);
  Json& recent = data.set("recentDatapoints", Json::array());
  for (auto point = verdict.evaluated.rbegin(); point != verdict.evaluated.rend(); ++point) recent.push_back(Json::number(metrics::alarm_number(point->value)));
  data.set("threshold", Json::number(metrics::alarm_number(alarm.rule.threshold)));
  Json& evaluated = data.set("evaluatedDatapoints", Json::array());
  for (const metrics::AlarmPoint& point : verdict.evaluated) {
    Json one = Json::object({{"timestamp", java_time(from_seconds(point.second))}});
    if (point.samples > 0 && !alarm.queries) one.set("sampleCount", Json::number(metrics::alarm_number(point.samples)));
    one.set("value", Json::number(metrics::alarm_number(point.value)));
    evaluated.push_back(std::move(one));
  }
  return data;
}

}  // namespace

AlarmState Alarm::state() const {
  return metrics::parse_alarm_state((is_composite ? composite.state_value : metric.state_value).value_or("")).value_or(AlarmState::kInsufficientData);
}

const std::vector<std::string>& Alarm::actions(AlarmState state) const {
  switch (state) {
    case AlarmState::kOk: return list_or_empty(is_composite ? composite.ok_actions : metric.ok_actions);
    case AlarmState::kAlarm: return list_or_empty(is_composite ? composite.alarm_actions : metric.alarm_actions);
    case AlarmState::kInsufficientData: break;
  }
  return list_or_empty(is_composite ? composite.insufficient_data_actions : metric.insufficient_data_actions);
}

Alarms::Alarms(metrics::Metrics& metrics, metrics::Counters& counters, AlarmActions& actions, AlarmHistory& history)
    : metrics_(metrics), counters_(counters), actions_(actions), history_(history) {}

void Alarms::start() {
  const auto load = [this](std::string_view prefix, bool is_composite) {
    store::Shard::control().records().scan(prefix, [&](std::string_view key, const std::string& text) {
      Alarm alarm{.is_composite = is_composite};
      const std::string_view path = key.substr(prefix.size());
      const auto account_end = path.find('/'), region_end = path.find('/', account_end + 1);
      alarm.account = path.substr(0, account_end);
      alarm.region = path.substr(account_end + 1, region_end - account_end - 1);
      alarm.name = path.substr(region_end + 1);
      bool is_read = false;
      if (is_composite) {
        if (auto composite = aws::from_json_text<model::CompositeAlarm>(text)) alarm.composite = *std::move(composite), is_read = true;
      } else if (auto metric = aws::from_json_text<model::MetricAlarm>(text)) {
        alarm.metric = *std::move(metric), is_read = true;
      }
      if (is_read && prepare(alarm)) {
        const std::string own_key = alarm.key();  // before it moves: what is assigned is evaluated first
        if (is_composite) composites_[alarm.scope()].insert(own_key);
        alarms_[own_key] = std::make_unique<Alarm>(std::move(alarm));
      }
      else log::error("an alarm's record cannot be read", {{"key", key}});
      return true;
    });
  };
  load(kMetricPrefix, false);
  load(kCompositePrefix, true);
  const Time now = store::Shard::control().now();
  for (const auto& [key, alarm] : alarms_)
    if (alarm->is_composite && alarm->composite.actions_suppressor) load_withheld(*alarm);
  for (const bool fine : {false, true}) {
    looked_until_[fine] = now;
    arm(fine);
  }
}

void Alarms::reset() {
  alarms_.clear();
  composites_.clear();
  ++generation_;
}

void Alarms::arm(bool fine) {
  store::Shard& shard = store::Shard::control();
  const std::int64_t step = cadence(fine);
  const Time due = from_seconds(to_seconds(looked_until_[fine]) / step * step + step);
  shard.reactor().at(due, [this, fine, due] { look(fine, due).detach(); });
}

// Looks at every alarm as of each due time that has passed; after a jump of the clock that may be many.
Task<void> Alarms::look(bool fine, Time due) {
  const std::int64_t step = cadence(fine);
  const std::uint64_t generation = generation_;
  std::vector<std::string> keys;
  for (const auto& [key, alarm] : alarms_)
    if (alarm->is_fine() == fine && !alarm->is_composite) keys.push_back(key);
  const Time now = store::Shard::control().now();
  std::int64_t first = to_seconds(due);
  const std::int64_t last = to_seconds(now) / step * step;
  if (!keys.empty()) {
    const auto steps_max = static_cast<std::int64_t>(std::max<std::size_t>(kCatchUpMax / keys.size(), 1));
    first = std::max(first, last - (steps_max - 1) * step);
    co_await counters_.collect();
  }
  std::size_t done = 0;
  for (std::int64_t at = first; at <= last && !keys.empty(); at += step)
    for (const std::string& key : keys) {
      if (stopping_) co_return;
      if (generation != generation_) break;
      if (const auto found = alarms_.find(key); found != alarms_.end()) evaluate(*found->second, at);
      if (++done % kSlice == 0) co_await NextTick{};
    }
  if (!fine && to_seconds(now) / 3600 != to_seconds(looked_until_[fine]) / 3600) history_.expire(now);
  looked_until_[fine] = std::max(from_seconds(last), due);
  if (!stopping_) arm(fine);
}

void Alarms::evaluate(Alarm& alarm, std::int64_t at) {
  if (at <= alarm.looked_at) return;  // what rings must act once a minute, not twice
  alarm.looked_at = at;
  const std::int32_t range = metrics::evaluation_range(alarm.rule);
  const std::int64_t from = at - range * alarm.period;
  std::vector<std::optional<metrics::AlarmPoint>> points(static_cast<std::size_t>(range));
  const auto set = [&](std::int64_t second, double value, double samples) {
    const std::int64_t index = range - 1 - (second - from) / alarm.period;  // newest first
    if (second >= from && index >= 0 && index < range) points[static_cast<std::size_t>(index)] = metrics::AlarmPoint{second, value, samples};
  };
  if (alarm.metric_id) {
    for (const metrics::Bucket& bucket : metrics_.read(*alarm.metric_id, alarm.unit, from, at, alarm.period))
      if (const auto value = metrics::compute(alarm.statistic, bucket)) set(bucket.second, *value, bucket.summary.count);
  } else if (alarm.queries) {
    const auto answers = alarm.queries->evaluate(metrics_, from, at, at, true);
    if (!answers) {
      alarm.metric.evaluation_state = "EVALUATION_ERROR";
      return;
    }
    if (!answers->empty())
      for (const auto& [second, value] : answers->front().series.points) set(second, value, 0);
  }
  const AlarmState before = alarm.state();
  const metrics::AlarmVerdict verdict = metrics::evaluate_alarm(alarm.rule, points, before);
  const std::optional<double> newest = verdict.evaluated.empty() ? std::nullopt : std::optional(verdict.evaluated.front().value);
  const Time now = from_seconds(at);
  if (verdict.state != before) set_state(alarm, {verdict.state, verdict.reason, reason_data(alarm, verdict, at).dump(), newest}, now);
  else if (before == AlarmState::kAlarm && alarm.actions_enabled()) actions_.repeat(alarm, newest, now);
}

// A new alarm is looked at without waiting for its time.
void Alarms::evaluate_soon(const std::string& key) {
  store::Shard& shard = store::Shard::control();
  shard.reactor().at(shard.now() + 1s, [this, key] {
    [](Alarms& self, std::string wanted) -> Task<void> {
      co_await self.counters_.collect();
      const auto found = self.alarms_.find(wanted);
      if (found == self.alarms_.end() || self.stopping_) co_return;
      Alarm& alarm = *found->second;
      const Time now = store::Shard::control().now();
      const std::int64_t step = cadence(alarm.is_fine());
      if (alarm.is_composite) self.evaluate_composites(alarm.scope(), now);
      else self.evaluate(alarm, to_seconds(now) / step * step);
    }(*this, key).detach();
  });
}

void Alarms::set_state(Alarm& alarm, StateChange change, Time now) {
  const AlarmState before = alarm.state();
  const auto apply = [&](auto& model) {
    const std::pair<std::string, Time> old{model.state_reason.value_or(""), model.state_updated_timestamp.value_or(now)};
    model.state_value = std::string(metrics::alarm_state_name(change.state));
    model.state_reason = change.reason;
    model.state_reason_data = change.reason_data.empty() ? std::nullopt : std::optional(change.reason_data);
    model.state_updated_timestamp = now;
    if (change.state != before) model.state_transitioned_timestamp = now;
    return old;
  };
  const std::string old_data = (alarm.is_composite ? alarm.composite.state_reason_data : alarm.metric.state_reason_data).value_or("");
  const auto [old_reason, old_time] = alarm.is_composite ? apply(alarm.composite) : apply(alarm.metric);
  save(alarm);
  if (change.state == before) return;
  const auto side = [](AlarmState state, const std::string& reason, const std::string& data) {
    Json out = Json::object({{"stateValue", metrics::alarm_state_name(state)}, {"stateReason", reason}});
    if (auto parsed = Json::parse(data); parsed && parsed->is_object()) out.set("stateReasonData", *std::move(parsed));
    return out;
  };
  history_.add(alarm.scope(), alarm.name, alarm.is_composite, "StateUpdate",
               fmt::format("Alarm updated from {} to {}", metrics::alarm_state_name(before), metrics::alarm_state_name(change.state)),
               Json::object({{"version", "1.0"}, {"oldState", side(before, old_reason, old_data)}, {"newState", side(change.state, change.reason, change.reason_data)}}), now);
  actions_.tell(alarm, change, before, old_reason, old_data, old_time, now);
  if (alarm.actions_enabled() && alarm.is_composite && alarm.composite.actions_suppressor)
    withhold(alarm, {.change = change, .before = before, .reason_before = old_reason, .reached_before = old_time, .until = {}}, now);
  else if (alarm.actions_enabled())
    actions_.add(alarm, change, before, old_reason, old_time, now);
  evaluate_composites(alarm.scope(), now);
}

void Alarms::evaluate_composites(const std::string& scope, Time now) {
  const auto composites = composites_.find(scope);
  if (composites == composites_.end() || depth_ >= kCompositeDepthMax) return;
  ++depth_;
  for (const std::string& key : composites->second) {
    Alarm* alarm = alarms_.find(key)->second.get();
    settle_withheld(*alarm, now);
    const bool holds = metrics::evaluate_composite_rule(alarm->composite_rule, [&](const std::string& name) -> std::optional<AlarmState> {
      const Alarm* other = find(scope, name.starts_with("arn:") ? std::string_view(name).substr(name.find(":alarm:") + 7) : std::string_view(name));
      return other ? std::optional(other->state()) : std::nullopt;
    });
    const AlarmState state = holds ? AlarmState::kAlarm : AlarmState::kOk;
    if (state == alarm->state()) continue;
    set_state(*alarm, {state, fmt::format("{} transitioned to {} at {}", alarm->composite.alarm_rule.value_or(""), metrics::alarm_state_name(state), format_iso8601(now)), "", {}}, now);
  }
  --depth_;
}

Alarm* Alarms::find(std::string_view scope, std::string_view name) {
  const auto found = alarms_.find(fmt::format("{}/{}", scope, name));
  return found == alarms_.end() ? nullptr : found->second.get();
}

std::vector<Alarm*> Alarms::of_scope(std::string_view scope) {
  const std::string prefix = std::string(scope) + "/";
  std::vector<Alarm*> out;
  for (auto at = alarms_.lower_bound(prefix); at != alarms_.end() && at->first.starts_with(prefix); ++at) out.push_back(at->second.get());
  return out;
}

void Alarms::save(const Alarm& alarm) {
  store::Shard::control().records().put(record_key(alarm), alarm.is_composite ? aws::to_json_text(alarm.composite) : aws::to_json_text(alarm.metric));
}

Alarm& Alarms::put(Alarm alarm, Time now) {
  const std::string key = alarm.key();
  std::unique_ptr<Alarm>& place = alarms_[key];
  const bool is_new = !place;
  const Json settings = alarm.is_composite ? aws::to_json(alarm.composite) : aws::to_json(alarm.metric);
  if (place) *place = std::move(alarm);
  else place = std::make_unique<Alarm>(std::move(alarm));
  if (place->is_composite) composites_[place->scope()].insert(key);
  if (place->is_composite && !place->withheld) hold(*place, "", {});  // nothing of what it replaces
  save(*place);
  history_.add(place->scope(), place->name, place->is_composite, "ConfigurationUpdate", fmt::format("Alarm \"{}\" {}", place->name, is_new ? "created" : "updated"),
               Json::object({{"version", "1.0"}, {"type", is_new ? "Create" : "Update"}, {is_new ? "createdAlarm" : "updatedAlarm", settings}}), now);
  evaluate_soon(key);
  return *place;
}

void Alarms::erase(Alarm& alarm, Time now) {
  const std::string scope = alarm.scope();
  history_.add(scope, alarm.name, alarm.is_composite, "ConfigurationUpdate", fmt::format("Alarm \"{}\" deleted", alarm.name),
               Json::object({{"version", "1.0"}, {"type", "Delete"}, {"deletedAlarm", alarm.is_composite ? aws::to_json(alarm.composite) : aws::to_json(alarm.metric)}}), now);
  store::Shard::control().records().erase(record_key(alarm));
  alarm.withheld.reset();
  if (alarm.is_composite) hold(alarm, "", {});
  if (alarm.is_composite) composites_[scope].erase(alarm.key());
  alarms_.erase(alarm.key());
  evaluate_composites(scope, now);
}

Reply<void> Alarms::prepare(Alarm& alarm) {
  if (alarm.is_composite) {
    auto rule = metrics::parse_composite_rule(alarm.composite.alarm_rule.value_or(""));
    if (!rule) return Err(aws::validation_error(fmt::format("AlarmRule must not contain invalid expressions: {}", rule.error())));
    alarm.composite_rule = *std::move(rule);
    return {};
  }
  const model::MetricAlarm& from = alarm.metric;
  alarm.rule.comparison = metrics::parse_comparison(from.comparison_operator.value_or("")).value_or(metrics::Comparison::kGreater);
  alarm.rule.threshold = from.threshold.value_or(0);
  alarm.rule.evaluation_periods = from.evaluation_periods.value_or(1);
  alarm.rule.datapoints_to_alarm = from.datapoints_to_alarm.value_or(alarm.rule.evaluation_periods);
  alarm.rule.missing = metrics::parse_missing_data(from.treat_missing_data.value_or("missing")).value_or(metrics::MissingData::kMissing);
  if (from.metrics && !from.metrics->empty()) {
    alarm.queries = TRY(DataQueries::compile(*from.metrics, alarm.scope()));
    alarm.period = alarm.queries->period();
    return {};
  }
  alarm.metric_id = metric_id(alarm.scope(), from.namespace_.value_or(""), from.metric_name.value_or(""), from.dimensions);
  alarm.period = std::max(from.period.value_or(60), 1);
  if (from.unit) alarm.unit = metrics::parse_unit(*from.unit);
  alarm.statistic = metrics::parse_statistic(from.extended_statistic.value_or(from.statistic.value_or("Average"))).value_or(metrics::Statistic{});
  alarm.rule.samples_needed = from.evaluate_low_sample_count_percentile == "ignore" ? alarm.statistic.samples_needed() : 0;
  return {};
}

}  // namespace reef::service::cloudwatch
