// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
#include <algorithm>

#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

using wire::Json;

Reply<void> check_name(std::string_view what, const std::string& name) {
  if (name.size() > 32) return Err(aws::validation_error(fmt::format("The {} name '{}' cannot be longer than '32' characters", what, name)));
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!plain || name.empty())
    return Err(aws::validation_error(fmt::format("The {} name '{}' can only contain characters that are alphanumeric characters or hyphens(-)", what, name)));
  if (name.front() == '-' || name.back() == '-') return Err(aws::validation_error(fmt::format("The {} name '{}' cannot begin or end with a hyphen(-)", what, name)));
  return {};
}

struct Zones {
  std::vector<model::AvailabilityZone> zones;
  std::string vpc;
};

// The zones and the VPC of subnets. Where no subnets are kept, each stands for a zone of its own.
Task<Reply<Zones>> find_zones(Elb& elb, const Call& call, const std::vector<std::string>& subnets) {
  Zones out;
  Json ids = Json::array();
  for (const std::string& subnet : subnets) ids.push_back(subnet);
  const auto reply = co_await elb.caller.invoke_json(call, "ec2", "DescribeSubnets", Json::object({{"SubnetIds", std::move(ids)}}));
  if (!reply && (reply.error().code == "InvalidSubnetID.NotFound"))
    co_return Err(aws::Error(errors::kSubnetNotFoundException, reply.error().message));
  char letter = 'a';
  for (const std::string& subnet : subnets) {
    model::AvailabilityZone zone{.zone_name = call.region + letter, .subnet_id = subnet, .load_balancer_addresses = std::vector<model::LoadBalancerAddress>{}};
    if (letter < 'f') ++letter;
    if (reply)
      for (const Json& known : (*reply)["Subnets"].as_array())
        if (known.text("SubnetId") == subnet) {
          zone.zone_name = known.text("AvailabilityZone");
          out.vpc = known.text("VpcId");
        }
    out.zones.push_back(std::move(zone));
  }
  std::sort(out.zones.begin(), out.zones.end(), [](const auto& a, const auto& b) { return *a.zone_name < *b.zone_name; });
  co_return out;
}

std::vector<std::string> subnets_of(const std::optional<std::vector<std::string>>& subnets, const std::optional<std::vector<model::SubnetMapping>>& mappings) {
  std::vector<std::string> out = subnets.value_or(std::vector<std::string>{});
  if (mappings)
    for (const auto& mapping : *mappings) out.push_back(mapping.subnet_id.value_or(""));
  return out;
}

}  // namespace

Task<Reply<model::CreateLoadBalancerOutput>> CreateLoadBalancer(Elb& elb, const model::CreateLoadBalancerInput& in, const Call& call) {
  CO_TRY(check_name("load balancer", in.name));
  if (in.name.starts_with("internal-")) co_return Err(aws::validation_error("The load balancer name cannot begin with the prefix 'internal-'"));
  const std::string type = in.type.value_or("application"), scheme = in.scheme.value_or("internet-facing");
  if (type == "gateway") co_return Err(aws::not_implemented("Load balancer type 'gateway'"));
  if (type != "application" && type != "network") co_return Err(aws::validation_error(fmt::format("Load balancer type '{}' must be one of '[application, network, gateway]'", type)));
  const Tags tags = CO_TRY(read_tags(in.tags));
  const auto subnets = subnets_of(in.subnets, in.subnet_mappings);
  if (in.subnets && in.subnet_mappings) co_return Err(aws::validation_error("You must specify either subnets or subnet mappings, not both"));
  if (subnets.empty()) co_return Err(aws::validation_error(type == "application" ? "At least two subnets in two different Availability Zones must be specified"
                                                                                : "At least one subnet must be specified"));
  if (type == "application" && subnets.size() < 2)
    co_return Err(aws::Error(errors::kInvalidConfigurationRequestException, "At least two subnets in two different Availability Zones must be specified"));
  Zones zones = CO_TRY(co_await find_zones(elb, call, subnets));
  model::CreateLoadBalancerOutput out;
  if (Balancer* existing = elb.balancer_named(call, in.name)) {
    // The same request again gives what it gave before.
    const bool same = existing->value.type == type && existing->value.scheme == scheme;
    if (!same)
      co_return Err(aws::Error(errors::kDuplicateLoadBalancerNameException, fmt::format("A load balancer with the same name '{}' exists, but with different settings", in.name)));
    out.load_balancers = {existing->value};
    co_return out;
  }
  Balancer balancer;
  const std::string id = make_id();
  const std::string_view short_type = type == "application" ? "app" : "net";
  const std::string arn = call.arn("elasticloadbalancing", fmt::format("loadbalancer/{}/{}/{}", short_type, in.name, id));
  const std::string number = std::to_string(1'000'000'000 + std::hash<std::string>{}(arn) % 1'000'000'000);
  balancer.address = elb.address_for(arn);
  balancer.tags = tags;
  model::LoadBalancer& value = balancer.value;
  value.load_balancer_arn = arn;
  value.load_balancer_name = in.name;
  value.dns_name = fmt::format("{}{}-{}.{}.elb.localhost.localstack.cloud", scheme == "internal" ? "internal-" : "", in.name, number, call.region);
  value.canonical_hosted_zone_id = type == "application" ? "Z35SXDOTRQ7X7K" : "Z26RNL4JYFTOTI";
  value.created_time = call.now;
  value.scheme = scheme;
  value.type = type;
  value.state = {.code = "active"};
  value.vpc_id = zones.vpc.empty() ? std::nullopt : std::optional(zones.vpc);
  value.availability_zones = zones.zones;
  if (in.security_groups || type == "application") value.security_groups = in.security_groups.value_or(std::vector<std::string>{});
  value.ip_address_type = in.ip_address_type.value_or("ipv4");
  CO_TRY(elb.attach(balancer));
  elb.save(balancer);
  elb.publish_name(balancer);
  // Made known at once, active when it has its addresses: which it has.
  model::LoadBalancer first = value;
  first.state = {.code = "provisioning"};
  elb.balancers[arn] = std::move(balancer);
  co_await elb.committed();
  out.load_balancers = {first};
  co_return out;
}

