// The two alarms of a target tracking policy: one above the target, one below nine tenths of it.
// https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "aws/unmodelled_errors.h"
#include "base/random.h"
#include "base/text.h"
#include "service/applicationautoscaling/scaler.h"

namespace reef::service::applicationautoscaling {
namespace {

using wire::Json;

constexpr double kScaleInShare = 0.9;
constexpr int kHighPeriods = 3, kLowPeriods = 15, kPeriodSeconds = 60;

Json dimension(std::string_view name, std::string_view value) { return Json::object({{"Name", name}, {"Value", value}}); }

// What the alarms look at: members of PutMetricAlarm.
aws::Reply<Json> metric_of(const model::ScalingPolicy& policy) {
  const auto& config = *policy.target_tracking_scaling_policy_configuration;
  Json out = Json::object();
  if (config.predefined_metric_specification) {
    const std::string& type = config.predefined_metric_specification->predefined_metric_type;
    const EcsService service = *parse_ecs_service(policy.resource_id);
    if (type == "ECSServiceAverageCPUUtilization" || type == "ECSServiceAverageMemoryUtilization") {
      out = Json::object({{"Namespace", "AWS/ECS"}, {"MetricName", type == "ECSServiceAverageCPUUtilization" ? "CPUUtilization" : "MemoryUtilization"}, {"Statistic", "Average"},
                          {"Dimensions", Json::array({dimension("ClusterName", service.cluster), dimension("ServiceName", service.service)})}});
    } else if (type == "ALBRequestCountPerTarget") {
      // "app/<balancer>/<id>/targetgroup/<group>/<id>"
      const std::string label = config.predefined_metric_specification->resource_label.value_or("");
      const auto at = label.find("/targetgroup/");
      if (!label.starts_with("app/") || at == std::string::npos) return Err(aws::validation_exception(fmt::format("Invalid resource label: {}", label)));
      out = Json::object({{"Namespace", "AWS/ApplicationELB"}, {"MetricName", "RequestCountPerTarget"}, {"Statistic", "Sum"},
                          {"Dimensions", Json::array({dimension("LoadBalancer", label.substr(0, at)), dimension("TargetGroup", label.substr(at + 1))})}});
    } else {
      return Err(aws::not_implemented(fmt::format("PredefinedMetricType {} for {}", type, policy.scalable_dimension)));
    }
    out.set("Period", kPeriodSeconds);
    return out;
  }
  const auto& custom = *config.customized_metric_specification;
  if (custom.metrics && !custom.metrics->empty()) {
    Json queries = Json::array();
    for (const auto& query : *custom.metrics) {
      Json one = aws::to_json(query);
      if (Json* stat = one.find("MetricStat")) stat->set("Period", kPeriodSeconds);
      queries.push_back(std::move(one));
    }
    out.set("Metrics", std::move(queries));
    return out;
  }
  out = Json::object({{"Namespace", custom.namespace_.value_or("")}, {"MetricName", custom.metric_name.value_or("")}, {"Statistic", custom.statistic.value_or("Average")},
                      {"Period", kPeriodSeconds}});
  if (custom.unit) out.set("Unit", *custom.unit);
  Json dimensions = Json::array();
  if (custom.dimensions)
    for (const auto& one : *custom.dimensions) dimensions.push_back(dimension(one.name, one.value));
  out.set("Dimensions", std::move(dimensions));
  return out;
}

}  // namespace

Task<aws::Reply<std::vector<model::Alarm>>> put_tracking_alarms(aws::Caller& caller, const aws::Call& call, const model::ScalingPolicy& policy) {
  const auto& config = *policy.target_tracking_scaling_policy_configuration;
  const Json metric = CO_TRY(metric_of(policy));
  std::vector<model::Alarm> alarms;
  for (const bool is_high : {true, false}) {
    if (!is_high && config.disable_scale_in.value_or(false)) continue;
    const std::string_view mark = is_high ? "-AlarmHigh-" : "-AlarmLow-";
    std::string name = fmt::format("TargetTracking-{}{}{}", policy.resource_id, mark, make_uuid(thread_random()));
    // A policy that is put again keeps its alarms.
    if (policy.alarms)
      for (const model::Alarm& before : *policy.alarms)
        if (before.alarm_name.find(mark) != std::string::npos) name = before.alarm_name;
    Json input = metric;
    input.set("AlarmName", name);
    input.set("AlarmDescription", fmt::format("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.", policy.policy_arn));
    input.set("AlarmActions", Json::array({policy.policy_arn}));
    input.set("ComparisonOperator", is_high ? "GreaterThanThreshold" : "LessThanThreshold");
    input.set("Threshold", is_high ? config.target_value : config.target_value * kScaleInShare);
    input.set("EvaluationPeriods", is_high ? kHighPeriods : kLowPeriods);
    CO_TRY(co_await caller.invoke_json(call, "cloudwatch", "PutMetricAlarm", input));
    alarms.push_back({.alarm_name = name, .alarm_arn = call.arn("cloudwatch", "alarm:" + name)});
  }
  co_return alarms;
}

Task<void> delete_tracking_alarms(aws::Caller& caller, const aws::Call& call, const model::ScalingPolicy& policy) {
  if (!policy.alarms || policy.policy_type != "TargetTrackingScaling") co_return;
  Json names = Json::array();
  for (const model::Alarm& alarm : *policy.alarms) names.push_back(alarm.alarm_name);
  if (names.size() > 0) static_cast<void>(co_await caller.invoke_json(call, "cloudwatch", "DeleteAlarms", Json::object({{"AlarmNames", std::move(names)}})));
}

}  // namespace reef::service::applicationautoscaling
