// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-networkacl.html, its entries and
// associations, aws-resource-ec2-networkinterface.html and aws-resource-ec2-flowlog.html
#include "service/ec2/resources.h"

#include <fmt/format.h>
#include "wire/json.h"

namespace reef::service::ec2::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// --- AWS::EC2::NetworkAcl --------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_list(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"VpcId"});
  specify_tags(context, properties, "network-acl", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateNetworkAcl", std::move(input)));
  const std::string id = out["NetworkAcl"].text("NetworkAclId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<void>> remove_list(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteNetworkAcl", Json::object({{"NetworkAclId", current.physical_id}}), "InvalidNetworkAclID.NotFound");
}

// --- AWS::EC2::NetworkAclEntry ---------------------------------------------------------------------------------------

Json entry_of(const Json& properties) {
  Json out = copy(properties, {"NetworkAclId", "RuleNumber", "RuleAction", "CidrBlock", "Ipv6CidrBlock", "PortRange"});
  out.set("Protocol", properties["Protocol"].scalar_text().value_or("-1"));
  out.set("Egress", properties.contains("Egress") ? properties["Egress"] : Json(false));
  if (properties.contains("Icmp")) out.set("IcmpTypeCode", properties["Icmp"]);
  return out;
}
Task<aws::Reply<ResourceState>> create_entry(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await invoke(context, "CreateNetworkAclEntry", entry_of(properties)));
  const std::string name = context.generated_name(128);
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Id", name}})};
}
Task<aws::Reply<ResourceState>> update_entry(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await invoke(context, "ReplaceNetworkAclEntry", entry_of(after)));
  co_return current;
}
Task<aws::Reply<void>> remove_entry(const ResourceContext& context, const ResourceState&, const Json& properties) {
  const auto out = co_await invoke(context, "DeleteNetworkAclEntry", copy(entry_of(properties), {"NetworkAclId", "RuleNumber", "Egress"}));
  if (!out && !out.error().code.ends_with(".NotFound")) co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

// --- AWS::EC2::SubnetNetworkAclAssociation ---------------------------------------------------------------------------

// The list that a subnet has now, as DescribeNetworkAcls shows it, and the id of the association.
Task<aws::Reply<std::pair<Json, std::string>>> list_of(const ResourceContext& context, std::string subnet) {
  const Json filter = Json::object({{"Name", "association.subnet-id"}, {"Values", Json::array({subnet})}});
  const Json out = CO_TRY(co_await invoke(context, "DescribeNetworkAcls", Json::object({{"Filters", Json::array({filter})}})));
  const Json& list = out["NetworkAcls"].at(0);
  std::string id;
  for (const Json& one : list["Associations"].as_array())
    if (one.text("SubnetId") == subnet) id = one.text("NetworkAclAssociationId");
  co_return std::pair(list, id);
}
Task<aws::Reply<ResourceState>> associate_list(const ResourceContext& context, const Json& properties) {
  const auto [list, before] = CO_TRY(co_await list_of(context, properties.text("SubnetId")));
  const Json out = CO_TRY(co_await invoke(context, "ReplaceNetworkAclAssociation", Json::object({{"AssociationId", before}, {"NetworkAclId", properties.text("NetworkAclId")}})));
  const std::string id = out.text("NewAssociationId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"AssociationId", id}})};
}
// The subnet gets the VPC's default list back.
Task<aws::Reply<void>> dissociate_list(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto [list, association] = CO_TRY(co_await list_of(context, properties.text("SubnetId")));
  if (association != current.physical_id) co_return aws::Reply<void>();
  const Json filters = Json::array({Json::object({{"Name", "vpc-id"}, {"Values", Json::array({list.text("VpcId")})}}), Json::object({{"Name", "default"}, {"Values", Json::array({"true"})}})});
  const Json all = CO_TRY(co_await invoke(context, "DescribeNetworkAcls", Json::object({{"Filters", filters}})));
  CO_TRY(co_await invoke(context, "ReplaceNetworkAclAssociation", Json::object({{"AssociationId", association}, {"NetworkAclId", all["NetworkAcls"].at(0).text("NetworkAclId")}})));
  co_return aws::Reply<void>();
}

// --- AWS::EC2::NetworkInterface --------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_interface(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"SubnetId", "Description", "PrivateIpAddress"});
  if (properties.contains("GroupSet")) input.set("Groups", properties["GroupSet"]);
  specify_tags(context, properties, "network-interface", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateNetworkInterface", std::move(input)));
  const Json& made = out["NetworkInterface"];
  const std::string id = made.text("NetworkInterfaceId");
  if (properties.contains("SourceDestCheck"))
    CO_TRY(co_await invoke(context, "ModifyNetworkInterfaceAttribute", Json::object({{"NetworkInterfaceId", id}, {"SourceDestCheck", Json::object({{"Value", properties["SourceDestCheck"]}})}})));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}, {"PrimaryPrivateIpAddress", made.text("PrivateIpAddress")}, {"VpcId", made.text("VpcId")}})};
}
Task<aws::Reply<ResourceState>> update_interface(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const auto modify = [&](std::string name, Json value) {
    return invoke(context, "ModifyNetworkInterfaceAttribute", Json::object({{"NetworkInterfaceId", current.physical_id}, {name, std::move(value)}}));
  };
  if (before["GroupSet"] != after["GroupSet"] && after["GroupSet"].size() > 0) CO_TRY(co_await modify("Groups", after["GroupSet"]));
  if (before["Description"] != after["Description"]) CO_TRY(co_await modify("Description", Json::object({{"Value", after.text("Description")}})));
  if (before["SourceDestCheck"] != after["SourceDestCheck"])
    CO_TRY(co_await modify("SourceDestCheck", Json::object({{"Value", after.contains("SourceDestCheck") ? after["SourceDestCheck"] : Json(true)}})));
  co_return co_await keep_and_tag(context, current, before, after);
}
Task<aws::Reply<void>> remove_interface(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteNetworkInterface", Json::object({{"NetworkInterfaceId", current.physical_id}}), "InvalidNetworkInterfaceID.NotFound");
}

