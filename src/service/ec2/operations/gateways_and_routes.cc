// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInternetGateway.html, API_CreateRouteTable.html and
// their kin
#include "engine/network/cidr.h"
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {

Reply<model::CreateInternetGatewayOutput> CreateInternetGateway(const model::CreateInternetGatewayInput& in, const Call& call) {
  model::InternetGateway gateway;
  gateway.tags = TRY(tags_for(in.tag_specifications, "internet-gateway"));
  gateway.internet_gateway_id = new_id("igw");
  gateway.owner_id = call.account;
  gateway.attachments.emplace();
  put(call, gateway);
  return model::CreateInternetGatewayOutput{.internet_gateway = std::move(gateway)};
}

Reply<model::DeleteInternetGatewayOutput> DeleteInternetGateway(const model::DeleteInternetGatewayInput& in, const Call& call) {
  const auto gateway = TRY(get<model::InternetGateway>(call, in.internet_gateway_id));
  if (!gateway.attachments->empty()) return Err(in_use("internetGateway", in.internet_gateway_id));
  erase<model::InternetGateway>(call, in.internet_gateway_id);
  return model::DeleteInternetGatewayOutput{};
}

Reply<model::AttachInternetGatewayOutput> AttachInternetGateway(const model::AttachInternetGatewayInput& in, const Call& call) {
  auto gateway = TRY(get<model::InternetGateway>(call, in.internet_gateway_id));
  TRY(get<model::Vpc>(call, in.vpc_id));
  if (!gateway.attachments->empty())
    return Err(aws::Error("Resource.AlreadyAssociated", fmt::format("resource {} is already attached to network {}", in.internet_gateway_id, *gateway.attachments->at(0).vpc_id), 400));
  for (const auto& other : all<model::InternetGateway>(call))
    for (const auto& attachment : *other.attachments)
      if (attachment.vpc_id == in.vpc_id) return Err(invalid_value(fmt::format("Network {} already has an internet gateway attached", in.vpc_id)));
  gateway.attachments->push_back({.state = "available", .vpc_id = in.vpc_id});
  put(call, gateway);
  return model::AttachInternetGatewayOutput{};
}

Reply<model::DetachInternetGatewayOutput> DetachInternetGateway(const model::DetachInternetGatewayInput& in, const Call& call) {
  auto gateway = TRY(get<model::InternetGateway>(call, in.internet_gateway_id));
  TRY(get<model::Vpc>(call, in.vpc_id));
  if (std::erase_if(*gateway.attachments, [&](const auto& one) { return one.vpc_id == in.vpc_id; }) == 0)
    return Err(aws::Error("Gateway.NotAttached", fmt::format("resource {} is not attached to network {}", in.internet_gateway_id, in.vpc_id), 400));
  put(call, gateway);
  return model::DetachInternetGatewayOutput{};
}

Reply<model::DescribeInternetGatewaysOutput> DescribeInternetGateways(const model::DescribeInternetGatewaysInput& in, const Call& call) {
  model::DescribeInternetGatewaysOutput out;
  out.internet_gateways = TRY(choose<model::InternetGateway>(call, in, in.internet_gateway_ids, [](const model::InternetGateway& one, std::string_view name) -> std::optional<Values> {
    if (name == "internet-gateway-id") return one_value(one.internet_gateway_id);
    if (name == "owner-id") return one_value(one.owner_id);
    if (name != "attachment.vpc-id" && name != "attachment.state") return std::nullopt;
    Values values;
    if (one.attachments)
      for (const auto& attachment : *one.attachments) values.push_back(name == "attachment.state" ? *attachment.state : *attachment.vpc_id);
    return values;
  }, out.next_token));
  return out;
}

Reply<model::CreateRouteTableOutput> CreateRouteTable(const model::CreateRouteTableInput& in, const Call& call) {
  const auto vpc = TRY(get<model::Vpc>(call, in.vpc_id));
  const Tags tags = TRY(tags_for(in.tag_specifications, "route-table"));
  auto table = make_route_table(call, vpc, false);
  table.tags = tags;
  put(call, table);
  return model::CreateRouteTableOutput{.route_table = std::move(table), .client_token = in.client_token};
}

Reply<model::DeleteRouteTableOutput> DeleteRouteTable(const model::DeleteRouteTableInput& in, const Call& call) {
  const auto table = TRY(get<model::RouteTable>(call, in.route_table_id));
  if (!table.associations->empty()) return Err(in_use("routeTable", in.route_table_id));
  erase<model::RouteTable>(call, in.route_table_id);
  return model::DeleteRouteTableOutput{};
}

Reply<model::DescribeRouteTablesOutput> DescribeRouteTables(const model::DescribeRouteTablesInput& in, const Call& call) {
  model::DescribeRouteTablesOutput out;
  out.route_tables = TRY(choose<model::RouteTable>(call, in, in.route_table_ids, [](const model::RouteTable& one, std::string_view name) -> std::optional<Values> {
    if (name == "route-table-id") return one_value(one.route_table_id);
    if (name == "vpc-id") return one_value(one.vpc_id);
    if (name == "owner-id") return one_value(one.owner_id);
    Values values;
    const auto add = [&](const std::optional<std::string>& value) {
      if (value) values.push_back(*value);
    };
    if (name == "association.main" || name == "association.subnet-id" || name == "association.route-table-association-id" || name == "association.route-table-id") {
      for (const auto& each : one.associations.value_or(std::vector<model::RouteTableAssociation>{})) {
        if (name == "association.main") values.push_back(each.main.value_or(false) ? "true" : "false");
        else add(name == "association.subnet-id" ? each.subnet_id : name == "association.route-table-id" ? each.route_table_id : each.route_table_association_id);
      }
      return values;
    }
    if (name == "route.destination-cidr-block" || name == "route.gateway-id" || name == "route.origin" || name == "route.state") {
      for (const auto& each : one.routes.value_or(std::vector<model::Route>{}))
        add(name == "route.gateway-id" ? each.gateway_id : name == "route.origin" ? each.origin : name == "route.state" ? each.state : each.destination_cidr_block);
      return values;
    }
    return std::nullopt;
  }, out.next_token));
  return out;
}

Reply<model::CreateRouteOutput> CreateRoute(const model::CreateRouteInput& in, const Call& call) {
  auto table = TRY(get<model::RouteTable>(call, in.route_table_id));
  if (in.destination_ipv6_cidr_block || in.destination_prefix_list_id || in.gateway_id.has_value() == in.nat_gateway_id.has_value())
    return Err(aws::Error("UnsupportedOperation", "This version of Atoll supports routes from an IPv4 block to an internet gateway or a NAT gateway (DestinationCidrBlock, and GatewayId or NatGatewayId).", 400));
  if (!in.destination_cidr_block) return Err(aws::Error("MissingParameter", "The request must contain the parameter destinationCidrBlock", 400));
  const auto cidr = parse_cidr(*in.destination_cidr_block);
  if (!cidr) return Err(invalid_value(fmt::format("Value ({}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", *in.destination_cidr_block)));
  bool attached = false;
  if (in.nat_gateway_id) {
    const auto nat = TRY(get<model::NatGateway>(call, *in.nat_gateway_id));
    attached = nat.vpc_id == table.vpc_id;
  } else {
    const auto gateway = find<model::InternetGateway>(call, *in.gateway_id);
    if (!gateway) return Err(aws::Error("InvalidGatewayID.NotFound", fmt::format("The gateway ID '{}' does not exist", *in.gateway_id), 400));
    for (const auto& one : *gateway->attachments) attached = attached || one.vpc_id == table.vpc_id;
  }
  if (!attached) return Err(invalid_value(fmt::format("route table {} and network gateway {} belong to different networks", in.route_table_id, in.gateway_id ? *in.gateway_id : *in.nat_gateway_id)));
  for (const auto& route : *table.routes)
    if (route.destination_cidr_block == cidr->text()) return Err(aws::Error("RouteAlreadyExists", fmt::format("The route identified by {} already exists.", cidr->text()), 400));
  model::Route route;
  route.destination_cidr_block = cidr->text();
  route.gateway_id = in.gateway_id;
  route.nat_gateway_id = in.nat_gateway_id;
  route.origin = "CreateRoute";
  route.state = "active";
  table.routes->push_back(std::move(route));
  put(call, table);
  return model::CreateRouteOutput{.return_ = true};
}

Reply<model::DeleteRouteOutput> DeleteRoute(const model::DeleteRouteInput& in, const Call& call) {
  auto table = TRY(get<model::RouteTable>(call, in.route_table_id));
  const std::string wanted = in.destination_cidr_block.value_or(in.destination_ipv6_cidr_block.value_or(in.destination_prefix_list_id.value_or("")));
  const auto cidr = parse_cidr(wanted);
  const auto found = std::find_if(table.routes->begin(), table.routes->end(), [&](const auto& one) { return cidr && one.destination_cidr_block == cidr->text(); });
  if (found == table.routes->end())
    return Err(aws::Error("InvalidRoute.NotFound", fmt::format("no route with destination-cidr-block {} in route table {}", wanted, in.route_table_id), 400));
  if (found->gateway_id == "local") return Err(invalid_value(fmt::format("cannot remove local route {} in route table {}", wanted, in.route_table_id)));
  table.routes->erase(found);
  put(call, table);
  return model::DeleteRouteOutput{};
}

Reply<model::AssociateRouteTableOutput> AssociateRouteTable(const model::AssociateRouteTableInput& in, const Call& call) {
  auto table = TRY(get<model::RouteTable>(call, in.route_table_id));
  if (!in.subnet_id) return Err(aws::Error("UnsupportedOperation", "This version of Atoll associates route tables with subnets (SubnetId).", 400));
  const auto subnet = TRY(get<model::Subnet>(call, *in.subnet_id));
  if (subnet.vpc_id != table.vpc_id) return Err(invalid_value(fmt::format("Route table {} and subnet {} belong to different networks", in.route_table_id, *in.subnet_id)));
  for (const auto& other : all<model::RouteTable>(call))
    for (const auto& one : *other.associations) {
      if (one.subnet_id != in.subnet_id) continue;
      if (one.route_table_id == in.route_table_id) return model::AssociateRouteTableOutput{.association_id = one.route_table_association_id, .association_state = one.association_state};
      return Err(aws::Error("Resource.AlreadyAssociated", fmt::format("the specified association for route table {} conflicts with an existing association", in.route_table_id), 400));
    }
  model::RouteTableAssociation one;
  one.main = false;
  one.route_table_association_id = new_id("rtbassoc");
  one.route_table_id = in.route_table_id;
  one.subnet_id = in.subnet_id;
  one.association_state.emplace();
  one.association_state->state = "associated";
  table.associations->push_back(one);
  put(call, table);
  return model::AssociateRouteTableOutput{.association_id = one.route_table_association_id, .association_state = one.association_state};
}

Reply<model::DisassociateRouteTableOutput> DisassociateRouteTable(const model::DisassociateRouteTableInput& in, const Call& call) {
  for (model::RouteTable& table : all<model::RouteTable>(call))
    for (std::size_t i = 0; i < table.associations->size(); ++i) {
      const auto& one = table.associations->at(i);
      if (one.route_table_association_id != in.association_id) continue;
      if (one.main.value_or(false)) return Err(invalid_value(fmt::format("cannot disassociate the main route table association {}", in.association_id)));
      table.associations->erase(table.associations->begin() + static_cast<std::ptrdiff_t>(i));
      put(call, table);
      return model::DisassociateRouteTableOutput{};
    }
  return Err(aws::Error("InvalidAssociationID.NotFound", fmt::format("The association ID '{}' does not exist", in.association_id), 400));
}

}  // namespace reef::service::ec2::operations
