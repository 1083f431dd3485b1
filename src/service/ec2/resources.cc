// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html
#include "service/ec2/resources.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/loose_values.h"
#include "aws/models/ec2.h"
#include "base/text.h"
#include "wire/json.h"

namespace reef::service::ec2::resources {

wire::Json without(const wire::Json& list, const wire::Json& others) {
  const auto& known = others.as_array();
  wire::Json out = wire::Json::array();
  for (const wire::Json& one : list.as_array())
    if (std::find(known.begin(), known.end(), one) == known.end()) out.push_back(one);
  return out;
}

Task<aws::Reply<wire::Json>> invoke(const aws::ResourceContext& context, std::string_view operation, wire::Json input) {
  co_return co_await aws::call_operation(context, "ec2", operation, aws::fit_to_operation(aws::ec2::kModel, operation, std::move(input)));
}

namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<void>> put_tags(const ResourceContext& context, std::string id, Json before, Json after) {
  Json gone = Json::array();
  for (const Json& old : before.as_array()) {
    bool kept = false;
    for (const Json& tag : after.as_array()) kept = kept || tag.text("Key") == old.text("Key");
    if (!kept) gone.push_back(Json::object({{"Key", old.text("Key")}}));
  }
  if (gone.size() > 0) CO_TRY(co_await invoke(context, "DeleteTags", Json::object({{"Resources", Json::array({id})}, {"Tags", std::move(gone)}})));
  if (after.size() > 0) CO_TRY(co_await invoke(context, "CreateTags", Json::object({{"Resources", Json::array({id})}, {"Tags", after}})));
  co_return aws::Reply<void>();
}

}  // namespace

Json copy(const Json& from, std::initializer_list<std::string_view> names) {
  Json out = Json::object();
  for (const std::string_view name : names)
    if (const Json* value = from.find(name)) out.set(name, *value);
  return out;
}

// The resource's own tags as a TagSpecification; the stack's go with them.
void specify_tags(const ResourceContext& context, const Json& properties, std::string_view type, Json& input) {
  Json tags = Json::array();
  for (const Json& tag : properties["Tags"].as_array()) tags.push_back(Json::object({{"Key", tag.text("Key")}, {"Value", tag["Value"].scalar_text().value_or("")}}));
  for (const Json& tag : context.tags.as_array()) {
    bool own = false;
    for (const Json& other : properties["Tags"].as_array()) own = own || other.text("Key") == tag.text("Key");
    if (!own) tags.push_back(tag);
  }
  if (tags.size() > 0) input.set("TagSpecifications", Json::array({Json::object({{"ResourceType", std::string(type)}, {"Tags", std::move(tags)}})}));
}

Task<aws::Reply<ResourceState>> keep_and_tag(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await put_tags(context, current.physical_id, before["Tags"], after["Tags"]));
  co_return current;
}

namespace {

// --- AWS::EC2::VPC --------------------------------------------------------------------------------------------------

Task<aws::Reply<void>> set_dns_attributes(const ResourceContext& context, std::string vpc, const Json& before, const Json& after, bool created) {
  for (const std::string_view name : {"EnableDnsSupport", "EnableDnsHostnames"}) {
    if (before[name] == after[name] || (created && !after.contains(name))) continue;
    const Json value = after.contains(name) ? after[name] : Json(name == "EnableDnsSupport");
    CO_TRY(co_await invoke(context, "ModifyVpcAttribute", Json::object({{"VpcId", vpc}, {std::string(name), Json::object({{"Value", value}})}})));
  }
  co_return aws::Reply<void>();
}
Task<aws::Reply<ResourceState>> create_vpc(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"CidrBlock", "InstanceTenancy"});
  specify_tags(context, properties, "vpc", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateVpc", std::move(input)));
  const std::string id = out["Vpc"].text("VpcId");
  CO_TRY(co_await set_dns_attributes(context, id, Json(), properties, true));
  const Json filters = Json::array({Json::object({{"Name", "vpc-id"}, {"Values", Json::array({id})}}), Json::object({{"Name", "group-name"}, {"Values", Json::array({"default"})}})});
  const Json groups = CO_TRY(co_await invoke(context, "DescribeSecurityGroups", Json::object({{"Filters", filters}})));
  Json blocks = Json::array();
  for (const Json& one : out["Vpc"]["CidrBlockAssociationSet"].as_array()) blocks.push_back(one.text("AssociationId"));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"VpcId", id}, {"CidrBlock", out["Vpc"].text("CidrBlock")}, {"CidrBlockAssociations", std::move(blocks)},
                                                                        {"DefaultSecurityGroup", groups["SecurityGroups"].at(0).text("GroupId")}})};
}
Task<aws::Reply<ResourceState>> update_vpc(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await set_dns_attributes(context, current.physical_id, before, after, false));
  co_return co_await keep_and_tag(context, current, before, after);
}
Task<aws::Reply<void>> remove_vpc(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteVpc", Json::object({{"VpcId", current.physical_id}}), "InvalidVpcID.NotFound");
}

