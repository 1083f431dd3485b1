// The metrics of load balancers and their target groups, from what the loops count.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
#pragma once

#include "engine/edge/balancer/balancers.h"
#include "engine/metrics/counters.h"

namespace reef::service::elb {

struct Elb;

class TrafficMetrics {
 public:
  TrafficMetrics(Elb& elb, edge::Balancers& engine, metrics::Counters& counters) : elb_(elb), engine_(engine), counters_(counters) {}
  // Collects every second from now on; with less haste while there are no load balancers.
  void start();

 private:
  Task<void> collect();
  void publish(const edge::Traffic& traffic);
  Elb& elb_;
  edge::Balancers& engine_;
  metrics::Counters& counters_;
  int until_gauges_ = 0;  // collections before the hosts are counted again
};

}  // namespace reef::service::elb
