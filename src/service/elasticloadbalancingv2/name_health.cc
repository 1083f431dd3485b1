// Whether a DNS alias that evaluates its target's health may lead to a balancer.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html: every target
// group with targets must have a healthy one, and a group without targets is unhealthy.
#include <algorithm>

#include <fmt/format.h>

#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {

void Elb::update_name_health(const std::string& group_arn) {
  for (const std::string& balancer_arn : balancers_using(group_arn)) {
    const auto balancer = balancers.find(balancer_arn);
    if (balancer == balancers.end()) continue;
    bool healthy = true;
    for (const auto& [arn, group] : groups) {
      const auto users = balancers_using(arn);
      if (std::find(users.begin(), users.end(), balancer_arn) == users.end()) continue;
      const auto targets = balancers_engine.targets(arn);
      // Targets that nobody checks are taken to be well.
      const auto well = std::count_if(targets.begin(), targets.end(), [](const edge::TargetStatus& target) {
        return target.state == edge::HealthState::kHealthy || target.state == edge::HealthState::kUnavailable;
      });
      // https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health.html
      const auto least = [&group](std::string_view key, int otherwise) {
        return parse_int<int>(attribute(group, fmt::format("target_group_health.dns_failover.minimum_healthy_targets.{}", key))).value_or(otherwise);
      };
      healthy = healthy && well >= least("count", 1) && well * 100 >= static_cast<std::int64_t>(targets.size()) * least("percentage", 0);
    }
    names.set_healthy(*balancer->second.value.dns_name, healthy);
  }
}

}  // namespace reef::service::elb
