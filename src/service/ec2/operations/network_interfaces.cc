// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html and its kin
#include "service/ec2/describe.h"
#include "service/ec2/interfaces.h"

namespace reef::service::ec2::operations {

Reply<model::CreateNetworkInterfaceOutput> CreateNetworkInterface(Ec2& ec2, const model::CreateNetworkInterfaceInput& in, const Call& call) {
  if (in.ipv6_address_count.value_or(0) > 0 || in.ipv6_addresses || in.ipv6_prefixes || in.ipv4_prefixes || in.ipv4_prefix_count || in.secondary_private_ip_address_count.value_or(0) > 0)
    return Err(aws::Error("UnsupportedOperation", "Interfaces with IPv6, prefixes or secondary addresses are not supported by this version of Atoll.", 400));
  if (in.interface_type && *in.interface_type != "interface")
    return Err(aws::Error("UnsupportedOperation", fmt::format("Interfaces of type {} are not supported by this version of Atoll.", *in.interface_type), 400));
  NewInterface wanted;
  wanted.subnet = in.subnet_id;
  wanted.address = in.private_ip_address.value_or("");
  if (in.private_ip_addresses) {
    if (in.private_ip_addresses->size() != 1) return Err(aws::Error("UnsupportedOperation", "Interfaces with secondary addresses are not supported by this version of Atoll.", 400));
    wanted.address = in.private_ip_addresses->front().private_ip_address.value_or("");
  }
  wanted.description = in.description.value_or("");
  wanted.groups = in.groups.value_or(Values{});
  wanted.tags = TRY(tags_for(in.tag_specifications, "network-interface"));
  auto made = TRY(make_interface(ec2.networks, call, wanted));
  // Attached to nothing yet.
  made.status = "pending";
  return model::CreateNetworkInterfaceOutput{.network_interface = std::move(made), .client_token = in.client_token};
}

Reply<model::DeleteNetworkInterfaceOutput> DeleteNetworkInterface(const model::DeleteNetworkInterfaceInput& in, const Call& call) {
  const auto found = TRY(get<model::NetworkInterface>(call, in.network_interface_id));
  if (found.attachment)
    return Err(aws::Error("InvalidParameterValue", fmt::format("Network interface '{}' is currently in use.", in.network_interface_id), 400));
  erase<model::NetworkInterface>(call, in.network_interface_id);
  return model::DeleteNetworkInterfaceOutput{};
}

Reply<model::DescribeNetworkInterfacesOutput> DescribeNetworkInterfaces(const model::DescribeNetworkInterfacesInput& in, const Call& call) {
  model::DescribeNetworkInterfacesOutput out;
  out.network_interfaces = TRY(choose<model::NetworkInterface>(call, in, in.network_interface_ids, [](const model::NetworkInterface& one, std::string_view name) -> std::optional<Values> {
    if (name == "network-interface-id") return one_value(one.network_interface_id);
    if (name == "subnet-id") return one_value(one.subnet_id);
    if (name == "vpc-id") return one_value(one.vpc_id);
    if (name == "availability-zone") return one_value(one.availability_zone);
    if (name == "availability-zone-id") return one_value(one.availability_zone_id);
    if (name == "description") return one_value(one.description);
    if (name == "interface-type") return one_value(one.interface_type);
    if (name == "mac-address") return one_value(one.mac_address);
    if (name == "owner-id") return one_value(one.owner_id);
    if (name == "private-ip-address" || name == "addresses.private-ip-address") return one_value(one.private_ip_address);
    if (name == "private-dns-name") return one_value(one.private_dns_name);
    if (name == "addresses.primary") return Values{"true"};
    if (name == "requester-id") return one_value(one.requester_id);
    if (name == "requester-managed") return one_value(one.requester_managed);
    if (name == "source-dest-check") return one_value(one.source_dest_check);
    if (name == "status") return one_value(one.status);
    if (name == "group-id" || name == "group-name") {
      Values values;
      if (one.groups)
        for (const auto& group : *one.groups) values.push_back((name == "group-id" ? group.group_id : group.group_name).value_or(""));
      return values;
    }
    if (name.starts_with("attachment.")) {
      if (!one.attachment) return Values{};
      if (name == "attachment.attachment-id") return one_value(one.attachment->attachment_id);
      if (name == "attachment.instance-id") return one_value(one.attachment->instance_id);
      if (name == "attachment.instance-owner-id") return one_value(one.attachment->instance_owner_id);
      if (name == "attachment.status") return one_value(one.attachment->status);
      if (name == "attachment.delete-on-termination") return one_value(one.attachment->delete_on_termination);
      if (name == "attachment.device-index") return Values{std::to_string(one.attachment->device_index.value_or(0))};
    }
    return std::nullopt;
  }, out.next_token));
  return out;
}

Reply<model::ModifyNetworkInterfaceAttributeOutput> ModifyNetworkInterfaceAttribute(const model::ModifyNetworkInterfaceAttributeInput& in, const Call& call) {
  auto one = TRY(get<model::NetworkInterface>(call, in.network_interface_id));
  const bool changes_attachment = in.attachment.has_value();
  if (changes_attachment || in.ena_srd_specification || in.enable_primary_ipv6 || in.connection_tracking_specification || in.associate_public_ip_address)
    return Err(aws::Error("UnsupportedOperation", "Of an interface's attributes this version of Atoll changes groups, description and sourceDestCheck.", 400));
  if (in.groups) {
    if (one.requester_managed.value_or(false))
      return Err(aws::Error("OperationNotPermitted", fmt::format("You are not allowed to manage '{}' attachments.", one.interface_type.value_or("interface")), 400));
    one.groups = TRY(group_identifiers(call, *one.vpc_id, *in.groups));
  }
  if (in.description) one.description = in.description->value;
  if (in.source_dest_check) one.source_dest_check = in.source_dest_check->value;
  put(call, one);
  return model::ModifyNetworkInterfaceAttributeOutput{};
}

Reply<model::DescribeNetworkInterfaceAttributeOutput> DescribeNetworkInterfaceAttribute(const model::DescribeNetworkInterfaceAttributeInput& in, const Call& call) {
  const auto one = TRY(get<model::NetworkInterface>(call, in.network_interface_id));
  model::DescribeNetworkInterfaceAttributeOutput out;
  out.network_interface_id = one.network_interface_id;
  const std::string attribute = in.attribute.value_or("");
  if (attribute == "description") out.description = model::AttributeValue{.value = one.description};
  else if (attribute == "groupSet") out.groups = one.groups;
  else if (attribute == "sourceDestCheck") out.source_dest_check = model::AttributeBooleanValue{.value = one.source_dest_check};
  else if (attribute == "attachment") out.attachment = one.attachment;
  else return Err(invalid_value(fmt::format("Value ({}) for parameter attribute is invalid. Unknown attribute.", attribute)));
  return out;
}

}  // namespace reef::service::ec2::operations
