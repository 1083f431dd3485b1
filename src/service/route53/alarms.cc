// Health checks of type CLOUDWATCH_METRIC follow alarms: looked at every ten seconds of the user's clock while there are
// any, through CloudWatch's own operation.
#include <fmt/format.h>

#include "aws/caller.h"
#include "base/text.h"
#include "service/route53/route53.h"
#include "wire/json.h"

namespace reef::service::route53 {
namespace {

constexpr Duration kLookEvery = 10s;

using wire::Json;

// `alarm`: "<account>/<region>/<name>"
Task<void> look_at_alarm(Route53& route53, std::string alarm) {
  const auto parts = split(alarm, '/');
  if (parts.size() < 3) co_return;
  const Call call = route53.caller.internal_call(std::string(parts[0]), std::string(parts[1]));
  const std::string name = alarm.substr(parts[0].size() + parts[1].size() + 2);
  const auto out = co_await route53.caller.invoke_json(
      call, "cloudwatch", "DescribeAlarms", Json::object({{"AlarmNames", Json::array({name})}, {"AlarmTypes", Json::array({"MetricAlarm", "CompositeAlarm"})}}));
  std::string state = "INSUFFICIENT_DATA";
  if (out)
    for (const std::string_view kind : {"MetricAlarms", "CompositeAlarms"})
      for (const Json& one : (*out)[kind].as_array()) state = one.text("StateValue");
  route53.health_checks.set_alarm(alarm, state);
}

}  // namespace

void Route53::watch_alarms() {
  if (stopped_) return;
  const auto alarms = health_checks.alarms();
  for (const std::string& alarm : alarms) look_at_alarm(*this, alarm).detach();
  shard().reactor().cancel(alarm_timer_);
  alarm_timer_ = alarms.empty() ? 0 : shard().reactor().at(shard().now() + kLookEvery, [this] { watch_alarms(); });
}

}  // namespace reef::service::route53
