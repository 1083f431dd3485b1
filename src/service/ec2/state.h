// The records of the VPC family: reading, writing, and what AWS says when one is missing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "service/ec2/ec2.h"

namespace reef::service::ec2 {

// What is kept under an id. `type` is the name that tags give it, `noun` what errors call it.
template <class T>
struct Kind;
#define EC2_KIND(Type, type_name, id_prefix, error_noun, missing_code, member)                        \
  template <>                                                                                         \
  struct Kind<model::Type> {                                                                          \
    static constexpr std::string_view type = type_name, prefix = id_prefix, noun = error_noun, missing = missing_code; \
    static const std::string& id(const model::Type& one) { return *one.member; }                      \
  };
EC2_KIND(Vpc, "vpc", "vpc", "vpc ID", "InvalidVpcID.NotFound", vpc_id)
EC2_KIND(Subnet, "subnet", "subnet", "subnet ID", "InvalidSubnetID.NotFound", subnet_id)
EC2_KIND(InternetGateway, "internet-gateway", "igw", "internetGateway ID", "InvalidInternetGatewayID.NotFound", internet_gateway_id)
EC2_KIND(RouteTable, "route-table", "rtb", "routeTable ID", "InvalidRouteTableID.NotFound", route_table_id)
EC2_KIND(SecurityGroup, "security-group", "sg", "security group", "InvalidGroup.NotFound", group_id)
EC2_KIND(SecurityGroupRule, "security-group-rule", "sgr", "security group rule ID", "InvalidSecurityGroupRuleId.NotFound", security_group_rule_id)
EC2_KIND(Address, "elastic-ip", "eipalloc", "allocation ID", "InvalidAllocationID.NotFound", allocation_id)
EC2_KIND(NatGateway, "natgateway", "nat", "NAT gateway", "NatGatewayNotFound", nat_gateway_id)
EC2_KIND(NetworkInterface, "network-interface", "eni", "networkInterface ID", "InvalidNetworkInterfaceID.NotFound", network_interface_id)
EC2_KIND(NetworkAcl, "network-acl", "acl", "networkAcl ID", "InvalidNetworkAclID.NotFound", network_acl_id)
EC2_KIND(DhcpOptions, "dhcp-options", "dopt", "dhcpOption ID", "InvalidDhcpOptionID.NotFound", dhcp_options_id)
EC2_KIND(ManagedPrefixList, "prefix-list", "pl", "prefix list ID", "InvalidPrefixListID.NotFound", prefix_list_id)
EC2_KIND(VpcEndpoint, "vpc-endpoint", "vpce", "Vpc Endpoint Id", "InvalidVpcEndpointId.NotFound", vpc_endpoint_id)
EC2_KIND(FlowLog, "vpc-flow-log", "fl", "flow log ID", "InvalidFlowLogId.NotFound", flow_log_id)
#undef EC2_KIND

// Opaque values by kind and id, of the call's account and region. Makes the default VPC first.
const std::string* find_record(const Call& call, std::string_view type, std::string_view id);
std::vector<std::string> all_records(const Call& call, std::string_view type);
void put_record(const Call& call, std::string_view type, std::string_view id, std::string value);
bool erase_record(const Call& call, std::string_view type, std::string_view id);

// What was written since the last take: the network engine is told of it after each operation.
struct Change {
  std::string account, region, type, id;
  std::optional<std::string> value;  // none: erased
};
std::vector<Change> take_changes();

// "vpc-0a1b2c3d4e5f60718"
std::string new_id(std::string_view prefix);

template <class T>
std::optional<T> find(const Call& call, std::string_view id) {
  const std::string* text = find_record(call, Kind<T>::type, id);
  if (!text) return std::nullopt;
  auto value = aws::from_json_text<T>(*text);
  if (!value) return std::nullopt;
  return *std::move(value);
}
template <class T>
aws::Error missing(std::string_view id) {
  return aws::Error(std::string(Kind<T>::missing), fmt::format("The {} '{}' does not exist", Kind<T>::noun, id), 400);
}
template <class T>
Reply<T> get(const Call& call, std::string_view id) {
  if (auto found = find<T>(call, id)) return *std::move(found);
  return Err(missing<T>(id));
}
template <class T>
std::vector<T> all(const Call& call) {
  std::vector<T> out;
  for (const std::string& text : all_records(call, Kind<T>::type))
    if (auto value = aws::from_json_text<T>(text)) out.push_back(*std::move(value));
  return out;
}
template <class T>
void put(const Call& call, const T& value) {
  put_record(call, Kind<T>::type, Kind<T>::id(value), aws::to_json_text(value));
}
template <class T>
void erase(const Call& call, std::string_view id) {
  erase_record(call, Kind<T>::type, id);
}

// The tags that the request gives to what it makes.
Reply<Tags> tags_for(const std::optional<std::vector<model::TagSpecification>>& specifications, std::string_view type);

// What CreateVpc and CreateDefaultVpc make besides the VPC itself.
model::Vpc make_vpc(const Call& call, std::string cidr, bool is_default);
model::Subnet make_subnet(const Call& call, const model::Vpc& vpc, std::string cidr, std::string zone, bool is_default);
model::RouteTable make_route_table(const Call& call, const model::Vpc& vpc, bool main);
model::SecurityGroup make_group(const Call& call, const std::string& vpc, std::string name, std::string description);
std::optional<model::Vpc> default_vpc(const Call& call);
std::vector<std::string> zone_names(const Call& call);
std::string zone_id(const Call& call, std::string_view zone);

// Two attributes that DescribeVpcs does not show.
struct VpcDns {
  bool support = true, hostnames = false;
};
VpcDns dns_of(const Call& call, std::string_view vpc);
void set_dns(const Call& call, std::string_view vpc, VpcDns dns);

aws::Error invalid_value(std::string message);
aws::Error in_use(std::string_view noun, std::string_view id);

}  // namespace reef::service::ec2
