// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
#include <fmt/format.h>

#include "service/cloudwatch/operations.h"
#include "service/cloudwatch/tags.h"

namespace reef::service::cloudwatch::operations {
namespace {

constexpr std::size_t kActionsMax = 5;
constexpr std::int64_t kDayMax = 86400, kWeekMax = 7 * 86400;

Reply<void> alarm_fault(std::string message) { return Err(aws::validation_error(std::move(message))); }

Reply<void> check_metric(const model::PutMetricAlarmInput& in) {
  if (!in.metric_name || !in.namespace_) return alarm_fault("Metric list must not be empty, or both MetricName and Namespace must be specified.");
  if (in.statistic.has_value() == in.extended_statistic.has_value())
    return alarm_fault(in.statistic ? "Exactly one of Statistic and ExtendedStatistic must be specified." : "Either Statistic or ExtendedStatistic must be specified.");
  if (!in.period) return alarm_fault("The parameter Period is required.");
  if (*in.period != 10 && *in.period != 20 && *in.period != 30 && *in.period % 60 != 0) return alarm_fault("Period must be 10, 20, 30 or a multiple of 60");
  if (in.extended_statistic) {
    const auto statistic = metrics::parse_statistic(*in.extended_statistic);
    if (!statistic || !statistic->is_extended()) return alarm_fault(fmt::format("The value {} for parameter ExtendedStatistic is not supported.", *in.extended_statistic));
  }
  if (in.evaluate_low_sample_count_percentile && *in.evaluate_low_sample_count_percentile != "evaluate" && *in.evaluate_low_sample_count_percentile != "ignore")
    return alarm_fault(fmt::format("Option {} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.",
                                   *in.evaluate_low_sample_count_percentile));
  return {};
}

Reply<void> check_actions(const std::optional<std::vector<std::string>>& actions, std::string_view name) {
  if (!actions) return {};
  if (actions->size() > kActionsMax) return alarm_fault(fmt::format("The collection {} must not have a size greater than {}.", name, kActionsMax));
  for (const std::string& arn : *actions)
    if (arn_service(arn).empty()) return alarm_fault(fmt::format("Invalid arn syntax: {}", arn));
  return {};
}

Reply<void> check_alarm(const model::PutMetricAlarmInput& in) {
  if (in.evaluation_criteria || in.evaluation_interval) return Err(aws::not_implemented("EvaluationCriteria of PutMetricAlarm"));
  if (in.threshold_metric_id) return Err(aws::not_implemented("ThresholdMetricId of PutMetricAlarm (anomaly detection)"));
  if (in.comparison_operator && !metrics::parse_comparison(*in.comparison_operator))
    return Err(aws::not_implemented(fmt::format("ComparisonOperator {} of PutMetricAlarm (anomaly detection)", *in.comparison_operator)));
  if (!in.comparison_operator) return alarm_fault("The parameter ComparisonOperator is required.");
  if (!in.evaluation_periods) return alarm_fault("The parameter EvaluationPeriods is required.");
  if (!in.threshold) return alarm_fault("The parameter Threshold is required.");
  if (in.treat_missing_data && !metrics::parse_missing_data(*in.treat_missing_data))
    return alarm_fault(fmt::format("The value {} is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, ignore, missing].",
                                   *in.treat_missing_data));
  if (in.datapoints_to_alarm && *in.datapoints_to_alarm > *in.evaluation_periods)
    return alarm_fault("The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods.");
  TRY(check_actions(in.ok_actions, "OKActions"));
  TRY(check_actions(in.alarm_actions, "AlarmActions"));
  TRY(check_actions(in.insufficient_data_actions, "InsufficientDataActions"));
  if (!in.metrics || in.metrics->empty()) return check_metric(in);
  if (in.metric_name || in.namespace_ || in.dimensions || in.period || in.unit || in.statistic || in.extended_statistic)
    return alarm_fault("If you use the Metrics parameter, you cannot include the MetricName, Dimensions, Period, Namespace, Statistic, or ExtendedStatistic parameters in the same request.");
  return {};
}

model::MetricAlarm to_alarm(const model::PutMetricAlarmInput& in) {
  model::MetricAlarm out;
  out.alarm_name = in.alarm_name;
  out.alarm_description = in.alarm_description;
  out.actions_enabled = in.actions_enabled.value_or(true);
  out.ok_actions = in.ok_actions.value_or(std::vector<std::string>());
  out.alarm_actions = in.alarm_actions.value_or(std::vector<std::string>());
  out.insufficient_data_actions = in.insufficient_data_actions.value_or(std::vector<std::string>());
  out.metric_name = in.metric_name;
  out.namespace_ = in.namespace_;
  out.statistic = in.statistic;
  out.extended_statistic = in.extended_statistic;
  out.dimensions = in.dimensions.value_or(std::vector<model::Dimension>());
  out.period = in.period;
  out.unit = in.unit;
  out.evaluation_periods = in.evaluation_periods;
  out.datapoints_to_alarm = in.datapoints_to_alarm;
  out.threshold = in.threshold;
  out.comparison_operator = in.comparison_operator;
  out.treat_missing_data = in.treat_missing_data;
  out.evaluate_low_sample_count_percentile = in.evaluate_low_sample_count_percentile;
  out.metrics = in.metrics;
  return out;
}

// What stays when an alarm is put again; a new one begins without data.
template <class M>
void take_over_state(M& to, const M* before, Time now) {
  to.state_value = before ? before->state_value : "INSUFFICIENT_DATA";
  to.state_reason = before ? before->state_reason : "Unchecked: Initial alarm creation";
  to.state_reason_data = before ? before->state_reason_data : std::nullopt;
  to.state_updated_timestamp = before ? before->state_updated_timestamp : now;
  to.state_transitioned_timestamp = before ? before->state_transitioned_timestamp : now;
  to.alarm_configuration_updated_timestamp = now;
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
Reply<void> check_suppressor(const model::PutCompositeAlarmInput& in) {
  const bool has_periods = in.actions_suppressor_wait_period && in.actions_suppressor_extension_period;
  if (in.actions_suppressor && !has_periods)
    return Err(aws::validation_error("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required when ActionsSuppressor is specified."));
  if (!in.actions_suppressor && (in.actions_suppressor_wait_period || in.actions_suppressor_extension_period))
    return Err(aws::validation_error("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an ActionsSuppressor."));
  if (in.actions_suppressor_wait_period.value_or(0) < 0 || in.actions_suppressor_extension_period.value_or(0) < 0)
    return Err(aws::validation_error("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must not be negative."));
  return {};
}

}  // namespace

Task<Reply<model::PutMetricAlarmOutput>> PutMetricAlarm(Cloudwatch& service, const model::PutMetricAlarmInput& in, const Call& call) {
  CO_TRY(check_alarm(in));
  Alarm* before = service.alarms.find(scope_of(call), in.alarm_name);
  if (before && before->is_composite) co_return Err(aws::validation_error(fmt::format("A composite alarm with the name {} exists.", in.alarm_name)));
  Alarm alarm{.account = call.account, .region = call.region, .name = in.alarm_name, .metric = to_alarm(in)};
  alarm.metric.alarm_arn = call.arn("cloudwatch", fmt::format("alarm:{}", in.alarm_name));
  take_over_state(alarm.metric, before ? &before->metric : nullptr, call.now);
  CO_TRY(Alarms::prepare(alarm));
  if (alarm.queries && alarm.queries->returning() != 1) co_return Err(aws::validation_error("Exactly one element of the metrics list should return data."));
  if (alarm.queries && alarm.queries->has_search()) co_return Err(aws::validation_error("SEARCH expressions cannot be used in alarms."));
  const std::int64_t span = alarm.period * alarm.rule.evaluation_periods;
  if (span > (alarm.period >= 3600 ? kWeekMax : kDayMax))
    co_return Err(aws::validation_error(alarm.period >= 3600 ? "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)."
                                                             : "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."));
  // Tags of an alarm that exists are left alone, as AWS does.
  if (in.tags && !before) {
    Tags tags;
    add_tags(tags, *in.tags);
    save_tags(*alarm.metric.alarm_arn, tags);
  }
  service.alarms.put(std::move(alarm), call.now);
  co_await committed();
  co_return model::PutMetricAlarmOutput{};
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
Task<Reply<model::PutCompositeAlarmOutput>> PutCompositeAlarm(Cloudwatch& service, const model::PutCompositeAlarmInput& in, const Call& call) {
  CO_TRY(check_suppressor(in));
  CO_TRY(check_actions(in.ok_actions, "OKActions"));
  CO_TRY(check_actions(in.alarm_actions, "AlarmActions"));
  CO_TRY(check_actions(in.insufficient_data_actions, "InsufficientDataActions"));
  Alarm* before = service.alarms.find(scope_of(call), in.alarm_name);
  if (before && !before->is_composite) co_return Err(aws::validation_error(fmt::format("A metric alarm with the name {} exists.", in.alarm_name)));
  Alarm alarm{.account = call.account, .region = call.region, .name = in.alarm_name, .is_composite = true};
  model::CompositeAlarm& to = alarm.composite;
  to.alarm_name = in.alarm_name;
  to.alarm_arn = call.arn("cloudwatch", fmt::format("alarm:{}", in.alarm_name));
  to.alarm_description = in.alarm_description;
  to.alarm_rule = in.alarm_rule;
  to.actions_enabled = in.actions_enabled.value_or(true);
  to.ok_actions = in.ok_actions.value_or(std::vector<std::string>());
  to.alarm_actions = in.alarm_actions.value_or(std::vector<std::string>());
  to.insufficient_data_actions = in.insufficient_data_actions.value_or(std::vector<std::string>());
  to.actions_suppressor = in.actions_suppressor;
  to.actions_suppressor_wait_period = in.actions_suppressor_wait_period;
  to.actions_suppressor_extension_period = in.actions_suppressor_extension_period;
  take_over_state(to, before ? &before->composite : nullptr, call.now);
  // What is held back stays so under the new settings, unless nothing can hold it any more.
  if (before && before->withheld && in.actions_suppressor) {
    alarm.withheld = before->withheld;
    to.actions_suppressed_by = before->composite.actions_suppressed_by;
    to.actions_suppressed_reason = before->composite.actions_suppressed_reason;
  }
  if (in.actions_suppressor) {
    const std::string& by = *in.actions_suppressor;
    const std::string name = by.starts_with("arn:") ? by.substr(std::min(by.find(":alarm:") + 7, by.size())) : by;
    if (!service.alarms.find(scope_of(call), name)) co_return Err(aws::validation_error(fmt::format("ActionsSuppressor alarm does not exist: {}", by)));
  }
  CO_TRY(Alarms::prepare(alarm));
  std::vector<std::string> children;
  metrics::collect_alarms(alarm.composite_rule, children);
  for (const std::string& child : children) {
    const std::string name = child.starts_with("arn:") ? child.substr(std::min(child.find(":alarm:") + 7, child.size())) : child;
    if (name == in.alarm_name) co_return Err(aws::validation_error(fmt::format("The alarm {} cannot refer to itself in its AlarmRule.", name)));
    if (!service.alarms.find(scope_of(call), name)) co_return Err(aws::validation_error(fmt::format("Alarm(s) referenced in AlarmRule do not exist: {}", name)));
  }
  if (in.tags && !before) {
    Tags tags;
    add_tags(tags, *in.tags);
    save_tags(*to.alarm_arn, tags);
  }
  service.alarms.put(std::move(alarm), call.now);
  co_await committed();
  co_return model::PutCompositeAlarmOutput{};
}

}  // namespace reef::service::cloudwatch::operations
