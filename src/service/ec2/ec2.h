// EC2's VPC family: networks as records. Each VPC, subnet, gateway, route table, group and rule is one record on the
// control shard, kept as its modelled shape under its id; the default VPC of an account and region is made when the
// region is first looked at.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/ec2.h"
#include "aws/service.h"
#include "engine/network/cidr.h"
#include "engine/network/networks.h"

namespace reef::service::ec2 {

namespace model = aws::ec2;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;
using network::Cidr;
using network::parse_cidr;

// Gives interfaces to other services, and tells the network engine of every change.
class FlowLogs;  // flow_logs.h

struct Ec2 final : network::InterfaceMaker {
  explicit Ec2(Parts& parts);
  ~Ec2() override;
  void start();
  void stop();
  void reset();
  void sync();  // after each operation
  Result<network::InterfaceSpec, Failure> make(const network::InterfaceRequest& request) override;
  void release(const std::string& account, const std::string& region, const std::string& id) override;
  Result<void, Failure> set_groups(const std::string& account, const std::string& region, const std::string& id, const std::vector<std::string>& groups) override;

  network::Networks& networks;
  std::unique_ptr<FlowLogs> flow_logs;
};

using Tags = std::optional<std::vector<model::Tag>>;

namespace operations {
#define EC2_OPERATIONS(V)                                                                                            \
  V(CreateVpc) V(DeleteVpc) V(DescribeVpcs) V(ModifyVpcAttribute) V(DescribeVpcAttribute)                            \
  V(CreateSubnet) V(DeleteSubnet) V(DescribeSubnets) V(ModifySubnetAttribute)                                        \
  V(CreateInternetGateway) V(DeleteInternetGateway) V(AttachInternetGateway) V(DetachInternetGateway)                \
  V(DescribeInternetGateways) V(CreateRouteTable) V(DeleteRouteTable) V(DescribeRouteTables) V(CreateRoute)          \
  V(DeleteRoute) V(AssociateRouteTable) V(DisassociateRouteTable) V(CreateSecurityGroup) V(DeleteSecurityGroup)      \
  V(DescribeSecurityGroups) V(AuthorizeSecurityGroupIngress) V(AuthorizeSecurityGroupEgress)                         \
  V(RevokeSecurityGroupIngress) V(RevokeSecurityGroupEgress) V(CreateTags) V(DeleteTags) V(DescribeTags)             \
  V(DescribeAvailabilityZones) V(DescribeRegions) V(AllocateAddress) V(ReleaseAddress) V(DescribeAddresses) V(DescribeAddressesAttribute) \
  V(AssociateAddress) V(DisassociateAddress) \
  V(CreateNatGateway) V(DeleteNatGateway) V(DescribeNatGateways)                                                     \
  V(DeleteNetworkInterface) V(DescribeNetworkInterfaces) V(ModifyNetworkInterfaceAttribute) \
  V(DescribeNetworkInterfaceAttribute) V(CreateNetworkAcl) V(DeleteNetworkAcl) V(DescribeNetworkAcls)                \
  V(CreateNetworkAclEntry) V(ReplaceNetworkAclEntry) V(DeleteNetworkAclEntry) V(ReplaceNetworkAclAssociation)        \
  V(AssociateVpcCidrBlock) V(DisassociateVpcCidrBlock) V(CreateDhcpOptions) V(DeleteDhcpOptions) V(DescribeDhcpOptions) \
  V(AssociateDhcpOptions) V(CreateManagedPrefixList) V(DeleteManagedPrefixList) V(DescribeManagedPrefixLists)        \
  V(GetManagedPrefixListEntries) V(ModifyManagedPrefixList) V(DescribePrefixLists) V(DescribeVpcEndpoints)           \
  V(DeleteVpcEndpoints) V(DescribeVpcEndpointServices) V(DescribeSecurityGroupRules) V(ModifySecurityGroupRules)     \
  V(ReplaceRoute) V(ReplaceRouteTableAssociation) V(CreateFlowLogs) V(DescribeFlowLogs) V(DeleteFlowLogs) V(UpdateSecurityGroupRuleDescriptionsIngress) V(UpdateSecurityGroupRuleDescriptionsEgress)
// None waits for anything, so they are plain functions; service.cc makes tasks of them and answers DryRun.
#define EC2_OPERATION(Name) Reply<model::Name##Output> Name(const model::Name##Input& in, const Call& call);
EC2_OPERATIONS(EC2_OPERATION)
#undef EC2_OPERATION
// Those that need more than the records.
#define EC2_NETWORK_OPERATIONS(V) V(CreateNetworkInterface) V(CreateVpcEndpoint) V(ModifyVpcEndpoint)
#define EC2_OPERATION(Name) Reply<model::Name##Output> Name(Ec2& ec2, const model::Name##Input& in, const Call& call);
EC2_NETWORK_OPERATIONS(EC2_OPERATION)
#undef EC2_OPERATION
}  // namespace operations

}  // namespace reef::service::ec2
