// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html and its kin
#include <algorithm>

#include "base/text.h"
#include "service/ec2/rules.h"

namespace reef::service::ec2::operations {
namespace {

// The older form gives one permission by plain parameters.
template <class In>
std::vector<model::IpPermission> permissions_in(const In& in) {
  if (in.ip_permissions && !in.ip_permissions->empty()) return *in.ip_permissions;
  model::IpPermission one;
  one.ip_protocol = in.ip_protocol;
  one.from_port = in.from_port;
  one.to_port = in.to_port;
  if (in.cidr_ip) one.ip_ranges = std::vector<model::IpRange>{{.description = {}, .cidr_ip = in.cidr_ip}};
  if (in.source_security_group_name) {
    one.user_id_group_pairs.emplace();
    one.user_id_group_pairs->emplace_back();
    one.user_id_group_pairs->back().group_name = in.source_security_group_name;
    if (!in.ip_protocol) one.ip_protocol = "-1";
  }
  return {one};
}

std::string described(const model::SecurityGroupRule& rule) {
  const std::string peer = rule.cidr_ipv4                ? *rule.cidr_ipv4
                           : rule.cidr_ipv6              ? *rule.cidr_ipv6
                           : rule.referenced_group_info  ? *rule.referenced_group_info->group_id
                                                         : rule.prefix_list_id.value_or("");
  if (*rule.ip_protocol == "-1") return fmt::format("peer: {}, ALL, ALLOW", peer);
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW", peer, to_upper(*rule.ip_protocol), *rule.from_port, *rule.to_port);
}

template <class Out, class In>
Reply<Out> authorize(const In& in, const model::SecurityGroup& group, bool egress, const Call& call) {
  auto rules = TRY(rules_from(call, group, egress, permissions_in(in)));
  const Tags tags = TRY(tags_for(in.tag_specifications, "security-group-rule"));
  const auto existing = all<model::SecurityGroupRule>(call);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto same = [&](const auto& one) { return same_rule(one, rules[i]); };
    if (std::any_of(existing.begin(), existing.end(), same))
      return Err(aws::Error("InvalidPermission.Duplicate", fmt::format("the specified rule \"{}\" already exists", described(rules[i])), 400));
    if (std::any_of(rules.begin(), rules.begin() + static_cast<std::ptrdiff_t>(i), same))
      return Err(invalid_value("The same permission must not appear multiple times"));
  }
  for (auto& rule : rules) {
    rule.security_group_rule_id = new_id("sgr");
    rule.security_group_rule_arn = call.arn("ec2", "security-group-rule/" + *rule.security_group_rule_id);
    rule.tags = tags;
    put(call, rule);
  }
  return Out{.return_ = true, .security_group_rules = std::move(rules)};
}

template <class Out, class In>
Reply<Out> revoke(const In& in, const model::SecurityGroup& group, bool egress, const Call& call) {
  const auto existing = all<model::SecurityGroupRule>(call);
  std::vector<std::string> ids;
  if (in.security_group_rule_ids && !in.security_group_rule_ids->empty()) {
    for (const std::string& id : *in.security_group_rule_ids) {
      const auto rule = TRY(get<model::SecurityGroupRule>(call, id));
      if (rule.group_id != group.group_id || rule.is_egress.value_or(false) != egress) return Err(missing<model::SecurityGroupRule>(id));
      ids.push_back(id);
    }
  } else {
    for (const auto& wanted : TRY(rules_from(call, group, egress, permissions_in(in)))) {
      const auto found = std::find_if(existing.begin(), existing.end(), [&](const auto& one) { return same_rule(one, wanted); });
      if (found == existing.end()) return Err(aws::Error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.", 400));
      ids.push_back(*found->security_group_rule_id);
    }
  }
  for (const std::string& id : ids) erase<model::SecurityGroupRule>(call, id);
  Out out;
  out.return_ = true;
  return out;
}

}  // namespace

Reply<model::AuthorizeSecurityGroupIngressOutput> AuthorizeSecurityGroupIngress(const model::AuthorizeSecurityGroupIngressInput& in, const Call& call) {
  return authorize<model::AuthorizeSecurityGroupIngressOutput>(in, TRY(find_group(call, in.group_id, in.group_name)), false, call);
}
Reply<model::AuthorizeSecurityGroupEgressOutput> AuthorizeSecurityGroupEgress(const model::AuthorizeSecurityGroupEgressInput& in, const Call& call) {
  return authorize<model::AuthorizeSecurityGroupEgressOutput>(in, TRY(get<model::SecurityGroup>(call, in.group_id)), true, call);
}
Reply<model::RevokeSecurityGroupIngressOutput> RevokeSecurityGroupIngress(const model::RevokeSecurityGroupIngressInput& in, const Call& call) {
  return revoke<model::RevokeSecurityGroupIngressOutput>(in, TRY(find_group(call, in.group_id, in.group_name)), false, call);
}
Reply<model::RevokeSecurityGroupEgressOutput> RevokeSecurityGroupEgress(const model::RevokeSecurityGroupEgressInput& in, const Call& call) {
  return revoke<model::RevokeSecurityGroupEgressOutput>(in, TRY(get<model::SecurityGroup>(call, in.group_id)), true, call);
}

}  // namespace reef::service::ec2::operations
