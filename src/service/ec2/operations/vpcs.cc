// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html and its kin
#include "engine/network/cidr.h"
#include "service/ec2/access_lists.h"
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {

Reply<model::CreateVpcOutput> CreateVpc(const model::CreateVpcInput& in, const Call& call) {
  if (in.amazon_provided_ipv6_cidr_block.value_or(false) || in.ipv6_cidr_block || in.ipv4_ipam_pool_id || in.ipv6_ipam_pool_id)
    return Err(aws::Error("UnsupportedOperation", "VPCs with IPv6 or IPAM pools are not supported by this version of Atoll.", 400));
  if (!in.cidr_block) return Err(aws::Error("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.", 400));
  const auto cidr = parse_cidr(*in.cidr_block);
  if (!cidr) return Err(invalid_value(fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", *in.cidr_block)));
  if (cidr->prefix < 16 || cidr->prefix > 28) return Err(aws::Error("InvalidVpc.Range", fmt::format("The CIDR '{}' is invalid.", *in.cidr_block), 400));
  const std::string tenancy = in.instance_tenancy.value_or("default");
  if (tenancy != "default" && tenancy != "dedicated")
    return Err(invalid_value(fmt::format("The tenancy value {} is not supported.", tenancy)));
  const Tags tags = TRY(tags_for(in.tag_specifications, "vpc"));
  model::Vpc vpc = make_vpc(call, cidr->text(), false);
  vpc.tags = tags;
  vpc.instance_tenancy = tenancy;
  put(call, vpc);
  return model::CreateVpcOutput{.vpc = std::move(vpc)};
}

Reply<model::DeleteVpcOutput> DeleteVpc(const model::DeleteVpcInput& in, const Call& call) {
  TRY(get<model::Vpc>(call, in.vpc_id));
  for (const auto& subnet : all<model::Subnet>(call))
    if (subnet.vpc_id == in.vpc_id) return Err(in_use("vpc", in.vpc_id));
  for (const auto& gateway : all<model::InternetGateway>(call))
    for (const auto& attachment : *gateway.attachments)
      if (attachment.vpc_id == in.vpc_id) return Err(in_use("vpc", in.vpc_id));
  for (const auto& endpoint : all<model::VpcEndpoint>(call))
    if (endpoint.vpc_id == in.vpc_id && endpoint.vpc_endpoint_type == "Interface") return Err(in_use("vpc", in.vpc_id));
  std::vector<std::string> tables, groups;
  for (const auto& table : all<model::RouteTable>(call)) {
    if (table.vpc_id != in.vpc_id) continue;
    bool main = false;
    for (const auto& one : *table.associations) main = main || one.main.value_or(false);
    if (!main) return Err(in_use("vpc", in.vpc_id));
    tables.push_back(*table.route_table_id);
  }
  for (const auto& group : all<model::SecurityGroup>(call)) {
    if (group.vpc_id != in.vpc_id) continue;
    if (group.group_name != "default") return Err(in_use("vpc", in.vpc_id));
    groups.push_back(*group.group_id);
  }
  const auto lists = access_lists_of(call, in.vpc_id);
  for (const auto& list : lists)
    if (!list.is_default.value_or(false)) return Err(in_use("vpc", in.vpc_id));
  for (const auto& endpoint : all<model::VpcEndpoint>(call))
    if (endpoint.vpc_id == in.vpc_id) erase<model::VpcEndpoint>(call, *endpoint.vpc_endpoint_id);
  for (const auto& list : lists) erase<model::NetworkAcl>(call, *list.network_acl_id);
  for (const std::string& id : tables) erase<model::RouteTable>(call, id);
  for (const std::string& id : groups) {
    for (const auto& rule : all<model::SecurityGroupRule>(call))
      if (rule.group_id == id) erase<model::SecurityGroupRule>(call, *rule.security_group_rule_id);
    erase<model::SecurityGroup>(call, id);
  }
  erase_record(call, "vpc-dns", in.vpc_id);
  erase<model::Vpc>(call, in.vpc_id);
  return model::DeleteVpcOutput{};
}

Reply<model::DescribeVpcsOutput> DescribeVpcs(const model::DescribeVpcsInput& in, const Call& call) {
  model::DescribeVpcsOutput out;
  out.vpcs = TRY(choose<model::Vpc>(call, in, in.vpc_ids, [](const model::Vpc& vpc, std::string_view name) -> std::optional<Values> {
    if (name == "vpc-id") return one_value(vpc.vpc_id);
    if (name == "cidr" || name == "cidr-block") return one_value(vpc.cidr_block);
    if (name == "state") return one_value(vpc.state);
    if (name == "is-default" || name == "isDefault") return one_value(vpc.is_default);
    if (name == "owner-id") return one_value(vpc.owner_id);
    if (name == "dhcp-options-id") return one_value(vpc.dhcp_options_id);
    if (name == "cidr-block-association.cidr-block" || name == "cidr-block-association.association-id" || name == "cidr-block-association.state") {
      Values values;
      if (vpc.cidr_block_association_set)
        for (const auto& one : *vpc.cidr_block_association_set)
          values.push_back(name.ends_with("cidr-block") ? *one.cidr_block : name.ends_with("state") ? *one.cidr_block_state->state : *one.association_id);
      return values;
    }
    return std::nullopt;
  }, out.next_token));
  return out;
}

Reply<model::ModifyVpcAttributeOutput> ModifyVpcAttribute(const model::ModifyVpcAttributeInput& in, const Call& call) {
  TRY(get<model::Vpc>(call, in.vpc_id));
  if (in.enable_network_address_usage_metrics)
    return Err(aws::Error("UnsupportedOperation", "EnableNetworkAddressUsageMetrics is not supported by this version of Atoll.", 400));
  if (in.enable_dns_support && in.enable_dns_hostnames)
    return Err(aws::Error("InvalidParameterCombination", "Fields for multiple attribute types specified", 400));
  VpcDns dns = dns_of(call, in.vpc_id);
  if (in.enable_dns_support) dns.support = in.enable_dns_support->value.value_or(false);
  if (in.enable_dns_hostnames) dns.hostnames = in.enable_dns_hostnames->value.value_or(false);
  set_dns(call, in.vpc_id, dns);
  return model::ModifyVpcAttributeOutput{};
}

Reply<model::DescribeVpcAttributeOutput> DescribeVpcAttribute(const model::DescribeVpcAttributeInput& in, const Call& call) {
  TRY(get<model::Vpc>(call, in.vpc_id));
  const VpcDns dns = dns_of(call, in.vpc_id);
  model::DescribeVpcAttributeOutput out;
  out.vpc_id = in.vpc_id;
  if (in.attribute == "enableDnsSupport") out.enable_dns_support = model::AttributeBooleanValue{.value = dns.support};
  else if (in.attribute == "enableDnsHostnames") out.enable_dns_hostnames = model::AttributeBooleanValue{.value = dns.hostnames};
  else if (in.attribute == "enableNetworkAddressUsageMetrics") out.enable_network_address_usage_metrics = model::AttributeBooleanValue{.value = false};
  else return Err(invalid_value(fmt::format("Value ({}) for parameter attribute is invalid. Unknown attribute.", in.attribute)));
  return out;
}

}  // namespace reef::service::ec2::operations