Task<Reply<model::DescribeLoadBalancersOutput>> DescribeLoadBalancers(Elb& elb, const model::DescribeLoadBalancersInput& in, const Call& call) {
  std::vector<model::LoadBalancer> all;
  if (in.load_balancer_arns && in.names) co_return Err(aws::validation_error("Load balancer names and load balancer ARNs cannot be specified at the same time"));
  if (in.load_balancer_arns) {
    for (const std::string& arn : *in.load_balancer_arns) {
      const auto found = elb.balancer(arn);
      if (!found && found.error().code == "LoadBalancerNotFound") co_return Err(aws::Error(errors::kLoadBalancerNotFoundException, "One or more load balancers not found"));
      all.push_back((*CO_TRY(found)).value);
    }
  } else if (in.names) {
    for (const std::string& name : *in.names) {
      const Balancer* found = elb.balancer_named(call, name);
      if (!found) co_return Err(aws::Error(errors::kLoadBalancerNotFoundException, fmt::format("Load balancers '[{}]' not found", join(*in.names, ", "))));
      all.push_back(found->value);
    }
  } else {
    for (const auto& [arn, balancer] : elb.balancers)
      if (account_of(arn) == call.account && region_of(arn) == call.region) all.push_back(balancer.value);
  }
  model::DescribeLoadBalancersOutput out;
  CO_TRY(paginate(in, all, out.load_balancers, out));
  co_return out;
}

Task<Reply<model::DeleteLoadBalancerOutput>> DeleteLoadBalancer(Elb& elb, const model::DeleteLoadBalancerInput& in, const Call&) {
  const auto found = elb.balancer(in.load_balancer_arn);
  if (!found) {
    // Deleting what is not there succeeds.
    if (found.error().code == "LoadBalancerNotFound") co_return model::DeleteLoadBalancerOutput{};
    co_return Err(found.error());
  }
  Balancer balancer = **found;
  if (attribute(balancer, "deletion_protection.enabled") == "true")
    co_return Err(aws::Error(errors::kOperationNotPermittedException, fmt::format("Load balancer '{}' cannot be deleted because deletion protection is enabled", balancer.arn())));
  co_await elb.log_delivery.flush(balancer.arn());
  elb.log_delivery.forget(balancer.arn());
  std::vector<std::string> listeners;
  for (const Listener* listener : elb.listeners_of(balancer.arn())) listeners.push_back(listener->arn());
  elb.withdraw_name(balancer);
  for (const std::string& arn : listeners) {
    for (const Rule* rule : elb.rules_of(arn)) {
      const std::string rule_arn = rule->arn();
      elb.erase(rule_arn);
      elb.rules.erase(rule_arn);
    }
    elb.erase(arn);
    elb.listeners.erase(arn);
  }
  elb.detach(balancer);
  if (const auto address = network::parse_address(balancer.address)) elb.networks.set_front(*address, {});
  elb.networks.publish();
  elb.erase(balancer.arn());
  elb.balancers.erase(balancer.arn());
  elb.update_uses(balancer.arn());
  co_await elb.committed();
  for (const std::string& arn : listeners) co_await elb.balancers_engine.remove_listener(arn);
  co_return model::DeleteLoadBalancerOutput{};
}

