// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpoint.html,
// aws-resource-ec2-vpccidrblock.html, aws-resource-ec2-dhcpoptions.html and aws-resource-ec2-prefixlist.html
#include "service/ec2/resources.h"

#include <fmt/format.h>
#include "wire/json.h"

namespace reef::service::ec2::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// --- AWS::EC2::VPCEndpoint -------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_endpoint(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds", "SecurityGroupIds", "PrivateDnsEnabled"});
  if (properties.contains("PolicyDocument")) input.set("PolicyDocument", properties["PolicyDocument"].is_string() ? properties.text("PolicyDocument") : properties["PolicyDocument"].dump());
  specify_tags(context, properties, "vpc-endpoint", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateVpcEndpoint", std::move(input)));
  const Json& made = out["VpcEndpoint"];
  Json names = Json::array();
  for (const Json& one : made["DnsEntries"].as_array()) names.push_back(one.text("HostedZoneId") + ":" + one.text("DnsName"));
  const std::string id = made.text("VpcEndpointId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}, {"CreationTimestamp", made["CreationTimestamp"].scalar_text().value_or("")}, {"DnsEntries", std::move(names)},
                                                                        {"NetworkInterfaceIds", made["NetworkInterfaceIds"]}})};
}

Task<aws::Reply<ResourceState>> update_endpoint(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json input = Json::object({{"VpcEndpointId", current.physical_id}});
  for (const std::string name : {"RouteTableIds", "SubnetIds", "SecurityGroupIds"}) {
    Json added = without(after[name], before[name]), gone = without(before[name], after[name]);
    if (added.size() > 0) input.set("Add" + name, std::move(added));
    if (gone.size() > 0) input.set("Remove" + name, std::move(gone));
  }
  if (before["PrivateDnsEnabled"] != after["PrivateDnsEnabled"] && after.contains("PrivateDnsEnabled")) input.set("PrivateDnsEnabled", after["PrivateDnsEnabled"]);
  if (before["PolicyDocument"] != after["PolicyDocument"]) {
    if (after.contains("PolicyDocument")) input.set("PolicyDocument", after["PolicyDocument"].is_string() ? after.text("PolicyDocument") : after["PolicyDocument"].dump());
    else input.set("ResetPolicy", true);
  }
  CO_TRY(co_await invoke(context, "ModifyVpcEndpoint", std::move(input)));
  co_return co_await keep_and_tag(context, current, before, after);
}
Task<aws::Reply<void>> remove_endpoint(const ResourceContext& context, const ResourceState& current, const Json&) {
  CO_TRY(co_await invoke(context, "DeleteVpcEndpoints", Json::object({{"VpcEndpointIds", Json::array({current.physical_id})}})));
  co_return aws::Reply<void>();
}

// --- AWS::EC2::VPCCidrBlock ------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_block(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await invoke(context, "AssociateVpcCidrBlock", copy(properties, {"VpcId", "CidrBlock"})));
  const std::string id = out["CidrBlockAssociation"].text("AssociationId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<void>> remove_block(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DisassociateVpcCidrBlock", Json::object({{"AssociationId", current.physical_id}}), "InvalidVpcCidrBlockAssociationID.NotFound");
}

