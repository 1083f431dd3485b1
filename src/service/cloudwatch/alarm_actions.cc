#include "service/cloudwatch/alarm_actions.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/text.h"
#include "service/cloudwatch/alarms.h"

namespace reef::service::cloudwatch {
namespace {

using wire::Json;

constexpr const char* kChannel = "cloudwatch-action";
constexpr std::uint32_t kAttemptsMax = 3;

std::string offset_time(Time time) {
  std::string text = format_iso8601(time, true);
  text.pop_back();
  return text + "+0000";
}

Json metric_json(const model::MetricDataQuery& query) {
  Json out = Json::object({{"id", query.id}});
  if (query.expression) out.set("expression", *query.expression);
  if (query.label) out.set("label", *query.label);
  if (query.metric_stat) {
    Json dimensions = Json::object();
    if (query.metric_stat->metric.dimensions)
      for (const auto& one : *query.metric_stat->metric.dimensions) dimensions.set(one.name, one.value);
    Json metric = Json::object({{"namespace", query.metric_stat->metric.namespace_.value_or("")}, {"name", query.metric_stat->metric.metric_name.value_or("")}});
    metric.set("dimensions", std::move(dimensions));
    out.set("metricStat", Json::object({{"metric", std::move(metric)}, {"period", query.metric_stat->period}, {"stat", query.metric_stat->stat}}));
  }
  out.set("returnData", query.return_data.value_or(true));
  return out;
}

Json configuration(const Alarm& alarm) {
  Json out = Json::object();
  if (const auto& description = alarm.is_composite ? alarm.composite.alarm_description : alarm.metric.alarm_description) out.set("description", *description);
  if (alarm.is_composite) {
    out.set("alarmRule", alarm.composite.alarm_rule.value_or(""));
    return out;
  }
  Json metrics = Json::array();
  if (alarm.metric.metrics) {
    for (const auto& query : *alarm.metric.metrics) metrics.push_back(metric_json(query));
  } else {
    model::MetricDataQuery query;
    query.id = "m1";
    query.metric_stat.emplace();
    query.metric_stat->metric = {.namespace_ = alarm.metric.namespace_, .metric_name = alarm.metric.metric_name, .dimensions = alarm.metric.dimensions};
    query.metric_stat->period = static_cast<std::int32_t>(alarm.period);
    query.metric_stat->stat = alarm.metric.extended_statistic.value_or(alarm.metric.statistic.value_or(""));
    metrics.push_back(metric_json(query));
  }
  out.set("metrics", std::move(metrics));
  return out;
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions.html
Json function_event(const Alarm& alarm, const StateChange& change, metrics::AlarmState before, const std::string& reason_before, Time reached_before, Time now) {
  Json state = Json::object({{"value", metrics::alarm_state_name(change.state)}, {"reason", change.reason}});
  if (!change.reason_data.empty()) state.set("reasonData", change.reason_data);
  state.set("timestamp", offset_time(now));
  Json data = Json::object({{"alarmName", alarm.name}, {"state", std::move(state)}});
  data.set("previousState", Json::object({{"value", metrics::alarm_state_name(before)}, {"reason", reason_before}, {"timestamp", offset_time(reached_before)}}));
  data.set("configuration", configuration(alarm));
  return Json::object({{"source", "aws.cloudwatch"}, {"alarmArn", alarm.arn()}, {"accountId", alarm.account}, {"time", offset_time(now)}, {"region", alarm.region}, {"alarmData", std::move(data)}});
}

// What a topic's subscribers get.
Json topic_message(const Alarm& alarm, const StateChange& change, metrics::AlarmState before, Time now) {
  Json out = Json::object({{"AlarmName", alarm.name},
                           {"AlarmDescription", (alarm.is_composite ? alarm.composite.alarm_description : alarm.metric.alarm_description).value_or("")},
                           {"AWSAccountId", alarm.account},
                           {"NewStateValue", metrics::alarm_state_name(change.state)},
                           {"NewStateReason", change.reason},
                           {"StateChangeTime", offset_time(now)},
                           {"Region", alarm.region},
                           {"AlarmArn", alarm.arn()},
                           {"OldStateValue", metrics::alarm_state_name(before)}});
  if (alarm.is_composite) {
    out.set("AlarmRule", alarm.composite.alarm_rule.value_or(""));
    return out;
  }
  Json trigger = Json::object();
  if (alarm.metric.metric_name) {
    trigger.set("MetricName", *alarm.metric.metric_name);
    trigger.set("Namespace", alarm.metric.namespace_.value_or(""));
    trigger.set("StatisticType", alarm.metric.statistic ? "Statistic" : "ExtendedStatistic");
    trigger.set("Statistic", alarm.metric.statistic ? to_upper(*alarm.metric.statistic) : alarm.metric.extended_statistic.value_or(""));
    Json& dimensions = trigger.set("Dimensions", Json::array());
    if (alarm.metric.dimensions)
      for (const auto& one : *alarm.metric.dimensions) dimensions.push_back(Json::object({{"value", one.value}, {"name", one.name}}));
  }
  trigger.set("Period", alarm.period);
  trigger.set("EvaluationPeriods", alarm.rule.evaluation_periods);
  trigger.set("DatapointsToAlarm", alarm.rule.datapoints_to_alarm);
  trigger.set("ComparisonOperator", alarm.metric.comparison_operator.value_or(""));
  trigger.set("Threshold", alarm.rule.threshold);
  trigger.set("TreatMissingData", alarm.metric.treat_missing_data.value_or(""));
  out.set("Trigger", std::move(trigger));
  return out;
}

}  // namespace

std::string_view arn_service(std::string_view arn) {
  const auto parts = split(arn, ':');
  return parts.size() > 2 && parts[0] == "arn" ? parts[2] : std::string_view();
}

struct AlarmActions::Event {
  metrics::AlarmNotice notice;
  bool is_composite = false;
  std::string body;  // for functions and topics

