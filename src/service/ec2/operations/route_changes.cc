// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRoute.html and API_ReplaceRouteTableAssociation.html
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {

Reply<model::ReplaceRouteOutput> ReplaceRoute(const model::ReplaceRouteInput& in, const Call& call) {
  const auto before = TRY(get<model::RouteTable>(call, in.route_table_id));
  if (in.local_target || !in.destination_cidr_block)
    return Err(aws::Error("UnsupportedOperation", "This version of Atoll replaces routes from an IPv4 block to an internet gateway or a NAT gateway (DestinationCidrBlock, and GatewayId or NatGatewayId).", 400));
  auto table = before;
  const auto block = parse_cidr(*in.destination_cidr_block);
  if (!block || std::erase_if(*table.routes, [&](const auto& one) { return one.destination_cidr_block == block->text() && one.gateway_id != "local"; }) == 0)
    return Err(invalid_value(fmt::format("There is no route defined for '{}' in the route table. Use CreateRoute instead.", *in.destination_cidr_block)));
  put(call, table);
  model::CreateRouteInput anew;
  anew.route_table_id = in.route_table_id;
  anew.destination_cidr_block = in.destination_cidr_block;
  anew.gateway_id = in.gateway_id;
  anew.nat_gateway_id = in.nat_gateway_id;
  if (const auto made = CreateRoute(anew, call); !made) {
    put(call, before);
    return Err(made.error());
  }
  return model::ReplaceRouteOutput{};
}

Reply<model::ReplaceRouteTableAssociationOutput> ReplaceRouteTableAssociation(const model::ReplaceRouteTableAssociationInput& in, const Call& call) {
  auto to = TRY(get<model::RouteTable>(call, in.route_table_id));
  for (auto& from : all<model::RouteTable>(call)) {
    const auto found = std::find_if(from.associations->begin(), from.associations->end(), [&](const auto& one) { return one.route_table_association_id == in.association_id; });
    if (found == from.associations->end()) continue;
    if (from.vpc_id != to.vpc_id) return Err(invalid_value(fmt::format("Route table {} and association {} belong to different networks", in.route_table_id, in.association_id)));
    auto moved = *found;
    moved.route_table_association_id = new_id("rtbassoc");
    moved.route_table_id = in.route_table_id;
    from.associations->erase(found);
    put(call, from);
    if (from.route_table_id == to.route_table_id) to = from;
    to.associations->push_back(moved);
    put(call, to);
    return model::ReplaceRouteTableAssociationOutput{.new_association_id = moved.route_table_association_id, .association_state = moved.association_state};
  }
  return Err(aws::Error("InvalidAssociationID.NotFound", fmt::format("The association ID '{}' does not exist", in.association_id), 400));
}

}  // namespace reef::service::ec2::operations
