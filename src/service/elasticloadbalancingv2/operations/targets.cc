// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
#include <algorithm>

#include <arpa/inet.h>

#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

constexpr std::size_t kTargetsMax = 1000;

Reply<std::vector<RegisteredTarget>> read_targets(const Group& group, const std::vector<model::TargetDescription>& targets) {
  const std::string type = *group.value.target_type;
  std::vector<RegisteredTarget> out;
  for (const auto& target : targets) {
    if (type == "ip") {
      unsigned char bytes[16];
      if (::inet_pton(AF_INET, target.id.c_str(), bytes) != 1 && ::inet_pton(AF_INET6, target.id.c_str(), bytes) != 1)
        return Err(aws::validation_error(fmt::format("The IP address '{}' is not a valid IPv4 address", target.id)));
    } else if (type == "instance" && !target.id.starts_with("i-")) {
      return Err(aws::Error(errors::kInvalidTargetException, fmt::format("Instance ID '{}' is not valid", target.id)));
    } else if (type == "lambda" && target.id.find(":function:") == std::string::npos) {
      return Err(aws::validation_error(fmt::format("The Lambda function ARN '{}' is not valid", target.id)));
    }
    if (type == "alb" && (target.id.find(":loadbalancer/app/") == std::string::npos || (target.port && target.port != group.value.port)))
      return Err(aws::Error(errors::kInvalidTargetException, fmt::format("The target '{}' must be the ARN of an application load balancer, at the port of the target group", target.id)));
    if (target.port && (*target.port < 1 || *target.port > 65535)) return Err(aws::validation_error(fmt::format("Port '{}' must be between 1 and 65535", *target.port)));
    out.push_back({.id = target.id, .zone = target.availability_zone.value_or(""), .port = type == "lambda" ? 0 : target.port.value_or(*group.value.port)});
  }
  return out;
}

bool same(const RegisteredTarget& a, const RegisteredTarget& b) { return a.id == b.id && a.port == b.port; }

}  // namespace

Task<Reply<model::RegisterTargetsOutput>> RegisterTargets(Elb& elb, const model::RegisterTargetsInput& in, const Call&) {
  Group* group = CO_TRY(elb.group(in.target_group_arn));
  const auto targets = CO_TRY(read_targets(*group, in.targets));
  const bool is_lambda = group->value.target_type == "lambda";
  if (is_lambda && (targets.size() > 1 || (!group->targets.empty() && !same(group->targets[0], targets[0]))))
    co_return Err(aws::Error(errors::kTooManyTargetsException, "A target group of type 'lambda' can have only one target"));
  for (const RegisteredTarget& target : targets)
    if (std::none_of(group->targets.begin(), group->targets.end(), [&](const auto& other) { return same(other, target); })) group->targets.push_back(target);
  if (group->targets.size() > kTargetsMax) {
    group->targets.resize(group->targets.size() - targets.size());
    co_return Err(aws::Error(errors::kTooManyTargetsException, fmt::format("The maximum number of targets per target group is '{}'", kTargetsMax)));
  }
  elb.save(*group);
  const Group copy = *group;
  co_await elb.committed();
  if (is_lambda) co_await elb.apply_group(in.target_group_arn);
  else co_await elb.balancers_engine.register_targets(in.target_group_arn, co_await elb.resolve(copy, targets));
  co_return model::RegisterTargetsOutput{};
}

Task<Reply<model::DeregisterTargetsOutput>> DeregisterTargets(Elb& elb, const model::DeregisterTargetsInput& in, const Call&) {
  Group* group = CO_TRY(elb.group(in.target_group_arn));
  CO_TRY(read_targets(*group, in.targets));
  std::vector<edge::TargetSpec> gone;
  for (const auto& target : in.targets) {
    gone.push_back({.id = target.id, .ip = {}, .port = target.port.value_or(0)});
    std::erase_if(group->targets, [&](const RegisteredTarget& other) { return other.id == target.id && (!target.port || *target.port == other.port); });
  }
  elb.save(*group);
  const bool is_lambda = group->value.target_type == "lambda";
  co_await elb.committed();
  if (is_lambda) co_await elb.apply_group(in.target_group_arn);
  else co_await elb.balancers_engine.deregister_targets(in.target_group_arn, gone);
  co_return model::DeregisterTargetsOutput{};
}

Task<Reply<model::DescribeTargetHealthOutput>> DescribeTargetHealth(Elb& elb, const model::DescribeTargetHealthInput& in, const Call&) {
  const Group* group = CO_TRY(elb.group(in.target_group_arn));
  const bool is_used = !elb.balancers_using(in.target_group_arn).empty();
  std::vector<model::TargetHealthDescription> all;
  if (group->value.target_type == "lambda") {
    for (const RegisteredTarget& target : group->targets) {
      auto& shown = all.emplace_back();
      shown.target = {.id = target.id, .availability_zone = "all"};
      shown.target_health = is_used ? model::TargetHealth{.state = "unavailable", .reason = "Target.HealthCheckDisabled", .description = "Health checks are not enabled for this target"}
                                    : model::TargetHealth{.state = "unused", .reason = "Target.NotInUse", .description = edge::describe(edge::HealthReason::kNotInUse, 0)};
    }
  }
  const bool mitigates = attribute(*group, "load_balancing.algorithm.type") == "weighted_random";
  for (const edge::TargetStatus& status : elb.balancers_engine.targets(in.target_group_arn)) {
    auto& shown = all.emplace_back();
    shown.target = {.id = status.id, .port = status.port};
    for (const RegisteredTarget& target : group->targets)
      if (target.id == status.id && !target.zone.empty()) shown.target->availability_zone = target.zone;
    shown.health_check_port = std::to_string(status.check_port);
    shown.target_health = model::TargetHealth{.state = std::string(edge::name_of(status.state))};
    if (status.reason != edge::HealthReason::kNone) {
      shown.target_health->reason = std::string(edge::code_of(status.reason));
      shown.target_health->description = status.description;
    }
    if (mitigates)
      shown.anomaly_detection = model::AnomalyDetection{.result = status.is_anomalous ? "anomalous" : "normal",
                                                        .mitigation_in_effect = status.is_anomalous && attribute(*group, "load_balancing.algorithm.anomaly_mitigation") == "on" ? "yes" : "no"};
  }
  model::DescribeTargetHealthOutput out{.target_health_descriptions = std::vector<model::TargetHealthDescription>{}};
  if (!in.targets || in.targets->empty()) {
    out.target_health_descriptions = std::move(all);
    co_return out;
  }
  for (const auto& asked : *in.targets) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& shown) { return shown.target->id == asked.id && (!asked.port || shown.target->port == asked.port); });
    if (found != all.end()) {
      out.target_health_descriptions->push_back(*found);
      continue;
    }
    auto& shown = out.target_health_descriptions->emplace_back();
    shown.target = asked;
    if (!shown.target->port) shown.target->port = group->value.port;
    shown.health_check_port = std::to_string(*shown.target->port);
    shown.target_health = model::TargetHealth{.state = "unused", .reason = "Target.NotRegistered", .description = "Target is not registered to the target group"};
  }
  co_return out;
}

}  // namespace reef::service::elb::operations
