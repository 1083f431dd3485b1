// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
#include <vector>

#include "base/text.h"
#include "service/ec2/resources.h"
#include "wire/json.h"

namespace reef::service::ec2::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// A template's rule as the API's permission.
Json permission_of(const Json& rule) {
  Json out = Json::object({{"IpProtocol", rule["IpProtocol"].scalar_text().value_or("")}});
  for (const std::string_view port : {"FromPort", "ToPort"})
    if (rule.contains(port)) out.set(port, rule[port]);
  const auto peer = [&](std::string_view list, std::string_view member, const Json& value) {
    Json one = Json::object({{std::string(member), value}});
    if (rule.contains("Description")) one.set("Description", rule["Description"]);
    out.set(list, Json::array({std::move(one)}));
  };
  if (rule.contains("CidrIp")) peer("IpRanges", "CidrIp", rule["CidrIp"]);
  if (rule.contains("CidrIpv6")) peer("Ipv6Ranges", "CidrIpv6", rule["CidrIpv6"]);
  for (const std::string_view id : {"SourceSecurityGroupId", "DestinationSecurityGroupId"})
    if (rule.contains(id)) peer("UserIdGroupPairs", "GroupId", rule[id]);
  if (rule.contains("SourceSecurityGroupName")) peer("UserIdGroupPairs", "GroupName", rule["SourceSecurityGroupName"]);
  for (const std::string_view id : {"SourcePrefixListId", "DestinationPrefixListId"})
    if (rule.contains(id)) peer("PrefixListIds", "PrefixListId", rule[id]);
  return out;
}

// Everything out: what a group has until a template says otherwise.
Json all_out() { return Json::array({Json::object({{"IpProtocol", "-1"}, {"CidrIp", "0.0.0.0/0"}})}); }

Task<aws::Reply<void>> change_rules(const ResourceContext& context, std::string operation, std::string group, Json rules) {
  if (rules.size() == 0) co_return aws::Reply<void>();
  Json permissions = Json::array();
  for (const Json& rule : rules.as_array()) permissions.push_back(permission_of(rule));
  CO_TRY(co_await invoke(context, operation, Json::object({{"GroupId", group}, {"IpPermissions", std::move(permissions)}})));
  co_return aws::Reply<void>();
}

Task<aws::Reply<void>> move_rules(const ResourceContext& context, std::string direction, std::string group, Json before, Json after) {
  const auto gone = co_await change_rules(context, "RevokeSecurityGroup" + direction, group, without(before, after));
  if (!gone && gone.error().code != "InvalidPermission.NotFound") co_return std::unexpected(gone.error());
  co_return co_await change_rules(context, "AuthorizeSecurityGroup" + direction, group, without(after, before));
}

Json egress_of(const Json& properties) { return properties["SecurityGroupEgress"].size() > 0 ? properties["SecurityGroupEgress"] : all_out(); }
Json ingress_of(const Json& properties) { return properties["SecurityGroupIngress"].is_array() ? properties["SecurityGroupIngress"] : Json::array(); }

Task<aws::Reply<ResourceState>> create_group(const ResourceContext& context, const Json& properties) {
  const std::string given = properties.text("GroupName");
  Json input = Json::object({{"Description", properties["GroupDescription"]}, {"GroupName", given.empty() ? context.generated_name(255) : given}});
  if (properties.contains("VpcId")) input.set("VpcId", properties["VpcId"]);
  Json tags = properties["Tags"].is_array() ? properties["Tags"] : Json::array();
  for (const Json& tag : context.tags.as_array()) {
    bool own = false;
    for (const Json& other : properties["Tags"].as_array()) own = own || other.text("Key") == tag.text("Key");
    if (!own) tags.push_back(tag);
  }
  if (tags.size() > 0) input.set("TagSpecifications", Json::array({Json::object({{"ResourceType", "security-group"}, {"Tags", std::move(tags)}})}));
  const Json out = CO_TRY(co_await invoke(context, "CreateSecurityGroup", std::move(input)));
  const std::string id = out.text("GroupId");
  auto ruled = co_await change_rules(context, "AuthorizeSecurityGroupIngress", id, ingress_of(properties));
  if (ruled) ruled = co_await move_rules(context, "Egress", id, all_out(), egress_of(properties));
  if (!ruled) {  // a group whose rules are refused does not stay behind
    static_cast<void>(co_await invoke(context, "DeleteSecurityGroup", Json::object({{"GroupId", id}})));
    co_return std::unexpected(ruled.error());
  }
  const Json shown = CO_TRY(co_await invoke(context, "DescribeSecurityGroups", Json::object({{"GroupIds", Json::array({id})}})));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"GroupId", id}, {"Id", id}, {"VpcId", shown["SecurityGroups"].at(0).text("VpcId")}})};
}

