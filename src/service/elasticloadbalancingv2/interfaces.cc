// A balancer's network interfaces: one in each of its subnets, with its security groups.
#include <fmt/format.h>

#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {

void Elb::tell_network(const Balancer& balancer) {
  if (const auto address = network::parse_address(balancer.address)) networks.set_front(*address, balancer.arn());
  for (const std::string& id : balancer.interfaces) networks.set_owner(id, balancer.arn(), {*balancer.value.load_balancer_name});
}

Reply<void> Elb::attach(Balancer& balancer) {
  if (!networks.maker) return {};
  const std::string arn = balancer.arn();
  const auto groups = balancer.value.security_groups.value_or(std::vector<std::string>{});
  std::vector<std::string> made;
  for (const auto& zone : balancer.value.availability_zones.value_or(std::vector<model::AvailabilityZone>{})) {
    const auto one = networks.maker->make({.account = account_of(arn), .region = region_of(arn), .subnet = zone.subnet_id.value_or(""), .groups = groups,
                                           .wants_groups = balancer.is_application(), .description = "ELB " + resource_of(arn),
                                           .type = balancer.is_application() ? "interface" : "network_load_balancer", .requester = "amazon-elb", .owner = arn,
                                           .names = {*balancer.value.load_balancer_name}});
    if (one) {
      made.push_back(one->id);
      // Without any given it is the VPC's default group.
      if (balancer.is_application() && groups.empty()) balancer.value.security_groups = one->groups;
      continue;
    }
    for (const std::string& id : made) networks.maker->release(account_of(arn), region_of(arn), id);
    const std::string& message = one.error().message;
    if (message.starts_with("InvalidGroup")) return Err(aws::Error(errors::kInvalidSecurityGroupException, message.substr(message.find(": ") + 2)));
    return Err(aws::Error(errors::kInvalidSubnetException, message.substr(message.find(": ") + 2)));
  }
  detach(balancer);
  balancer.interfaces = std::move(made);
  tell_network(balancer);
  networks.publish();
  return {};
}

void Elb::detach(Balancer& balancer) {
  if (!networks.maker) return;
  for (const std::string& id : std::exchange(balancer.interfaces, {})) networks.maker->release(account_of(balancer.arn()), region_of(balancer.arn()), id);
}

}  // namespace reef::service::elb
