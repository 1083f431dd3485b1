// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html, API_CreateNatGateway.html and
// their kin
#include "engine/network/cidr.h"
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {
namespace {

std::optional<Values> nat_values(const model::NatGateway& one, std::string_view name) {
  if (name == "nat-gateway-id") return one_value(one.nat_gateway_id);
  if (name == "subnet-id") return one_value(one.subnet_id);
  if (name == "vpc-id") return one_value(one.vpc_id);
  if (name == "state") return one_value(one.state);
  return std::nullopt;
}
std::optional<Values> address_values(const model::Address& one, std::string_view name) {
  if (name == "allocation-id") return one_value(one.allocation_id);
  if (name == "association-id") return one_value(one.association_id);
  if (name == "public-ip") return one_value(one.public_ip);
  if (name == "private-ip-address") return one_value(one.private_ip_address);
  if (name == "domain") return one_value(one.domain);
  return std::nullopt;
}

}  // namespace

Reply<model::AllocateAddressOutput> AllocateAddress(const model::AllocateAddressInput& in, const Call& call) {
  if (in.address || in.public_ipv4_pool || in.customer_owned_ipv4_pool || in.ipam_pool_id)
    return Err(aws::Error("UnsupportedOperation", "Addresses of one's own and pools are not supported by this version of Atoll.", 400));
  const Tags tags = TRY(tags_for(in.tag_specifications, "elastic-ip"));
  const auto taken = all<model::Address>(call);
  for (int last = 1; last < 255; ++last) {
    const std::string text = fmt::format("203.0.113.{}", last);
    if (std::any_of(taken.begin(), taken.end(), [&](const auto& one) { return one.public_ip == text; })) continue;
    model::Address address;
    address.allocation_id = new_id("eipalloc");
    address.public_ip = text;
    address.domain = "vpc";
    address.public_ipv4_pool = "amazon";
    address.network_border_group = call.region;
    address.tags = tags;
    put(call, address);
    model::AllocateAddressOutput out;
    out.allocation_id = address.allocation_id;
    out.public_ip = text;
    out.domain = "vpc";
    out.public_ipv4_pool = "amazon";
    out.network_border_group = call.region;
    return out;
  }
  return Err(aws::Error("AddressLimitExceeded", "The maximum number of addresses has been reached.", 400));
}

Reply<model::ReleaseAddressOutput> ReleaseAddress(const model::ReleaseAddressInput& in, const Call& call) {
  if (!in.allocation_id) return Err(aws::Error("MissingParameter", "You must specify an allocation id when releasing a VPC elastic IP address", 400));
  const auto address = TRY(get<model::Address>(call, *in.allocation_id));
  if (address.association_id) return Err(aws::Error("InvalidIPAddress.InUse", fmt::format("Address '{}' is in use.", *address.public_ip), 400));
  erase<model::Address>(call, *in.allocation_id);
  return model::ReleaseAddressOutput{};
}

Reply<model::DescribeAddressesOutput> DescribeAddresses(const model::DescribeAddressesInput& in, const Call& call) {
  model::DescribeAddressesOutput out;
  out.addresses.emplace();
  TRY(matches<model::Address>({}, in.filters, address_values));
  for (const std::string& id : in.allocation_ids.value_or(Values{})) TRY(get<model::Address>(call, id));
  const auto known = all<model::Address>(call);
  for (const std::string& ip : in.public_ips.value_or(Values{}))
    if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return one.public_ip == ip; }))
      return Err(aws::Error("InvalidAddress.NotFound", fmt::format("Address '{}' not found.", ip), 400));
  for (const auto& one : known) {
    if (in.allocation_ids && !in.allocation_ids->empty() && !matches_any({*one.allocation_id}, *in.allocation_ids)) continue;
    if (in.public_ips && !in.public_ips->empty() && !matches_any({*one.public_ip}, *in.public_ips)) continue;
    if (TRY(matches<model::Address>(one, in.filters, address_values))) out.addresses->push_back(one);
  }
  return out;
}

Reply<model::AssociateAddressOutput> AssociateAddress(const model::AssociateAddressInput& in, const Call& call) {
  if (in.instance_id) return Err(aws::Error("UnsupportedOperation", "Addresses of instances are not supported by this version of Atoll; name a network interface.", 400));
  if (!in.allocation_id || !in.network_interface_id)
    return Err(aws::Error("MissingParameter", "The request must include the AllocationId and the NetworkInterfaceId. Add the required parameters and retry the request.", 400));
  auto address = TRY(get<model::Address>(call, *in.allocation_id));
  auto interface = TRY(get<model::NetworkInterface>(call, *in.network_interface_id));
  if (address.association_id && !in.allow_reassociation.value_or(false))
    return Err(aws::Error("Resource.AlreadyAssociated", fmt::format("resource {} is already associated with associate-id {}", *in.allocation_id, *address.association_id), 400));
  address.association_id = new_id("eipassoc");
  address.network_interface_id = in.network_interface_id;
  address.private_ip_address = in.private_ip_address ? in.private_ip_address : interface.private_ip_address;
  interface.association.emplace();
  interface.association->allocation_id = in.allocation_id;
  interface.association->association_id = address.association_id;
  interface.association->public_ip = address.public_ip;
  put(call, address);
  put(call, interface);
  return model::AssociateAddressOutput{.association_id = address.association_id};
}

