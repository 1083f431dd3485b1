// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html, -compositealarm, -dashboard
#include "service/cloudwatch/resources.h"

#include <fmt/format.h>

#include "aws/loose_values.h"
#include "aws/models/cloudwatch.h"

namespace reef::service::cloudwatch::resources {
namespace {

namespace model = aws::cloudwatch;
using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

std::string name_of(const ResourceContext& context, const Json& properties, std::string_view property) {
  const std::string& given = properties.text(property);
  return given.empty() ? context.generated_name(255) : given;
}

ResourceState alarm_state(const ResourceContext& context, const std::string& name) {
  return {.physical_id = name, .attributes = Json::object({{"Arn", context.call.arn("cloudwatch", "alarm:" + name)}})};
}

// Both kinds of alarm have the properties of their operation.
Task<aws::Reply<ResourceState>> put_alarm(const ResourceContext& context, std::string name, Json properties, bool is_composite, const Json* before) {
  const Json tags = aws::merge_tags({&context.tags, properties.find("Tags")});
  properties.erase("Tags");
  properties.set("AlarmName", name);
  if (!before && tags.size() > 0) properties.set("Tags", tags);
  const aws::Shape& shape = is_composite ? model::kPutCompositeAlarmInputShape : model::kPutMetricAlarmInputShape;
  CO_TRY(co_await aws::call_operation(context, "cloudwatch", is_composite ? "PutCompositeAlarm" : "PutMetricAlarm", aws::fit_to_shape(shape, std::move(properties))));
  ResourceState state = alarm_state(context, name);
  if (!before) co_return state;
  // An alarm that exists keeps its tags: they are changed on their own.
  const std::string arn = state.attributes.text("Arn");
  Json gone = Json::array();
  const Json old_tags = aws::merge_tags({before->find("Tags")});
  for (const Json& old : old_tags.as_array()) {
    bool is_kept = false;
    for (const Json& tag : tags.as_array()) is_kept |= tag.text("Key") == old.text("Key");
    if (!is_kept) gone.push_back(old["Key"]);
  }
  if (gone.size() > 0) CO_TRY(co_await aws::call_operation(context, "cloudwatch", "UntagResource", Json::object({{"ResourceARN", arn}, {"TagKeys", std::move(gone)}})));
  if (tags.size() > 0) CO_TRY(co_await aws::call_operation(context, "cloudwatch", "TagResource", Json::object({{"ResourceARN", arn}, {"Tags", tags}})));
  co_return state;
}

std::string identify_alarm(const ResourceContext& context, const Json& properties) { return name_of(context, properties, "AlarmName"); }
Task<aws::Reply<ResourceState>> create_alarm(const ResourceContext& context, const Json& properties) {
  return put_alarm(context, identify_alarm(context, properties), properties, false, nullptr);
}
Task<aws::Reply<ResourceState>> update_alarm(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  co_return co_await put_alarm(context, current.physical_id, after, false, &before);
}
Task<aws::Reply<ResourceState>> create_composite(const ResourceContext& context, const Json& properties) {
  return put_alarm(context, identify_alarm(context, properties), properties, true, nullptr);
}
Task<aws::Reply<ResourceState>> update_composite(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  co_return co_await put_alarm(context, current.physical_id, after, true, &before);
}
Task<aws::Reply<void>> remove_alarm(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "cloudwatch", "DeleteAlarms", Json::object({{"AlarmNames", Json::array({current.physical_id})}}), "ResourceNotFound");
}

std::string identify_dashboard(const ResourceContext& context, const Json& properties) { return name_of(context, properties, "DashboardName"); }
Task<aws::Reply<ResourceState>> put_dashboard(const ResourceContext& context, std::string name, Json properties) {
  Json input = Json::object({{"DashboardName", name}, {"DashboardBody", properties.text("DashboardBody")}});
  if (properties.contains("Tags")) input.set("Tags", aws::merge_tags({properties.find("Tags")}));
  CO_TRY(co_await aws::call_operation(context, "cloudwatch", "PutDashboard", std::move(input)));
  co_return ResourceState{.physical_id = name, .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> create_dashboard(const ResourceContext& context, const Json& properties) {
  return put_dashboard(context, identify_dashboard(context, properties), properties);
}
Task<aws::Reply<ResourceState>> update_dashboard(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  return put_dashboard(context, current.physical_id, after);
}
Task<aws::Reply<void>> remove_dashboard(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "cloudwatch", "DeleteDashboards", Json::object({{"DashboardNames", Json::array({current.physical_id})}}), "ResourceNotFound");
}

}  // namespace

const aws::ResourceType kAlarm{
    .name = "AWS::CloudWatch::Alarm",
    .properties = {{"ActionsEnabled"}, {"AlarmActions"}, {"AlarmDescription"}, {"AlarmName", OnChange::kReplace}, {"ComparisonOperator", OnChange::kUpdate, true},
                   {"DatapointsToAlarm"}, {"Dimensions"}, {"EvaluateLowSampleCountPercentile"}, {"EvaluationPeriods", OnChange::kUpdate, true}, {"ExtendedStatistic"},
                   {"InsufficientDataActions"}, {"MetricName"}, {"Metrics"}, {"Namespace"}, {"OKActions"}, {"Period"}, {"Statistic"}, {"Tags"}, {"Threshold"},
                   {"TreatMissingData"}, {"Unit"}},
    .create = create_alarm, .identify = identify_alarm, .update = update_alarm, .remove = remove_alarm};
const aws::ResourceType kCompositeAlarm{
    .name = "AWS::CloudWatch::CompositeAlarm",
    .properties = {{"ActionsEnabled"}, {"AlarmActions"}, {"AlarmDescription"}, {"AlarmName", OnChange::kReplace}, {"AlarmRule", OnChange::kUpdate, true},
                   {"ActionsSuppressor"}, {"ActionsSuppressorExtensionPeriod"}, {"ActionsSuppressorWaitPeriod"}, {"InsufficientDataActions"}, {"OKActions"}, {"Tags"}},
    .create = create_composite, .identify = identify_alarm, .update = update_composite, .remove = remove_alarm};
const aws::ResourceType kDashboard{
    .name = "AWS::CloudWatch::Dashboard",
    .properties = {{"DashboardBody", OnChange::kUpdate, true}, {"DashboardName", OnChange::kReplace}, {"Tags"}},
    .create = create_dashboard, .identify = identify_dashboard, .update = update_dashboard, .remove = remove_dashboard};

}  // namespace reef::service::cloudwatch::resources
