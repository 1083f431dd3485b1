// Puts what balancers log into buckets of S3, a file every five minutes for each balancer and kind of log.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "aws/service.h"
#include "engine/edge/balancer/balancers.h"

namespace reef::service::elb {

struct Elb;
struct Balancer;

enum class LogKind { kAccess, kConnection, kHealthCheck };
inline constexpr std::array kLogKinds = {LogKind::kAccess, LogKind::kConnection, LogKind::kHealthCheck};

class LogDelivery {
 public:
  LogDelivery(Elb& elb, edge::Balancers& engine);
  // Delivers at every fifth minute of the clock from now on.
  void start();
  // Where a balancer's lines go; null while that log is off.
  std::shared_ptr<edge::TrafficLog> log_of(const Balancer& balancer, LogKind kind);
  // Writes the test files for the logs that `after` turns on: an error when a bucket is missing.
  Task<aws::Reply<void>> try_buckets(const Balancer& before, const Balancer& after);
  // Delivers at once what a balancer has gathered, in logs that have been turned off too.
  Task<void> flush(std::string balancer_arn);
  void forget(const std::string& balancer_arn);
  Task<void> flush_all();

 private:
  Task<void> deliver(Balancer balancer, LogKind kind, edge::TrafficLog& log, Time now);
  void note_check(const edge::CheckNote& note);
  Elb& elb_;
  edge::Balancers& engine_;
  std::map<std::pair<std::string, LogKind>, std::shared_ptr<edge::TrafficLog>> logs_;   // by the balancer's ARN
};

}  // namespace reef::service::elb