Task<Reply<model::DescribeLoadBalancerAttributesOutput>> DescribeLoadBalancerAttributes(Elb& elb, const model::DescribeLoadBalancerAttributesInput& in, const Call&) {
  const Balancer* balancer = CO_TRY(elb.balancer(in.load_balancer_arn));
  co_return model::DescribeLoadBalancerAttributesOutput{.attributes = list_attributes<model::LoadBalancerAttribute>(*balancer)};
}

Task<Reply<model::ModifyLoadBalancerAttributesOutput>> ModifyLoadBalancerAttributes(Elb& elb, const model::ModifyLoadBalancerAttributesInput& in, const Call&) {
  Balancer changed = *CO_TRY(elb.balancer(in.load_balancer_arn));
  for (const auto& attribute : in.attributes) CO_TRY(set_attribute(changed, attribute.key.value_or(""), attribute.value.value_or("")));
  CO_TRY(co_await elb.log_delivery.try_buckets(*CO_TRY(elb.balancer(in.load_balancer_arn)), changed));
  elb.balancers[in.load_balancer_arn] = changed;
  elb.save(changed);
  co_await elb.committed();
  co_await elb.apply_all_of(in.load_balancer_arn);
  co_await elb.log_delivery.flush(in.load_balancer_arn);
  co_return model::ModifyLoadBalancerAttributesOutput{.attributes = list_attributes<model::LoadBalancerAttribute>(changed)};
}

Task<Reply<model::SetIpAddressTypeOutput>> SetIpAddressType(Elb& elb, const model::SetIpAddressTypeInput& in, const Call&) {
  Balancer* balancer = CO_TRY(elb.balancer(in.load_balancer_arn));
  balancer->value.ip_address_type = in.ip_address_type;
  elb.save(*balancer);
  co_await elb.committed();
  co_return model::SetIpAddressTypeOutput{.ip_address_type = in.ip_address_type};
}

Task<Reply<model::SetSecurityGroupsOutput>> SetSecurityGroups(Elb& elb, const model::SetSecurityGroupsInput& in, const Call&) {
  Balancer* balancer = CO_TRY(elb.balancer(in.load_balancer_arn));
  if (in.security_groups.empty()) co_return Err(aws::validation_error("At least one security group must be specified"));
  if (!balancer->is_application() && !balancer->value.security_groups)
    co_return Err(aws::Error(errors::kInvalidConfigurationRequestException, "You cannot associate a security group with a Network Load Balancer that was created without one"));
  for (const std::string& id : balancer->interfaces) {
    const auto changed = elb.networks.maker->set_groups(account_of(balancer->arn()), region_of(balancer->arn()), id, in.security_groups);
    if (!changed) co_return Err(aws::Error(errors::kInvalidSecurityGroupException, changed.error().message.substr(changed.error().message.find(": ") + 2)));
  }
  balancer->value.security_groups = in.security_groups;
  elb.save(*balancer);
  co_await elb.committed();
  co_return model::SetSecurityGroupsOutput{.security_group_ids = in.security_groups};
}

Task<Reply<model::SetSubnetsOutput>> SetSubnets(Elb& elb, const model::SetSubnetsInput& in, const Call& call) {
  CO_TRY(elb.balancer(in.load_balancer_arn));
  const auto subnets = subnets_of(in.subnets, in.subnet_mappings);
  const Zones zones = CO_TRY(co_await find_zones(elb, call, subnets));
  Balancer* balancer = CO_TRY(elb.balancer(in.load_balancer_arn));
  if (balancer->is_application() && subnets.size() < 2)
    co_return Err(aws::Error(errors::kInvalidConfigurationRequestException, "At least two subnets in two different Availability Zones must be specified"));
  const auto before = std::exchange(balancer->value.availability_zones, zones.zones);
  if (const auto attached = elb.attach(*balancer); !attached) {
    balancer->value.availability_zones = before;
    co_return Err(attached.error());
  }
  if (in.ip_address_type) balancer->value.ip_address_type = in.ip_address_type;
  elb.save(*balancer);
  const std::string type = balancer->value.ip_address_type.value_or("ipv4");
  co_await elb.committed();
  co_return model::SetSubnetsOutput{.availability_zones = zones.zones, .ip_address_type = type};
}

// Capacity is never reserved here: what there is, every balancer shares.
Task<Reply<model::DescribeCapacityReservationOutput>> DescribeCapacityReservation(Elb& elb, const model::DescribeCapacityReservationInput& in, const Call&) {
  CO_TRY(elb.balancer(in.load_balancer_arn));
  co_return model::DescribeCapacityReservationOutput{};
}

}  // namespace reef::service::elb::operations