Task<aws::Reply<ResourceState>> update_group(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string id = current.physical_id;
  CO_TRY(co_await move_rules(context, "Ingress", id, ingress_of(before), ingress_of(after)));
  CO_TRY(co_await move_rules(context, "Egress", id, egress_of(before), egress_of(after)));
  Json gone = Json::array();
  for (const Json& old : before["Tags"].as_array()) {
    bool kept = false;
    for (const Json& tag : after["Tags"].as_array()) kept = kept || tag.text("Key") == old.text("Key");
    if (!kept) gone.push_back(Json::object({{"Key", old.text("Key")}}));
  }
  if (gone.size() > 0) CO_TRY(co_await invoke(context, "DeleteTags", Json::object({{"Resources", Json::array({id})}, {"Tags", std::move(gone)}})));
  if (after["Tags"].size() > 0) CO_TRY(co_await invoke(context, "CreateTags", Json::object({{"Resources", Json::array({id})}, {"Tags", after["Tags"]}})));
  co_return current;
}

Task<aws::Reply<void>> remove_group(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteSecurityGroup", Json::object({{"GroupId", current.physical_id}}), "InvalidGroup.NotFound");
}

// --- AWS::EC2::SecurityGroupIngress and SecurityGroupEgress ----------------------------------------------------------

Task<aws::Reply<ResourceState>> create_rule(const ResourceContext& context, std::string direction, const Json& properties) {
  Json input = Json::object({{"IpPermissions", Json::array({permission_of(properties)})}});
  for (const std::string_view name : {"GroupId", "GroupName"})
    if (properties.contains(name)) input.set(name, properties[name]);
  const Json out = CO_TRY(co_await invoke(context, "AuthorizeSecurityGroup" + direction, std::move(input)));
  const std::string id = out["SecurityGroupRules"].at(0).text("SecurityGroupRuleId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<void>> remove_rule(const ResourceContext& context, std::string direction, const ResourceState& current, const Json& properties) {
  Json input = Json::object({{"SecurityGroupRuleIds", Json::array({current.physical_id})}});
  for (const std::string_view name : {"GroupId", "GroupName"})
    if (properties.contains(name)) input.set(name, properties[name]);
  const auto out = co_await invoke(context, "RevokeSecurityGroup" + direction, std::move(input));
  if (!out && !out.error().code.ends_with(".NotFound")) co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}
Task<aws::Reply<ResourceState>> create_ingress(const ResourceContext& context, const Json& properties) { return create_rule(context, "Ingress", properties); }
Task<aws::Reply<void>> remove_ingress(const ResourceContext& context, const ResourceState& current, const Json& properties) { return remove_rule(context, "Ingress", current, properties); }
Task<aws::Reply<ResourceState>> create_egress(const ResourceContext& context, const Json& properties) { return create_rule(context, "Egress", properties); }
Task<aws::Reply<void>> remove_egress(const ResourceContext& context, const ResourceState& current, const Json& properties) { return remove_rule(context, "Egress", current, properties); }

}  // namespace

const aws::ResourceType kSecurityGroup{
    .name = "AWS::EC2::SecurityGroup",
    .properties = {{"GroupDescription", OnChange::kReplace, true}, {"GroupName", OnChange::kReplace}, {"SecurityGroupEgress"}, {"SecurityGroupIngress"}, {"Tags"}, {"VpcId", OnChange::kReplace}},
    .create = create_group, .update = update_group, .remove = remove_group};
const aws::ResourceType kIngress{
    .name = "AWS::EC2::SecurityGroupIngress",
    .properties = {{"CidrIp", OnChange::kReplace}, {"CidrIpv6", OnChange::kReplace}, {"Description", OnChange::kReplace}, {"FromPort", OnChange::kReplace}, {"GroupId", OnChange::kReplace},
                   {"GroupName", OnChange::kReplace}, {"IpProtocol", OnChange::kReplace, true}, {"SourcePrefixListId", OnChange::kReplace}, {"SourceSecurityGroupId", OnChange::kReplace},
                   {"SourceSecurityGroupName", OnChange::kReplace}, {"ToPort", OnChange::kReplace}},
    .create = create_ingress, .remove = remove_ingress};
const aws::ResourceType kEgress{
    .name = "AWS::EC2::SecurityGroupEgress",
    .properties = {{"CidrIp", OnChange::kReplace}, {"CidrIpv6", OnChange::kReplace}, {"Description", OnChange::kReplace}, {"DestinationPrefixListId", OnChange::kReplace},
                   {"DestinationSecurityGroupId", OnChange::kReplace}, {"FromPort", OnChange::kReplace}, {"GroupId", OnChange::kReplace, true}, {"IpProtocol", OnChange::kReplace, true},
                   {"ToPort", OnChange::kReplace}},
    .create = create_egress, .remove = remove_egress};

}  // namespace reef::service::ec2::resources
