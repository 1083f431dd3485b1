// Composite alarms whose actions another alarm holds back.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html
#include <fmt/format.h>

#include "engine/store/shard.h"
#include "service/cloudwatch/alarms.h"

namespace reef::service::cloudwatch {
namespace {

using metrics::AlarmState;
using wire::Json;

constexpr std::string_view kWithheldPrefix = "cloudwatch/withheld/";

Duration seconds_of(const std::optional<std::int32_t>& period) { return std::chrono::seconds(period.value_or(0)); }

std::string dump(const Withheld& what) {
  Json out = Json::object({{"state", metrics::alarm_state_name(what.change.state)}, {"reason", what.change.reason}, {"before", metrics::alarm_state_name(what.before)},
                           {"reasonBefore", what.reason_before}, {"reachedBefore", to_micros(what.reached_before)}});
  if (what.until) out.set("until", to_micros(*what.until));
  return out.dump();
}

}  // namespace

bool Alarms::is_suppressed(const Alarm& alarm) {
  const std::string& by = *alarm.composite.actions_suppressor;
  const std::string_view name = by.starts_with("arn:") ? std::string_view(by).substr(std::min(by.find(":alarm:") + 7, by.size())) : std::string_view(by);
  const Alarm* suppressor = find(alarm.scope(), name);
  return suppressor && suppressor->state() == AlarmState::kAlarm;
}

void Alarms::withhold(Alarm& alarm, Withheld what, Time now) {
  alarm.withheld = std::move(what);
  const Duration wait = seconds_of(alarm.composite.actions_suppressor_wait_period);
  if (is_suppressed(alarm)) hold(alarm, "Alarm", {});
  else if (wait > Duration(0)) hold(alarm, "WaitPeriod", now + wait);
  else release(alarm, now);
}

// After some alarm changed its state, or a period ended.
void Alarms::settle_withheld(Alarm& alarm, Time now) {
  if (!alarm.withheld) return;
  if (alarm.withheld->until && *alarm.withheld->until <= now) return release(alarm, *alarm.withheld->until);
  const bool is_held_by_alarm = !alarm.withheld->until;
  if (is_suppressed(alarm) == is_held_by_alarm) return;
  const Duration extension = seconds_of(alarm.composite.actions_suppressor_extension_period);
  if (!is_held_by_alarm) hold(alarm, "Alarm", {});
  else if (extension > Duration(0)) hold(alarm, "ExtensionPeriod", now + extension);
  else release(alarm, now);
}

// Says in the alarm by what its actions are held, nothing when by nothing, and keeps what is held.
void Alarms::hold(Alarm& alarm, std::string_view by, std::optional<Time> until) {
  store::Shard& shard = store::Shard::control();
  const std::string record = fmt::format("{}{}", kWithheldPrefix, alarm.key());
  if (!alarm.withheld) {
    alarm.composite.actions_suppressed_by.reset();
    alarm.composite.actions_suppressed_reason.reset();
    shard.records().erase(record);
    return;
  }
  alarm.withheld->until = until;
  alarm.composite.actions_suppressed_by = std::string(by);
  alarm.composite.actions_suppressed_reason =
      by == "Alarm" ? fmt::format("Actions suppressed by the alarm {}", *alarm.composite.actions_suppressor) : fmt::format("Actions suppressed by {} until {}", by, format_iso8601(*until));
  shard.records().put(record, dump(*alarm.withheld));
  save(alarm);
  if (until)
    shard.reactor().at(*until, [this, key = alarm.key(), generation = generation_] {
      if (stopping_ || generation != generation_) return;
      if (const auto found = alarms_.find(key); found != alarms_.end()) settle_withheld(*found->second, store::Shard::control().now());
    });
}

void Alarms::release(Alarm& alarm, Time now) {
  const Withheld what = *std::move(alarm.withheld);
  alarm.withheld.reset();
  hold(alarm, "", {});
  save(alarm);
  if (alarm.actions_enabled()) actions_.add(alarm, what.change, what.before, what.reason_before, what.reached_before, now);
}

void Alarms::load_withheld(Alarm& alarm) {
  const std::string* text = store::Shard::control().records().find(fmt::format("{}{}", kWithheldPrefix, alarm.key()));
  const auto kept = text ? Json::parse(*text) : Json();
  if (!kept || !kept->is_object()) return;
  alarm.withheld = Withheld{.change = {.state = metrics::parse_alarm_state(kept->text("state")).value_or(alarm.state()), .reason = kept->text("reason"), .reason_data = "", .value = {}},
                            .before = metrics::parse_alarm_state(kept->text("before")).value_or(AlarmState::kInsufficientData),
                            .reason_before = kept->text("reasonBefore"),
                            .reached_before = from_micros((*kept)["reachedBefore"].as_int().value_or(0)),
                            .until = {}};
  if (const auto until = (*kept)["until"].as_int()) {
    const std::string by = alarm.composite.actions_suppressed_by.value_or("WaitPeriod");
    hold(alarm, by, from_micros(*until));
  }
}

}  // namespace reef::service::cloudwatch
