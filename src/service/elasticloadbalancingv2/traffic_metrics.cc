#include "service/elasticloadbalancingv2/traffic_metrics.h"

#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

using metrics::Measure;
using metrics::Unit;

constexpr Duration kEvery = 1s, kIdleEvery = 2s;
constexpr int kGaugesEvery = 10;

double number(std::uint64_t value) { return static_cast<double>(value); }
// So many of it: no sample when there were none, as AWS reports no zeros of codes and errors.
Measure of(std::string_view name, std::uint64_t value, Unit unit = Unit::kCount) { return {name, number(value), unit, value > 0 ? 1.0 : 0.0}; }

}  // namespace

void TrafficMetrics::start() {
  store::Shard::control().reactor().after(elb_.balancers.empty() ? kIdleEvery : kEvery, [this] { collect().detach(); });
}

Task<void> TrafficMetrics::collect() {
  if (!elb_.balancers.empty()) publish(co_await engine_.collect());
  start();
}

void TrafficMetrics::publish(const edge::Traffic& traffic) {
  const bool has_gauges = until_gauges_-- <= 0;
  if (has_gauges) until_gauges_ = kGaugesEvery - 1;
  for (const auto& [arn, balancer] : elb_.balancers) {
    edge::ListenerTraffic sum;
    for (const Listener* listener : elb_.listeners_of(arn)) {
      const auto found = traffic.listeners.find(listener->arn());
      if (found == traffic.listeners.end()) continue;
      sum.own.add(found->second.own);
      sum.new_connections += found->second.new_connections, sum.bytes += found->second.bytes, sum.active += found->second.active;
      sum.client_resets += found->second.client_resets, sum.desync += found->second.desync;
    }
    edge::Counters targets;
    const std::string name = resource_of(arn), account = account_of(arn), region = region_of(arn);
    const std::string_view space = balancer.is_application() ? "AWS/ApplicationELB" : "AWS/NetworkELB";
    for (const auto& [group_arn, group] : elb_.groups) {
      const auto found = traffic.groups.find(group_arn);
      if (found == traffic.groups.end()) continue;
      const auto users = elb_.balancers_using(group_arn);
      if (users.empty() || users.front() != arn) continue;
      const edge::GroupTraffic& one = found->second;
      targets.add(one.targets);
      const std::string group_name = "targetgroup/" + resource_of(group_arn);
      const double gauges = has_gauges ? 1 : 0, answered = number(one.targets.requests);
      counters_.add({account, region, space, {{"LoadBalancer", name}, {"TargetGroup", group_name}}},
                    {{"HealthyHostCount", number(one.healthy), Unit::kCount, gauges}, {"UnHealthyHostCount", number(one.unhealthy), Unit::kCount, gauges},
                     of("RequestCount", one.targets.requests), of("HTTPCode_Target_2XX_Count", one.targets.status_2xx),
                     of("HTTPCode_Target_3XX_Count", one.targets.status_3xx), of("HTTPCode_Target_4XX_Count", one.targets.status_4xx),
                     of("HTTPCode_Target_5XX_Count", one.targets.status_5xx), of("TargetConnectionErrorCount", one.targets.connection_errors),
                     {"TargetResponseTime", answered > 0 ? number(one.targets.latency_micros) / 1e6 / answered : 0, Unit::kSeconds, answered}});
      if (one.targets.requests == 0 || one.healthy == 0) continue;
      const Measure per_target{"RequestCountPerTarget", answered / static_cast<double>(one.healthy)};
      counters_.add({account, region, space, {{"TargetGroup", group_name}}}, {per_target});
      counters_.add({account, region, space, {{"LoadBalancer", name}, {"TargetGroup", group_name}}}, {per_target});
    }
    if (!balancer.is_application()) {
      counters_.add({account, region, space, {{"LoadBalancer", name}}},
                    {{"ActiveFlowCount", number(sum.active)}, of("NewFlowCount", sum.new_connections), of("ProcessedBytes", sum.bytes, Unit::kBytes),
                     of("TCP_Client_Reset_Count", sum.client_resets)});
      continue;
    }
    const double answered = number(targets.requests);
    counters_.add({account, region, space, {{"LoadBalancer", name}}},
                  {of("RequestCount", targets.requests + sum.own.requests), of("HTTPCode_Target_2XX_Count", targets.status_2xx),
                   of("HTTPCode_Target_3XX_Count", targets.status_3xx), of("HTTPCode_Target_4XX_Count", targets.status_4xx),
                   of("HTTPCode_Target_5XX_Count", targets.status_5xx), of("HTTPCode_ELB_3XX_Count", sum.own.status_3xx),
                   of("HTTPCode_ELB_4XX_Count", sum.own.status_4xx), of("HTTPCode_ELB_5XX_Count", sum.own.status_5xx),
                   of("TargetConnectionErrorCount", targets.connection_errors), of("NewConnectionCount", sum.new_connections),
                   of("DesyncMitigationMode_NonCompliant_Request_Count", sum.desync), of("ActiveConnectionCount", sum.active), of("ProcessedBytes", sum.bytes, Unit::kBytes),
                   {"TargetResponseTime", answered > 0 ? number(targets.latency_micros) / 1e6 / answered : 0, Unit::kSeconds, answered}});
  }
}

}  // namespace reef::service::elb
