// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateVpcCidrBlock.html and API_DisassociateVpcCidrBlock.html
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {
namespace {
constexpr std::size_t kBlocksMax = 5;
}

Reply<model::AssociateVpcCidrBlockOutput> AssociateVpcCidrBlock(const model::AssociateVpcCidrBlockInput& in, const Call& call) {
  auto vpc = TRY(get<model::Vpc>(call, in.vpc_id));
  if (in.amazon_provided_ipv6_cidr_block.value_or(false) || in.ipv6_cidr_block || in.ipv4_ipam_pool_id || in.ipv6_ipam_pool_id || in.ipv6_pool)
    return Err(aws::Error("UnsupportedOperation", "VPCs with IPv6 or IPAM pools are not supported by this version of Atoll.", 400));
  if (!in.cidr_block) return Err(aws::Error("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.", 400));
  const auto block = parse_cidr(*in.cidr_block);
  if (!block) return Err(invalid_value(fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", *in.cidr_block)));
  if (block->prefix < 16 || block->prefix > 28) return Err(aws::Error("InvalidVpc.Range", fmt::format("The CIDR '{}' is invalid.", *in.cidr_block), 400));
  for (const auto& other : *vpc.cidr_block_association_set)
    if (parse_cidr(*other.cidr_block)->overlaps(*block))
      return Err(aws::Error("InvalidVpc.Range", fmt::format("The CIDR '{}' conflicts with another CIDR block of the VPC.", *in.cidr_block), 400));
  if (vpc.cidr_block_association_set->size() >= kBlocksMax)
    return Err(aws::Error("CidrLimitExceeded", fmt::format("This network '{}' has met its maximum number of allowed CIDRs: {}", in.vpc_id, kBlocksMax), 400));
  model::VpcCidrBlockAssociation made{.association_id = new_id("vpc-cidr-assoc"), .cidr_block = block->text(), .cidr_block_state = model::VpcCidrBlockState{.state = "associated", .status_message = {}}};
  vpc.cidr_block_association_set->push_back(made);
  put(call, vpc);
  // The route within the VPC reaches the new block in every table.
  for (auto& table : all<model::RouteTable>(call)) {
    if (table.vpc_id != in.vpc_id) continue;
    model::Route route;
    route.destination_cidr_block = block->text();
    route.gateway_id = "local";
    route.origin = "CreateRouteTable";
    route.state = "active";
    table.routes->push_back(std::move(route));
    put(call, table);
  }
  made.cidr_block_state->state = "associating";
  return model::AssociateVpcCidrBlockOutput{.cidr_block_association = std::move(made), .vpc_id = in.vpc_id};
}

Reply<model::DisassociateVpcCidrBlockOutput> DisassociateVpcCidrBlock(const model::DisassociateVpcCidrBlockInput& in, const Call& call) {
  for (auto& vpc : all<model::Vpc>(call)) {
    auto& blocks = *vpc.cidr_block_association_set;
    const auto found = std::find_if(blocks.begin(), blocks.end(), [&](const auto& one) { return one.association_id == in.association_id; });
    if (found == blocks.end()) continue;
    if (found->cidr_block == vpc.cidr_block)
      return Err(aws::Error("OperationNotPermitted", fmt::format("The vpc CIDR block with association ID {} may not be disassociated. It is the primary IPv4 CIDR block of the VPC", in.association_id), 400));
    const auto block = *parse_cidr(*found->cidr_block);
    for (const auto& subnet : all<model::Subnet>(call))
      if (subnet.vpc_id == vpc.vpc_id && block.contains(*parse_cidr(*subnet.cidr_block)))
        return Err(aws::Error("InvalidCidrBlock.InUse", fmt::format("The vpc currently has a subnet within CIDR block: {}", *found->cidr_block), 400));
    auto gone = *found;
    blocks.erase(found);
    put(call, vpc);
    for (auto& table : all<model::RouteTable>(call))
      if (table.vpc_id == vpc.vpc_id && std::erase_if(*table.routes, [&](const auto& one) { return one.gateway_id == "local" && one.destination_cidr_block == gone.cidr_block; }) > 0) put(call, table);
    gone.cidr_block_state->state = "disassociating";
    return model::DisassociateVpcCidrBlockOutput{.cidr_block_association = std::move(gone), .vpc_id = vpc.vpc_id};
  }
  return Err(aws::Error("InvalidVpcCidrBlockAssociationID.NotFound", fmt::format("The vpc CIDR block association ID '{}' does not exist", in.association_id), 400));
}

}  // namespace reef::service::ec2::operations
