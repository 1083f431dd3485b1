// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html, EnableAlarmActions, DisableAlarmActions,
// DeleteAlarms.
#include <fmt/format.h>

#include "service/cloudwatch/operations.h"
#include "service/cloudwatch/tags.h"

namespace reef::service::cloudwatch::operations {
namespace {

Task<void> switch_actions(Cloudwatch& service, const std::vector<std::string>& names, bool enabled, const Call& call) {
  for (const std::string& name : names) {
    Alarm* alarm = service.alarms.find(scope_of(call), name);
    if (!alarm) continue;
    (alarm->is_composite ? alarm->composite.actions_enabled : alarm->metric.actions_enabled) = enabled;
    service.alarms.save(*alarm);
  }
  co_await committed();
}

}  // namespace

Task<Reply<model::SetAlarmStateOutput>> SetAlarmState(Cloudwatch& service, const model::SetAlarmStateInput& in, const Call& call) {
  Alarm* alarm = service.alarms.find(scope_of(call), in.alarm_name);
  if (!alarm) co_return Err(aws::Error(errors::kResourceNotFound, fmt::format("Alarm {} does not exist.", in.alarm_name)));
  if (in.state_reason_data && !wire::Json::parse(*in.state_reason_data)) co_return Err(aws::Error(errors::kInvalidFormatFault, "StateReasonData is not valid JSON."));
  service.alarms.set_state(*alarm, {*metrics::parse_alarm_state(in.state_value), in.state_reason, in.state_reason_data.value_or(""), {}}, call.now);
  co_await committed();
  co_return model::SetAlarmStateOutput{};
}

Task<Reply<model::EnableAlarmActionsOutput>> EnableAlarmActions(Cloudwatch& service, const model::EnableAlarmActionsInput& in, const Call& call) {
  co_await switch_actions(service, in.alarm_names, true, call);
  co_return model::EnableAlarmActionsOutput{};
}

Task<Reply<model::DisableAlarmActionsOutput>> DisableAlarmActions(Cloudwatch& service, const model::DisableAlarmActionsInput& in, const Call& call) {
  co_await switch_actions(service, in.alarm_names, false, call);
  co_return model::DisableAlarmActionsOutput{};
}

// Names of alarms that are not there are passed over.
Task<Reply<model::DeleteAlarmsOutput>> DeleteAlarms(Cloudwatch& service, const model::DeleteAlarmsInput& in, const Call& call) {
  for (const std::string& name : in.alarm_names) {
    Alarm* alarm = service.alarms.find(scope_of(call), name);
    if (!alarm) continue;
    erase_tags(alarm->arn());
    service.alarms.erase(*alarm, call.now);
  }
  co_await committed();
  co_return model::DeleteAlarmsOutput{};
}

}  // namespace reef::service::cloudwatch::operations