// --- AWS::EC2::Subnet -----------------------------------------------------------------------------------------------

Task<aws::Reply<void>> set_public(const ResourceContext& context, std::string subnet, Json value) {
  CO_TRY(co_await invoke(context, "ModifySubnetAttribute", Json::object({{"SubnetId", subnet}, {"MapPublicIpOnLaunch", Json::object({{"Value", value}})}})));
  co_return aws::Reply<void>();
}
Task<aws::Reply<ResourceState>> create_subnet(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"});
  specify_tags(context, properties, "subnet", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateSubnet", std::move(input)));
  const Json& subnet = out["Subnet"];
  const std::string id = subnet.text("SubnetId");
  if (properties.contains("MapPublicIpOnLaunch")) CO_TRY(co_await set_public(context, id, properties["MapPublicIpOnLaunch"]));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"SubnetId", id}, {"VpcId", subnet.text("VpcId")}, {"CidrBlock", subnet.text("CidrBlock")},
                                                                        {"AvailabilityZone", subnet.text("AvailabilityZone")}, {"AvailabilityZoneId", subnet.text("AvailabilityZoneId")}})};
}
Task<aws::Reply<ResourceState>> update_subnet(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  if (before["MapPublicIpOnLaunch"] != after["MapPublicIpOnLaunch"])
    CO_TRY(co_await set_public(context, current.physical_id, after.contains("MapPublicIpOnLaunch") ? after["MapPublicIpOnLaunch"] : Json(false)));
  co_return co_await keep_and_tag(context, current, before, after);
}
Task<aws::Reply<void>> remove_subnet(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteSubnet", Json::object({{"SubnetId", current.physical_id}}), "InvalidSubnetID.NotFound");
}

// --- AWS::EC2::InternetGateway and VPCGatewayAttachment --------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_gateway(const ResourceContext& context, const Json& properties) {
  Json input = Json::object();
  specify_tags(context, properties, "internet-gateway", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateInternetGateway", std::move(input)));
  const std::string id = out["InternetGateway"].text("InternetGatewayId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"InternetGatewayId", id}})};
}
Task<aws::Reply<void>> remove_gateway(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteInternetGateway", Json::object({{"InternetGatewayId", current.physical_id}}), "InvalidInternetGatewayID.NotFound");
}
Task<aws::Reply<ResourceState>> attach_gateway(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await invoke(context, "AttachInternetGateway", copy(properties, {"InternetGatewayId", "VpcId"})));
  co_return ResourceState{.physical_id = "IGW|" + properties.text("VpcId"), .attributes = Json::object({{"AttachmentType", "IGW"}})};
}
Task<aws::Reply<void>> detach_gateway(const ResourceContext& context, const ResourceState&, const Json& properties) {
  const auto out = co_await invoke(context, "DetachInternetGateway", copy(properties, {"InternetGatewayId", "VpcId"}));
  if (!out && out.error().code != "Gateway.NotAttached" && !out.error().code.ends_with(".NotFound")) co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

// --- AWS::EC2::RouteTable, Route and SubnetRouteTableAssociation -----------------------------------------------------

Task<aws::Reply<ResourceState>> create_table(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"VpcId"});
  specify_tags(context, properties, "route-table", input);
  const Json out = CO_TRY(co_await invoke(context, "CreateRouteTable", std::move(input)));
  const std::string id = out["RouteTable"].text("RouteTableId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"RouteTableId", id}})};
}
Task<aws::Reply<void>> remove_table(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteRouteTable", Json::object({{"RouteTableId", current.physical_id}}), "InvalidRouteTableID.NotFound");
}
Task<aws::Reply<ResourceState>> create_route(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await invoke(context, "CreateRoute", copy(properties, {"RouteTableId", "DestinationCidrBlock", "GatewayId", "NatGatewayId"})));
  const std::string cidr = properties.text("DestinationCidrBlock");
  co_return ResourceState{.physical_id = properties.text("RouteTableId") + "|" + cidr, .attributes = Json::object({{"CidrBlock", cidr}})};
}
Task<aws::Reply<ResourceState>> update_route(const ResourceContext& context, const ResourceState&, const Json& before, const Json& after) {
  CO_TRY(co_await invoke(context, "DeleteRoute", copy(before, {"RouteTableId", "DestinationCidrBlock"})));
  co_return co_await create_route(context, after);
}
Task<aws::Reply<void>> remove_route(const ResourceContext& context, const ResourceState&, const Json& properties) {
  const auto out = co_await invoke(context, "DeleteRoute", copy(properties, {"RouteTableId", "DestinationCidrBlock"}));
  if (!out && !out.error().code.ends_with(".NotFound")) co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}