// --- AWS::EC2::DHCPOptions and VPCDHCPOptionsAssociation -------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_options(const ResourceContext& context, const Json& properties) {
  Json configurations = Json::array();
  const auto add = [&](std::string key, const Json& value) {
    if (value.is_null()) return;
    Json values = Json::array();
    if (value.is_array())
      for (const Json& one : value.as_array()) values.push_back(one.scalar_text().value_or(""));
    else values.push_back(value.scalar_text().value_or(""));
    configurations.push_back(Json::object({{"Key", std::move(key)}, {"Values", std::move(values)}}));
  };
  add("domain-name", properties["DomainName"]);
  add("domain-name-servers", properties["DomainNameServers"]);
  add("ntp-servers", properties["NtpServers"]);
  add("netbios-name-servers", properties["NetbiosNameServers"]);
  add("netbios-node-type", properties["NetbiosNodeType"]);
  Json input = Json::object({{"DhcpConfigurations", std::move(configurations)}});
  specify_tags(context, properties, "dhcp-options", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateDhcpOptions", std::move(input)));
  const std::string id = out["DhcpOptions"].text("DhcpOptionsId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"DhcpOptionsId", id}})};
}
Task<aws::Reply<void>> remove_options(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteDhcpOptions", Json::object({{"DhcpOptionsId", current.physical_id}}), "InvalidDhcpOptionID.NotFound");
}
Task<aws::Reply<ResourceState>> associate_options(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await invoke(context, "AssociateDhcpOptions", copy(properties, {"DhcpOptionsId", "VpcId"})));
  co_return ResourceState{.physical_id = properties.text("DhcpOptionsId") + "|" + properties.text("VpcId"), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> change_options(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return associate_options(context, after); }
Task<aws::Reply<void>> dissociate_options(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await aws::call_unless_gone(context, "ec2", "AssociateDhcpOptions", Json::object({{"DhcpOptionsId", "default"}, {"VpcId", properties.text("VpcId")}}), "InvalidVpcID.NotFound");
}

// --- AWS::EC2::PrefixList --------------------------------------------------------------------------------------------

ResourceState list_state(const Json& list) {
  const std::string id = list.text("PrefixListId");
  return {.physical_id = id, .attributes = Json::object({{"PrefixListId", id}, {"Arn", list.text("PrefixListArn")}, {"OwnerId", list.text("OwnerId")}, {"Version", list["Version"]}})};
}
Task<aws::Reply<ResourceState>> create_prefix_list(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"PrefixListName", "AddressFamily", "MaxEntries", "Entries"});
  if (!properties.contains("MaxEntries")) input.set("MaxEntries", std::max<std::size_t>(1, properties["Entries"].size()));
  specify_tags(context, properties, "prefix-list", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateManagedPrefixList", std::move(input)));
  co_return list_state(out["PrefixList"]);
}
Task<aws::Reply<ResourceState>> update_prefix_list(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const Json added = without(after["Entries"], before["Entries"]);
  Json gone = Json::array();
  for (const Json& old : before["Entries"].as_array()) {
    bool kept = false;
    for (const Json& one : after["Entries"].as_array()) kept = kept || one.text("Cidr") == old.text("Cidr");
    if (!kept) gone.push_back(Json::object({{"Cidr", old.text("Cidr")}}));
  }
  const Json shown = CO_TRY(co_await invoke(context, "DescribeManagedPrefixLists", Json::object({{"PrefixListIds", Json::array({current.physical_id})}})));
  Json input = Json::object({{"PrefixListId", current.physical_id}, {"CurrentVersion", shown["PrefixLists"].at(0)["Version"]}});
  if (added.size() > 0) input.set("AddEntries", added);
  if (gone.size() > 0) input.set("RemoveEntries", gone);
  for (const std::string_view name : {"PrefixListName", "MaxEntries"})
    if (before[name] != after[name] && after.contains(name)) input.set(name, after[name]);
  const Json out = CO_TRY(co_await invoke(context, "ModifyManagedPrefixList", std::move(input)));
  CO_TRY(co_await keep_and_tag(context, current, before, after));
  co_return list_state(out["PrefixList"]);
}
Task<aws::Reply<void>> remove_prefix_list(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteManagedPrefixList", Json::object({{"PrefixListId", current.physical_id}}), "InvalidPrefixListID.NotFound");
}

constexpr auto kReplace = OnChange::kReplace;

// What the API refuses, before anything is made.
std::string check_endpoint(const Json& properties) {
  const std::string& type = properties.text("VpcEndpointType");
  return type.empty() || type == "Gateway" || type == "Interface" ? std::string() : fmt::format("VPC endpoints of type {} are not supported by this version of Atoll.", type);
}
std::string check_prefix_list(const Json& properties) { return properties.text("AddressFamily") == "IPv6" ? "Prefix lists for IPv6 are not supported by this version of Atoll." : ""; }

}  // namespace

const aws::ResourceType kVpcEndpoint{.name = "AWS::EC2::VPCEndpoint",
                                     .properties = {{"PolicyDocument"}, {"PrivateDnsEnabled"}, {"RouteTableIds"}, {"SecurityGroupIds"}, {"ServiceName", kReplace, true}, {"SubnetIds"}, {"Tags"},
                                                    {"VpcEndpointType", kReplace}, {"VpcId", kReplace, true}},
                                     .check = check_endpoint, .create = create_endpoint, .update = update_endpoint, .remove = remove_endpoint};
const aws::ResourceType kVpcCidrBlock{.name = "AWS::EC2::VPCCidrBlock", .properties = {{"CidrBlock", kReplace, true}, {"VpcId", kReplace, true}}, .create = create_block, .remove = remove_block};
const aws::ResourceType kDhcpOptions{.name = "AWS::EC2::DHCPOptions",
                                     .properties = {{"DomainName", kReplace}, {"DomainNameServers", kReplace}, {"NetbiosNameServers", kReplace}, {"NetbiosNodeType", kReplace}, {"NtpServers", kReplace}, {"Tags"}},
                                     .create = create_options, .update = keep_and_tag, .remove = remove_options};
const aws::ResourceType kDhcpOptionsAssociation{.name = "AWS::EC2::VPCDHCPOptionsAssociation", .properties = {{"DhcpOptionsId", OnChange::kUpdate, true}, {"VpcId", kReplace, true}},
                                                .create = associate_options, .update = change_options, .remove = dissociate_options};
const aws::ResourceType kPrefixList{.name = "AWS::EC2::PrefixList",
                                    .properties = {{"AddressFamily", kReplace, true}, {"Entries"}, {"MaxEntries"}, {"PrefixListName", OnChange::kUpdate, true}, {"Tags"}},
                                    .check = check_prefix_list, .create = create_prefix_list, .update = update_prefix_list, .remove = remove_prefix_list};

}  // namespace reef::service::ec2::resources
