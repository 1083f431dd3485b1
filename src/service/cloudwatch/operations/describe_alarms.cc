// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "service/cloudwatch/operations.h"

namespace reef::service::cloudwatch::operations {
namespace {

constexpr std::int32_t kAlarmsPage = 50, kHistoryPage = 100;

bool has_prefix(const std::vector<std::string>& actions, std::string_view prefix) {
  return std::any_of(actions.begin(), actions.end(), [&](const std::string& one) { return one.starts_with(prefix); });
}

bool is_child(const Alarm& parent, const std::string& name) {
  std::vector<std::string> children;
  metrics::collect_alarms(parent.composite_rule, children);
  return std::any_of(children.begin(), children.end(), [&](const std::string& child) { return child == name || child.ends_with(":alarm:" + name); });
}

bool passes_filters(const model::DescribeAlarmsInput& in, const Alarm& alarm) {
  if (in.alarm_names && !in.alarm_names->empty() && std::find(in.alarm_names->begin(), in.alarm_names->end(), alarm.name) == in.alarm_names->end()) return false;
  if (in.alarm_name_prefix && !alarm.name.starts_with(*in.alarm_name_prefix)) return false;
  if (in.state_value && *in.state_value != metrics::alarm_state_name(alarm.state())) return false;
  if (in.action_prefix && !has_prefix(alarm.actions(metrics::AlarmState::kOk), *in.action_prefix) && !has_prefix(alarm.actions(metrics::AlarmState::kAlarm), *in.action_prefix) &&
      !has_prefix(alarm.actions(metrics::AlarmState::kInsufficientData), *in.action_prefix))
    return false;
  return true;
}

}  // namespace

Task<Reply<model::DescribeAlarmsOutput>> DescribeAlarms(Cloudwatch& service, const model::DescribeAlarmsInput& in, const Call& call) {
  if (in.alarm_names && !in.alarm_names->empty() && in.alarm_name_prefix)
    co_return Err(aws::validation_error("AlarmNamePrefix and AlarmNames cannot be specified together."));
  std::string after;
  if (in.next_token) {
    const auto decoded = base64url_decode(*in.next_token);
    if (!decoded) co_return Err(aws::Error(errors::kInvalidNextToken, "The next token is invalid."));
    after = *decoded;
  }
  const std::string scope = scope_of(call);
  const Alarm* parent = in.children_of_alarm_name ? service.alarms.find(scope, *in.children_of_alarm_name) : nullptr;
  // Without types, metric alarms only; relations are about both.
  const bool by_relation = in.children_of_alarm_name || in.parents_of_alarm_name;
  const auto wants = [&](std::string_view type) {
    if (!in.alarm_types || in.alarm_types->empty()) return by_relation || type == "MetricAlarm";
    return std::find(in.alarm_types->begin(), in.alarm_types->end(), type) != in.alarm_types->end();
  };
  const auto limit = static_cast<std::size_t>(in.max_records.value_or(kAlarmsPage));
  model::DescribeAlarmsOutput out;
  auto& metric_alarms = out.metric_alarms.emplace();
  auto& composites = out.composite_alarms.emplace();
  std::string last;
  for (const Alarm* alarm : service.alarms.of_scope(scope)) {
    if (alarm->name <= after || !wants(alarm->is_composite ? "CompositeAlarm" : "MetricAlarm") || !passes_filters(in, *alarm)) continue;
    if (in.children_of_alarm_name && (!parent || !parent->is_composite || !is_child(*parent, alarm->name))) continue;
    if (in.parents_of_alarm_name && (!alarm->is_composite || !is_child(*alarm, *in.parents_of_alarm_name))) continue;
    if (metric_alarms.size() + composites.size() == limit) {
      out.next_token = base64url_encode(last);
      break;
    }
    if (alarm->is_composite) composites.push_back(alarm->composite);
    else metric_alarms.push_back(alarm->metric);
    last = alarm->name;
  }
  co_return out;
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html
Task<Reply<model::DescribeAlarmsForMetricOutput>> DescribeAlarmsForMetric(Cloudwatch& service, const model::DescribeAlarmsForMetricInput& in, const Call& call) {
  const metrics::MetricId wanted = metric_id(scope_of(call), in.namespace_, in.metric_name, in.dimensions);
  model::DescribeAlarmsForMetricOutput out;
  auto& found = out.metric_alarms.emplace();
  for (const Alarm* alarm : service.alarms.of_scope(scope_of(call))) {
    if (alarm->is_composite) continue;
    const bool is_about = alarm->metric_id ? alarm->metric_id->key() == wanted.key() : alarm->queries && alarm->queries->has_metric(wanted);
    if (!is_about) continue;
    if (in.statistic && alarm->metric.statistic != in.statistic) continue;
    if (in.extended_statistic && alarm->metric.extended_statistic != in.extended_statistic) continue;
    if (in.period && alarm->period != *in.period) continue;
    if (in.unit && alarm->metric.unit != in.unit) continue;
    found.push_back(alarm->metric);
  }
  co_return out;
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
Task<Reply<model::DescribeAlarmHistoryOutput>> DescribeAlarmHistory(Cloudwatch& service, const model::DescribeAlarmHistoryInput& in, const Call& call) {
  std::size_t skip = 0;
  if (in.next_token) {
    const auto decoded = base64url_decode(*in.next_token);
    const auto number = decoded ? parse_int<std::size_t>(*decoded) : std::nullopt;
    if (!number) co_return Err(aws::Error(errors::kInvalidNextToken, "The next token is invalid."));
    skip = *number;
  }
  std::vector<model::AlarmHistoryItem> items;
  service.history.each(scope_of(call), in.alarm_name.value_or(""), [&](const model::AlarmHistoryItem& item) {
    if (in.history_item_type && item.history_item_type != in.history_item_type) return;
    if (in.start_date && item.timestamp < *in.start_date) return;
    if (in.end_date && item.timestamp > *in.end_date) return;
    if (in.alarm_types && !in.alarm_types->empty() && std::find(in.alarm_types->begin(), in.alarm_types->end(), *item.alarm_type) == in.alarm_types->end()) return;
    items.push_back(item);
  });
  std::vector<std::pair<Time, std::size_t>> order;  // of the same time: as they happened
  for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back(*items[i].timestamp, i);
  std::sort(order.begin(), order.end());
  if (in.scan_by != "TimestampAscending") std::reverse(order.begin(), order.end());
  const auto limit = static_cast<std::size_t>(in.max_records.value_or(kHistoryPage));
  model::DescribeAlarmHistoryOutput out;
  auto& page = out.alarm_history_items.emplace();
  for (std::size_t i = skip; i < order.size() && page.size() < limit; ++i) page.push_back(std::move(items[order[i].second]));
  if (skip + page.size() < items.size()) out.next_token = base64url_encode(std::to_string(skip + page.size()));
  co_return out;
}

}  // namespace reef::service::cloudwatch::operations
