// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html and its kin
#include "engine/network/cidr.h"
#include "service/ec2/describe.h"
#include "service/ec2/interfaces.h"
#include "service/ec2/rules.h"

namespace reef::service::ec2::operations {

Reply<model::CreateSecurityGroupOutput> CreateSecurityGroup(const model::CreateSecurityGroupInput& in, const Call& call) {
  std::string vpc = in.vpc_id.value_or("");
  if (vpc.empty()) {
    const auto found = default_vpc(call);
    if (!found) return Err(aws::Error("VPCIdNotSpecified", "No default VPC for this user", 400));
    vpc = *found->vpc_id;
  }
  TRY(get<model::Vpc>(call, vpc));
  if (in.group_name == "default") return Err(invalid_value("Cannot use reserved security group name: default"));
  if (in.group_name.starts_with("sg-")) return Err(invalid_value("Invalid value '" + in.group_name + "' for groupName. Group names may not be in the format sg-*."));
  if (in.group_name.empty() || in.group_name.size() > 255) return Err(invalid_value("Invalid value '" + in.group_name + "' for groupName. Group names must be 1 to 255 characters long."));
  for (const auto& other : all<model::SecurityGroup>(call))
    if (other.vpc_id == vpc && other.group_name == in.group_name)
      return Err(aws::Error("InvalidGroup.Duplicate", fmt::format("The security group '{}' already exists for VPC '{}'", in.group_name, vpc), 400));
  const Tags tags = TRY(tags_for(in.tag_specifications, "security-group"));
  auto group = make_group(call, vpc, in.group_name, in.description);
  group.tags = tags;
  put(call, group);
  return model::CreateSecurityGroupOutput{.group_id = group.group_id, .tags = group.tags, .security_group_arn = group.security_group_arn};
}

Reply<model::DeleteSecurityGroupOutput> DeleteSecurityGroup(const model::DeleteSecurityGroupInput& in, const Call& call) {
  const auto group = TRY(find_group(call, in.group_id, in.group_name));
  const std::string& id = *group.group_id;
  if (group.group_name == "default") return Err(aws::Error("CannotDelete", fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", id), 400));
  if (is_group_used(call, id)) return Err(aws::Error("DependencyViolation", fmt::format("resource {} has a dependent object", id), 400));
  const auto rules = all<model::SecurityGroupRule>(call);
  for (const auto& rule : rules)
    if (rule.group_id != id && rule.referenced_group_info && rule.referenced_group_info->group_id == id)
      return Err(aws::Error("DependencyViolation", fmt::format("resource {} has a dependent object", id), 400));
  for (const auto& rule : rules)
    if (rule.group_id == id) erase<model::SecurityGroupRule>(call, *rule.security_group_rule_id);
  erase<model::SecurityGroup>(call, id);
  return model::DeleteSecurityGroupOutput{.return_ = true, .group_id = id};
}

Reply<model::DescribeSecurityGroupsOutput> DescribeSecurityGroups(const model::DescribeSecurityGroupsInput& in, const Call& call) {
  model::DescribeSecurityGroupsOutput out;
  const auto rules = all<model::SecurityGroupRule>(call);
  auto found = TRY(choose<model::SecurityGroup>(call, in, in.group_ids, [&rules](const model::SecurityGroup& one, std::string_view name) -> std::optional<Values> {
    if (name == "group-id") return one_value(one.group_id);
    if (name == "group-name") return one_value(one.group_name);
    if (name == "vpc-id") return one_value(one.vpc_id);
    if (name == "owner-id") return one_value(one.owner_id);
    if (name == "description") return one_value(one.description);
    const bool egress = name.starts_with("egress.");
    const std::string_view what = egress ? name.substr(7) : name;
    if (what != "ip-permission.cidr" && what != "ip-permission.group-id" && what != "ip-permission.from-port" && what != "ip-permission.to-port" && what != "ip-permission.protocol") return std::nullopt;
    Values values;
    for (const auto& rule : rules) {
      if (rule.group_id != one.group_id || rule.is_egress.value_or(false) != egress) continue;
      if (what.ends_with("cidr") && rule.cidr_ipv4) values.push_back(*rule.cidr_ipv4);
      if (what.ends_with("group-id") && rule.referenced_group_info) values.push_back(*rule.referenced_group_info->group_id);
      if (what.ends_with("from-port")) values.push_back(std::to_string(rule.from_port.value_or(-1)));
      if (what.ends_with("to-port")) values.push_back(std::to_string(rule.to_port.value_or(-1)));
      if (what.ends_with("protocol")) values.push_back(*rule.ip_protocol);
    }
    return values;
  }, out.next_token));
  if (in.group_names && !in.group_names->empty()) {
    for (const std::string& name : *in.group_names)
      if (std::none_of(found.begin(), found.end(), [&](const auto& one) { return one.group_name == name; }))
        return Err(missing<model::SecurityGroup>(name));
    std::erase_if(found, [&](const auto& one) { return std::find(in.group_names->begin(), in.group_names->end(), *one.group_name) == in.group_names->end(); });
  }
  for (auto& group : found) {
    group.ip_permissions = permissions_of(rules, *group.group_id, false);
    group.ip_permissions_egress = permissions_of(rules, *group.group_id, true);
  }
  out.security_groups = std::move(found);
  return out;
}

}  // namespace reef::service::ec2::operations
