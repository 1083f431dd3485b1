#include "service/ec2/interfaces.h"

#include <algorithm>

#include "base/random.h"

namespace reef::service::ec2 {

std::string default_group(const Call& call, std::string_view vpc) {
  for (const auto& group : all<model::SecurityGroup>(call))
    if (group.vpc_id == vpc && group.group_name == "default") return *group.group_id;
  return {};
}

Reply<std::vector<model::GroupIdentifier>> group_identifiers(const Call& call, const std::string& vpc, const std::vector<std::string>& ids) {
  std::vector<model::GroupIdentifier> out;
  for (const std::string& id : ids) {
    const auto group = find<model::SecurityGroup>(call, id);
    if (!group) return Err(aws::Error("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist", id), 400));
    if (group->vpc_id != vpc)
      return Err(aws::Error("InvalidGroup.NotFound", fmt::format("You have specified two resources that belong to different networks. The security group '{}' does not exist in VPC '{}'", id, vpc), 400));
    out.push_back({.group_id = id, .group_name = group->group_name});
  }
  return out;
}

bool has_interfaces(const Call& call, std::string_view subnet) {
  const auto interfaces = all<model::NetworkInterface>(call);
  return std::any_of(interfaces.begin(), interfaces.end(), [&](const auto& one) { return one.subnet_id == subnet; });
}

bool is_group_used(const Call& call, std::string_view group) {
  for (const auto& one : all<model::NetworkInterface>(call))
    if (one.groups && std::any_of(one.groups->begin(), one.groups->end(), [&](const auto& other) { return other.group_id == group; })) return true;
  return false;
}

Reply<model::NetworkInterface> make_interface(network::Networks& networks, const Call& call, const NewInterface& wanted) {
  const auto subnet = TRY(get<model::Subnet>(call, wanted.subnet));
  const auto block = parse_cidr(*subnet.cidr_block);
  std::optional<std::uint32_t> address;
  if (wanted.address.empty()) {
    address = networks.free_address(*block);
    if (!address) return Err(aws::Error("InsufficientFreeAddressesInSubnet", fmt::format("insufficient free addresses to allocate 1 addresses"), 400));
  } else {
    address = network::parse_address(wanted.address);
    if (!address || !block->contains(*address) || *address < block->address + 4 || *address == block->last())
      return Err(invalid_value(fmt::format("Address does not fall within the subnet's address range: {}", wanted.address)));
    if (networks.has_address(*address)) return Err(aws::Error("InvalidIPAddress.InUse", fmt::format("The specified address is already in use: {}", wanted.address), 400));
  }
  model::NetworkInterface made;
  std::vector<std::string> groups = wanted.groups;
  if (groups.empty() && wanted.wants_groups) groups.push_back(default_group(call, *subnet.vpc_id));
  made.groups = TRY(group_identifiers(call, *subnet.vpc_id, groups));
  const std::string text = network::address_text(*address);
  made.network_interface_id = new_id("eni");
  made.availability_zone = subnet.availability_zone;
  made.availability_zone_id = subnet.availability_zone_id;
  made.description = wanted.description;
  made.interface_type = wanted.type;
  made.ipv6_addresses.emplace();
  made.mac_address = fmt::format("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", thread_random().next() & 255, *address >> 24, *address >> 16 & 255, *address >> 8 & 255, *address & 255);
  made.owner_id = call.account;
  made.private_ip_address = text;
  made.private_dns_name = fmt::format("ip-{}-{}-{}-{}.{}", *address >> 24, *address >> 16 & 255, *address >> 8 & 255, *address & 255,
                                      call.region == "us-east-1" ? std::string("ec2.internal") : call.region + ".compute.internal");
  model::NetworkInterfacePrivateIpAddress primary;
  primary.primary = true;
  primary.private_ip_address = text;
  primary.private_dns_name = made.private_dns_name;
  made.private_ip_addresses = std::vector{primary};
  made.requester_managed = !wanted.requester.empty();
  if (!wanted.requester.empty()) made.requester_id = wanted.requester;
  made.source_dest_check = true;
  made.status = wanted.requester.empty() ? "available" : "in-use";
  made.subnet_id = subnet.subnet_id;
  made.vpc_id = subnet.vpc_id;
  made.tag_set = wanted.tags ? wanted.tags : std::vector<model::Tag>{};
  if (!wanted.requester.empty()) {
    auto& attachment = made.attachment.emplace();
    attachment.attachment_id = new_id(wanted.type == "interface" ? "eni-attach" : "ela-attach");
    attachment.delete_on_termination = false;
    attachment.device_index = 1;
    attachment.instance_owner_id = wanted.requester;
    attachment.status = "attached";
  }
  put(call, made);
  return made;
}

}  // namespace reef::service::ec2