Task<aws::Reply<ResourceState>> associate(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await invoke(context, "AssociateRouteTable", copy(properties, {"SubnetId", "RouteTableId"})));
  const std::string id = out.text("AssociationId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<void>> disassociate(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DisassociateRouteTable", Json::object({{"AssociationId", current.physical_id}}), "InvalidAssociationID.NotFound");
}

}  // namespace

const aws::ResourceType kVpc{.name = "AWS::EC2::VPC",
                             .properties = {{"CidrBlock", OnChange::kReplace, true}, {"EnableDnsHostnames"}, {"EnableDnsSupport"}, {"InstanceTenancy", OnChange::kReplace}, {"Tags"}},
                             .create = create_vpc, .update = update_vpc, .remove = remove_vpc};
const aws::ResourceType kSubnet{.name = "AWS::EC2::Subnet",
                                .properties = {{"AvailabilityZone", OnChange::kReplace}, {"AvailabilityZoneId", OnChange::kReplace}, {"CidrBlock", OnChange::kReplace, true},
                                               {"MapPublicIpOnLaunch"}, {"Tags"}, {"VpcId", OnChange::kReplace, true}},
                                .create = create_subnet, .update = update_subnet, .remove = remove_subnet};
const aws::ResourceType kInternetGateway{.name = "AWS::EC2::InternetGateway", .properties = {{"Tags"}}, .create = create_gateway, .update = keep_and_tag, .remove = remove_gateway};
const aws::ResourceType kGatewayAttachment{.name = "AWS::EC2::VPCGatewayAttachment",
                                           .properties = {{"InternetGatewayId", OnChange::kReplace, true}, {"VpcId", OnChange::kReplace, true}},
                                           .create = attach_gateway, .remove = detach_gateway};
const aws::ResourceType kRouteTable{.name = "AWS::EC2::RouteTable", .properties = {{"Tags"}, {"VpcId", OnChange::kReplace, true}},
                                    .create = create_table, .update = keep_and_tag, .remove = remove_table};
const aws::ResourceType kRoute{.name = "AWS::EC2::Route",
                               .properties = {{"DestinationCidrBlock", OnChange::kReplace, true}, {"GatewayId"}, {"NatGatewayId"}, {"RouteTableId", OnChange::kReplace, true}},
                               .create = create_route, .update = update_route, .remove = remove_route};
const aws::ResourceType kRouteTableAssociation{.name = "AWS::EC2::SubnetRouteTableAssociation",
                                               .properties = {{"RouteTableId", OnChange::kReplace, true}, {"SubnetId", OnChange::kReplace, true}},
                                               .create = associate, .remove = disassociate};

}  // namespace reef::service::ec2::resources