Reply<model::DisassociateAddressOutput> DisassociateAddress(const model::DisassociateAddressInput& in, const Call& call) {
  if (!in.association_id) return Err(aws::Error("MissingParameter", "The request must include the AssociationId parameter. Add the required parameter and retry the request.", 400));
  for (auto& address : all<model::Address>(call)) {
    if (address.association_id != in.association_id) continue;
    if (!address.network_interface_id) return Err(aws::Error("AuthFailure", "You do not have permission to access the specified resource.", 400));   // of a NAT gateway
    if (auto interface = get<model::NetworkInterface>(call, *address.network_interface_id)) {
      interface->association.reset();
      put(call, *interface);
    }
    address.association_id.reset();
    address.network_interface_id.reset();
    address.private_ip_address.reset();
    put(call, address);
    return model::DisassociateAddressOutput{};
  }
  return Err(aws::Error("InvalidAssociationID.NotFound", fmt::format("The association ID '{}' does not exist", *in.association_id), 400));
}

// Reverse DNS names cannot be set here, so there is none to tell.
Reply<model::DescribeAddressesAttributeOutput> DescribeAddressesAttribute(const model::DescribeAddressesAttributeInput& in, const Call& call) {
  model::DescribeAddressesAttributeOutput out;
  out.addresses.emplace();
  for (const std::string& id : in.allocation_ids.value_or(Values{})) TRY(get<model::Address>(call, id));
  for (const auto& one : all<model::Address>(call)) {
    if (in.allocation_ids && !in.allocation_ids->empty() && !matches_any({*one.allocation_id}, *in.allocation_ids)) continue;
    model::AddressAttribute shown;
    shown.allocation_id = one.allocation_id;
    shown.public_ip = one.public_ip;
    out.addresses->push_back(std::move(shown));
  }
  return out;
}

Reply<model::CreateNatGatewayOutput> CreateNatGateway(const model::CreateNatGatewayInput& in, const Call& call) {
  if (in.connectivity_type.value_or("public") != "public" || in.availability_mode.value_or("zonal") != "zonal" || in.private_ip_address ||
      in.secondary_allocation_ids || in.secondary_private_ip_addresses || in.secondary_private_ip_address_count || !in.subnet_id)
    return Err(aws::Error("UnsupportedOperation", "This version of Atoll supports public NAT gateways with one address (SubnetId and AllocationId).", 400));
  const auto subnet = TRY(get<model::Subnet>(call, *in.subnet_id));
  if (!in.allocation_id) return Err(aws::Error("MissingParameter", "The request must include the AllocationId parameter. Add the required parameter and retry the request.", 400));
  auto address = TRY(get<model::Address>(call, *in.allocation_id));
  if (address.association_id) return Err(aws::Error("Resource.AlreadyAssociated", fmt::format("Elastic IP address [{}] is already associated", *in.allocation_id), 400));
  model::NatGateway gateway;
  gateway.tags = TRY(tags_for(in.tag_specifications, "natgateway"));
  gateway.nat_gateway_id = new_id("nat");
  gateway.subnet_id = in.subnet_id;
  gateway.vpc_id = subnet.vpc_id;
  gateway.state = "available";
  gateway.connectivity_type = "public";
  gateway.create_time = call.now;
  address.association_id = new_id("eipassoc");
  model::NatGatewayAddress one;
  one.allocation_id = in.allocation_id;
  one.association_id = address.association_id;
  one.public_ip = address.public_ip;
  one.is_primary = true;
  one.status = "succeeded";
  gateway.nat_gateway_addresses = std::vector<model::NatGatewayAddress>{std::move(one)};
  put(call, address);
  put(call, gateway);
  model::CreateNatGatewayOutput out;
  out.client_token = in.client_token;
  out.nat_gateway = std::move(gateway);
  return out;
}

Reply<model::DeleteNatGatewayOutput> DeleteNatGateway(const model::DeleteNatGatewayInput& in, const Call& call) {
  auto gateway = find<model::NatGateway>(call, in.nat_gateway_id);
  if (!gateway) return Err(aws::Error("NatGatewayNotFound", fmt::format("NatGateway {} was not found", in.nat_gateway_id), 400));
  for (const auto& one : *gateway->nat_gateway_addresses) {
    auto address = find<model::Address>(call, *one.allocation_id);
    if (!address) continue;
    address->association_id.reset();
    put(call, *address);
  }
  erase<model::NatGateway>(call, in.nat_gateway_id);
  model::DeleteNatGatewayOutput out;
  out.nat_gateway_id = in.nat_gateway_id;
  return out;
}

Reply<model::DescribeNatGatewaysOutput> DescribeNatGateways(const model::DescribeNatGatewaysInput& in, const Call& call) {
  model::DescribeNatGatewaysOutput out;
  const struct {
    const Filters& filters;
    std::optional<std::int32_t> max_results;
    std::optional<std::string> next_token;
  } asked{in.filter, in.max_results, in.next_token};
  out.nat_gateways = TRY(choose<model::NatGateway>(call, asked, in.nat_gateway_ids, nat_values, out.next_token));
  return out;
}

}  // namespace reef::service::ec2::operations
