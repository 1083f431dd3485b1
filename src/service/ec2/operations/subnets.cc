// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html and its kin
#include "base/text.h"
#include "engine/network/cidr.h"
#include "service/ec2/access_lists.h"
#include "service/ec2/describe.h"
#include "service/ec2/interfaces.h"

namespace reef::service::ec2::operations {

Reply<model::CreateSubnetOutput> CreateSubnet(const model::CreateSubnetInput& in, const Call& call) {
  if (in.ipv6_cidr_block || in.ipv6_native.value_or(false) || in.ipv4_ipam_pool_id || in.ipv6_ipam_pool_id || in.outpost_arn)
    return Err(aws::Error("UnsupportedOperation", "Subnets with IPv6, IPAM pools or Outposts are not supported by this version of Atoll.", 400));
  const model::Vpc vpc = TRY(get<model::Vpc>(call, in.vpc_id));
  if (!in.cidr_block) return Err(aws::Error("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.", 400));
  const auto cidr = parse_cidr(*in.cidr_block);
  if (!cidr) return Err(invalid_value(fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", *in.cidr_block)));
  bool inside = false;
  for (const auto& block : *vpc.cidr_block_association_set) inside = inside || parse_cidr(*block.cidr_block)->contains(*cidr);
  if (!inside || cidr->prefix < 16 || cidr->prefix > 28)
    return Err(aws::Error("InvalidSubnet.Range", fmt::format("The CIDR '{}' is invalid.", *in.cidr_block), 400));
  for (const auto& other : all<model::Subnet>(call))
    if (other.vpc_id == in.vpc_id && parse_cidr(*other.cidr_block)->overlaps(*cidr))
      return Err(aws::Error("InvalidSubnet.Conflict", fmt::format("The CIDR '{}' conflicts with another subnet", *in.cidr_block), 400));
  const auto zones = zone_names(call);
  std::string zone = in.availability_zone.value_or("");
  if (in.availability_zone_id) {
    for (const std::string& one : zones)
      if (zone_id(call, one) == *in.availability_zone_id) zone = one;
    if (zone.empty()) return Err(invalid_value(fmt::format("Value ({}) for parameter availabilityZoneId is invalid. Unknown availability zone.", *in.availability_zone_id)));
  }
  if (zone.empty()) zone = zones[0];
  if (std::find(zones.begin(), zones.end(), zone) == zones.end())
    return Err(invalid_value(fmt::format("Value ({}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.", zone, join(zones, ", "))));
  const Tags tags = TRY(tags_for(in.tag_specifications, "subnet"));
  model::Subnet subnet = make_subnet(call, vpc, cidr->text(), zone, false);
  subnet.tags = tags;
  put(call, subnet);
  return model::CreateSubnetOutput{.subnet = std::move(subnet)};
}

Reply<model::DeleteSubnetOutput> DeleteSubnet(const model::DeleteSubnetInput& in, const Call& call) {
  TRY(get<model::Subnet>(call, in.subnet_id));
  for (const auto& gateway : all<model::NatGateway>(call))
    if (gateway.subnet_id == in.subnet_id) return Err(in_use("subnet", in.subnet_id));
  if (has_interfaces(call, in.subnet_id)) return Err(in_use("subnet", in.subnet_id));
  // Its association with a route table goes with it.
  for (model::RouteTable& table : all<model::RouteTable>(call))
    if (std::erase_if(*table.associations, [&](const auto& one) { return one.subnet_id == in.subnet_id; }) > 0) put(call, table);
  dissociate(call, in.subnet_id);
  erase<model::Subnet>(call, in.subnet_id);
  return model::DeleteSubnetOutput{};
}

Reply<model::DescribeSubnetsOutput> DescribeSubnets(const model::DescribeSubnetsInput& in, const Call& call) {
  model::DescribeSubnetsOutput out;
  out.subnets = TRY(choose<model::Subnet>(call, in, in.subnet_ids, [](const model::Subnet& subnet, std::string_view name) -> std::optional<Values> {
    if (name == "subnet-id") return one_value(subnet.subnet_id);
    if (name == "vpc-id") return one_value(subnet.vpc_id);
    if (name == "availability-zone" || name == "availabilityZone") return one_value(subnet.availability_zone);
    if (name == "availability-zone-id" || name == "availabilityZoneId") return one_value(subnet.availability_zone_id);
    if (name == "cidr-block" || name == "cidr" || name == "cidrBlock") return one_value(subnet.cidr_block);
    if (name == "default-for-az" || name == "defaultForAz") return one_value(subnet.default_for_az);
    if (name == "map-public-ip-on-launch") return one_value(subnet.map_public_ip_on_launch);
    if (name == "state") return one_value(subnet.state);
    if (name == "owner-id") return one_value(subnet.owner_id);
    if (name == "subnet-arn") return one_value(subnet.subnet_arn);
    if (name == "available-ip-address-count") return Values{std::to_string(subnet.available_ip_address_count.value_or(0))};
    return std::nullopt;
  }, out.next_token));
  return out;
}

Reply<model::ModifySubnetAttributeOutput> ModifySubnetAttribute(const model::ModifySubnetAttributeInput& in, const Call& call) {
  model::Subnet subnet = TRY(get<model::Subnet>(call, in.subnet_id));
  if (in.assign_ipv6_address_on_creation || in.map_customer_owned_ip_on_launch || in.enable_dns64 || in.private_dns_hostname_type_on_launch ||
      in.enable_resource_name_dns_a_record_on_launch || in.enable_resource_name_dns_aaaa_record_on_launch || in.enable_lni_at_device_index)
    return Err(aws::Error("UnsupportedOperation", "Of a subnet's attributes this version of Atoll supports MapPublicIpOnLaunch.", 400));
  if (!in.map_public_ip_on_launch) return Err(aws::Error("MissingParameter", "No attributes specified", 400));
  subnet.map_public_ip_on_launch = in.map_public_ip_on_launch->value.value_or(false);
  put(call, subnet);
  return model::ModifySubnetAttributeOutput{};
}

}  // namespace reef::service::ec2::operations