// --- AWS::EC2::FlowLog -----------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_flow_log(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"ResourceType", "TrafficType", "LogGroupName", "LogDestination", "LogDestinationType", "LogFormat", "MaxAggregationInterval", "DeliverLogsPermissionArn", "DestinationOptions"});
  input.set("ResourceIds", Json::array({properties.text("ResourceId")}));
  specify_tags(context, properties, "vpc-flow-log", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateFlowLogs", std::move(input)));
  const std::string id = out["FlowLogIds"].at(0).as_string();
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<void>> remove_flow_log(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteFlowLogs", Json::object({{"FlowLogIds", Json::array({current.physical_id})}}), "InvalidFlowLogId.NotFound");
}

constexpr auto kReplace = OnChange::kReplace;

// What the API refuses, before anything is made.
std::string check_entry(const Json& properties) { return properties.contains("Ipv6CidrBlock") ? "Ipv6CidrBlock is not supported by this version of Atoll." : ""; }
std::string check_flow_log(const Json& properties) {
  const std::string &kind = properties.text("ResourceType"), &to = properties.text("LogDestinationType");
  if (!kind.empty() && kind != "VPC" && kind != "Subnet" && kind != "NetworkInterface") return fmt::format("Flow logs of a {} are not supported by this version of Atoll.", kind);
  if (!to.empty() && to != "s3" && to != "cloud-watch-logs") return fmt::format("Flow logs to {} are not supported by this version of Atoll.", to);
  return {};
}

}  // namespace

const aws::ResourceType kNetworkAcl{.name = "AWS::EC2::NetworkAcl", .properties = {{"Tags"}, {"VpcId", kReplace, true}}, .create = create_list, .update = keep_and_tag, .remove = remove_list};
const aws::ResourceType kNetworkAclEntry{.name = "AWS::EC2::NetworkAclEntry",
                                         .properties = {{"CidrBlock"}, {"Egress", kReplace}, {"Icmp"}, {"Ipv6CidrBlock"}, {"NetworkAclId", kReplace, true}, {"PortRange"}, {"Protocol", OnChange::kUpdate, true},
                                                        {"RuleAction", OnChange::kUpdate, true}, {"RuleNumber", kReplace, true}},
                                         .check = check_entry, .create = create_entry, .update = update_entry, .remove = remove_entry};
const aws::ResourceType kNetworkAclAssociation{.name = "AWS::EC2::SubnetNetworkAclAssociation", .properties = {{"NetworkAclId", kReplace, true}, {"SubnetId", kReplace, true}},
                                               .create = associate_list, .remove = dissociate_list};
const aws::ResourceType kNetworkInterface{.name = "AWS::EC2::NetworkInterface",
                                          .properties = {{"Description"}, {"GroupSet"}, {"PrivateIpAddress", kReplace}, {"SourceDestCheck"}, {"SubnetId", kReplace, true}, {"Tags"}},
                                          .create = create_interface, .update = update_interface, .remove = remove_interface};
const aws::ResourceType kFlowLog{.name = "AWS::EC2::FlowLog",
                                 .properties = {{"DeliverLogsPermissionArn", kReplace}, {"DestinationOptions", kReplace}, {"LogDestination", kReplace}, {"LogDestinationType", kReplace}, {"LogFormat", kReplace},
                                                {"LogGroupName", kReplace}, {"MaxAggregationInterval", kReplace}, {"ResourceId", kReplace, true}, {"ResourceType", kReplace, true}, {"Tags"}, {"TrafficType", kReplace}},
                                 .check = check_flow_log, .create = create_flow_log, .update = keep_and_tag, .remove = remove_flow_log};

}  // namespace reef::service::ec2::resources
