// EC2's VPC family: networks as records. Each VPC, subnet, gateway, route table, group and rule is one record on the
// control shard, kept as its modelled shape under its id; the default VPC of an account and region is made when the
// region is first looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/ec2.h"
#include "aws/service.h"

namespace reef::service::ec2 {

namespace model = aws::ec2;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct Ec2 {
  explicit Ec2(Parts&) {}
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
  V(DescribeAvailabilityZones) V(DescribeRegions) V(AllocateAddress) V(ReleaseAddress) V(DescribeAddresses)          \
  V(CreateNatGateway) V(DeleteNatGateway) V(DescribeNatGateways)
// None waits for anything, so they are plain functions; service.cc makes tasks of them and answers DryRun.
#define EC2_OPERATION(Name) Reply<model::Name##Output> Name(const model::Name##Input& in, const Call& call);
EC2_OPERATIONS(EC2_OPERATION)
#undef EC2_OPERATION
}  // namespace operations

}  // namespace reef::service::ec2
