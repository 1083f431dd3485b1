// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html, API_ModifySecurityGroupRules.html
// and API_UpdateSecurityGroupRuleDescriptionsIngress.html
#include "service/ec2/describe.h"
#include "service/ec2/rules.h"

namespace reef::service::ec2::operations {

Reply<model::DescribeSecurityGroupRulesOutput> DescribeSecurityGroupRules(const model::DescribeSecurityGroupRulesInput& in, const Call& call) {
  model::DescribeSecurityGroupRulesOutput out;
  auto found = TRY(choose<model::SecurityGroupRule>(call, in, in.security_group_rule_ids, [](const model::SecurityGroupRule& one, std::string_view name) -> std::optional<Values> {
    if (name == "group-id") return one_value(one.group_id);
    if (name == "security-group-rule-id") return one_value(one.security_group_rule_id);
    return std::nullopt;
  }, out.next_token));
  for (auto& rule : found) {
    if (!rule.tags) rule.tags.emplace();
    rule.security_group_rule_arn = call.arn("ec2", "security-group-rule/" + *rule.security_group_rule_id);
  }
  out.security_group_rules = std::move(found);
  return out;
}

Reply<model::ModifySecurityGroupRulesOutput> ModifySecurityGroupRules(const model::ModifySecurityGroupRulesInput& in, const Call& call) {
  const auto group = TRY(get<model::SecurityGroup>(call, in.group_id));
  std::vector<model::SecurityGroupRule> changed;
  for (const auto& update : in.security_group_rules) {
    const auto before = TRY(get<model::SecurityGroupRule>(call, update.security_group_rule_id));
    if (before.group_id != in.group_id)
      return Err(aws::Error("InvalidSecurityGroupRuleId.NotFound", fmt::format("The security group rule ID '{}' does not exist", update.security_group_rule_id), 400));
    if (!update.security_group_rule) return Err(aws::Error("MissingParameter", "The request must contain the parameter SecurityGroupRule", 400));
    const auto& wanted = *update.security_group_rule;
    model::IpPermission permission;
    permission.ip_protocol = wanted.ip_protocol;
    permission.from_port = wanted.from_port;
    permission.to_port = wanted.to_port;
    if (wanted.cidr_ipv4) permission.ip_ranges = std::vector<model::IpRange>{{.description = wanted.description, .cidr_ip = wanted.cidr_ipv4}};
    if (wanted.cidr_ipv6) permission.ipv6_ranges = std::vector<model::Ipv6Range>{{.description = wanted.description, .cidr_ipv6 = wanted.cidr_ipv6}};
    if (wanted.prefix_list_id) permission.prefix_list_ids = std::vector<model::PrefixListId>{{.description = wanted.description, .prefix_list_id = wanted.prefix_list_id}};
    if (wanted.referenced_group_id) {
      model::UserIdGroupPair pair;
      pair.description = wanted.description;
      pair.group_id = wanted.referenced_group_id;
      permission.user_id_group_pairs = std::vector{pair};
    }
    auto rules = TRY(rules_from(call, group, before.is_egress.value_or(false), {permission}));
    if (rules.size() != 1) return Err(invalid_value("Exactly one of cidrIpv4, cidrIpv6, prefixListId and referencedGroupId must be given."));
    rules[0].security_group_rule_id = before.security_group_rule_id;
    rules[0].tags = before.tags;
    changed.push_back(std::move(rules[0]));
  }
  for (const auto& rule : changed) put(call, rule);
  return model::ModifySecurityGroupRulesOutput{.return_ = true};
}

namespace {

// Both directions have members of the same names.
template <class In>
Reply<void> describe_rules(const In& in, bool egress, const Call& call) {
  const auto group = TRY(find_group(call, in.group_id, in.group_name));
  for (const auto& one : in.security_group_rule_descriptions.value_or(std::vector<model::SecurityGroupRuleDescription>{})) {
    auto rule = TRY(get<model::SecurityGroupRule>(call, one.security_group_rule_id.value_or("")));
    rule.description = one.description;
    put(call, rule);
  }
  if (!in.ip_permissions) return {};
  for (const auto& wanted : TRY(rules_from(call, group, egress, *in.ip_permissions))) {
    bool found = false;
    for (auto& rule : all<model::SecurityGroupRule>(call)) {
      if (!same_rule(rule, wanted)) continue;
      found = true;
      rule.description = wanted.description;
      put(call, rule);
    }
    if (!found) return Err(aws::Error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.", 400));
  }
  return {};
}

}  // namespace

Reply<model::UpdateSecurityGroupRuleDescriptionsIngressOutput> UpdateSecurityGroupRuleDescriptionsIngress(const model::UpdateSecurityGroupRuleDescriptionsIngressInput& in, const Call& call) {
  TRY(describe_rules(in, false, call));
  return model::UpdateSecurityGroupRuleDescriptionsIngressOutput{.return_ = true};
}
Reply<model::UpdateSecurityGroupRuleDescriptionsEgressOutput> UpdateSecurityGroupRuleDescriptionsEgress(const model::UpdateSecurityGroupRuleDescriptionsEgressInput& in, const Call& call) {
  TRY(describe_rules(in, true, call));
  return model::UpdateSecurityGroupRuleDescriptionsEgressOutput{.return_ = true};
}

}  // namespace reef::service::ec2::operations