  std::string encode() const {
    std::string bytes;
    ByteWriter out(bytes);
    for (const std::string* text : {&notice.target, &notice.alarm, &notice.alarm_arn, &notice.account, &notice.region, &body}) out.bytes(*text);
    out.fixed(notice.state);
    out.fixed(static_cast<std::uint8_t>(is_composite));
    out.bytes(notice.value ? fmt::format("{}", *notice.value) : "");
    out.bytes(fmt::format("{}", notice.threshold));
    out.fixed(to_micros(notice.at));
    return bytes;
  }
  static std::optional<Event> decode(std::string_view bytes) {
    ByteReader in(bytes);
    Event event;
    for (std::string* text : {&event.notice.target, &event.notice.alarm, &event.notice.alarm_arn, &event.notice.account, &event.notice.region, &event.body}) *text = in.text();
    event.notice.state = in.fixed<metrics::AlarmState>();
    event.is_composite = in.fixed<std::uint8_t>() != 0;
    event.notice.value = parse_double(in.bytes());
    event.notice.threshold = parse_double(in.bytes()).value_or(0);
    event.notice.at = from_micros(in.fixed<std::int64_t>());
    if (!in.ok()) return std::nullopt;
    return event;
  }
};

void AlarmActions::start() {
  deliveries_.open(kChannel, {.in_flight_per_lane = 10, .in_flight_max = 100}, [this](const delivery::Entry& entry) { return attempt(entry); });
}

void AlarmActions::add(const Alarm& alarm, const StateChange& change, metrics::AlarmState before, const std::string& reason_before, Time reached_before, Time now) {
  for (const std::string& target : alarm.actions(change.state)) {
    Event event{.notice = {.target = target, .alarm = alarm.name, .alarm_arn = alarm.arn(), .account = alarm.account, .region = alarm.region, .state = change.state,
                           .value = change.value, .threshold = alarm.rule.threshold, .at = now},
                .is_composite = alarm.is_composite};
    const Json body = arn_service(target) == "sns" ? topic_message(alarm, change, before, now) : function_event(alarm, change, before, reason_before, reached_before, now);
    event.body = body.dump();
    deliveries_.add(kChannel, target, event.encode()).detach();
  }
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
void AlarmActions::tell(const Alarm& alarm, const StateChange& change, metrics::AlarmState before, const std::string& reason_before, const std::string& data_before,
                        Time reached_before, Time now) {
  Json detail = function_event(alarm, change, before, reason_before, reached_before, now)["alarmData"];
  if (!data_before.empty()) detail.find("previousState")->set("reasonData", data_before);
  publisher_.publish({.id = {}, .detail_type = "CloudWatch Alarm State Change", .source = "aws.cloudwatch", .account = alarm.account, .region = alarm.region, .time = now,
                      .resources = {alarm.arn()}, .detail = detail.dump(), .replay_name = {}});
}

void AlarmActions::repeat(const Alarm& alarm, std::optional<double> value, Time now) {
  for (const std::string& target : alarm.actions(alarm.state())) {
    const auto* act = targets_.find(arn_service(target));
    if (!act) continue;
    [](const metrics::AlarmTargets::Act& tell, metrics::AlarmNotice notice) -> Task<void> { static_cast<void>(co_await tell(notice)); }(
        *act, metrics::AlarmNotice{.target = target, .alarm = alarm.name, .alarm_arn = alarm.arn(), .account = alarm.account, .region = alarm.region, .state = alarm.state(),
                                   .value = value, .threshold = alarm.rule.threshold, .at = now})
        .detach();
  }
}

Task<delivery::Verdict> AlarmActions::attempt(const delivery::Entry& entry) {
  const auto event = Event::decode(entry.payload);
  if (!event) co_return delivery::Verdict::done();
  const Result<void, std::string> outcome = co_await act(*event);
  if (!outcome && entry.attempts + 1 < kAttemptsMax && outcome.error().starts_with("Throttl"))
    co_return delivery::Verdict::retry(delivery::backoff(entry.failures_in_row, 1s, 30s));
  const Time now = store::Shard::control().now();
  Json data = Json::object({{"version", "1.0"}, {"actionState", outcome ? "Succeeded" : "Failed"}, {"notificationResource", event->notice.target},
                            {"stateUpdateTimestamp", to_millis(event->notice.at)}});
  if (!outcome) data.set("error", outcome.error());
  history_.add(event->notice.account + "/" + event->notice.region, event->notice.alarm, event->is_composite, "Action",
               fmt::format("{} action {}", outcome ? "Successfully executed" : "Failed to execute", event->notice.target), data, now);
  co_return delivery::Verdict::done();
}

Task<Result<void, std::string>> AlarmActions::act(const Event& event) {
  const std::string_view service = arn_service(event.notice.target);
  if (const auto* tell = targets_.find(service)) co_return co_await (*tell)(event.notice);
  const aws::Call call = caller_.internal_call(event.notice.account, event.notice.region);
  aws::Reply<Json> out;
  if (service == "lambda") {
    out = co_await caller_.invoke_json(call, "lambda", "Invoke",
                                       Json::object({{"FunctionName", event.notice.target}, {"InvocationType", "Event"}, {"Payload", base64_encode(event.body)}}));
  } else if (service == "sns") {
    out = co_await caller_.invoke_json(call, "sns", "Publish",
                                       Json::object({{"TopicArn", event.notice.target},
                                                     {"Subject", fmt::format("{}: \"{}\" in {}", metrics::alarm_state_name(event.notice.state), event.notice.alarm, event.notice.region)},
                                                     {"Message", event.body}}));
  } else {
    co_return Err(fmt::format("Alarm actions of {} are not supported by this version of Atoll", service));
  }
  if (!out) co_return Err(fmt::format("{}: {}", out.error().code, out.error().message));
  co_return Result<void, std::string>();
}

}  // namespace reef::service::cloudwatch
