#include "service/ec2/rules.h"

#include <algorithm>

#include "base/text.h"
#include "engine/network/cidr.h"

namespace reef::service::ec2 {
namespace {

// Protocols go by name where they have one.
std::string protocol_name(std::string_view given) {
  const std::string text = to_lower(given);
  if (text == "6") return "tcp";
  if (text == "17") return "udp";
  if (text == "1") return "icmp";
  if (text == "58") return "icmpv6";
  if (text == "all") return "-1";
  return text;
}

Reply<model::SecurityGroupRule> frame_of(const model::SecurityGroup& group, bool egress, const model::IpPermission& permission) {
  model::SecurityGroupRule rule;
  rule.group_id = group.group_id;
  rule.group_owner_id = group.owner_id;
  rule.is_egress = egress;
  if (!permission.ip_protocol) return Err(aws::Error("MissingParameter", "The request must contain the parameter ipProtocol", 400));
  const std::string protocol = protocol_name(*permission.ip_protocol);
  rule.ip_protocol = protocol;
  if (protocol == "tcp" || protocol == "udp") {
    if (!permission.from_port || !permission.to_port)
      return Err(invalid_value(fmt::format("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")));
    if (*permission.from_port < 0 || *permission.to_port > 65535 || *permission.from_port > *permission.to_port)
      return Err(invalid_value(fmt::format("Invalid value '{}-{}' for portRange. Must be between 0 and 65535, from not above to.", *permission.from_port, *permission.to_port)));
    rule.from_port = permission.from_port;
    rule.to_port = permission.to_port;
  } else if (protocol == "icmp" || protocol == "icmpv6") {
    rule.from_port = permission.from_port.value_or(-1);
    rule.to_port = permission.to_port.value_or(-1);
  } else if (protocol == "-1" || (parse_int<int>(protocol) && *parse_int<int>(protocol) >= 0 && *parse_int<int>(protocol) <= 255)) {
    rule.from_port = -1;
    rule.to_port = -1;
  } else {
    return Err(invalid_value(fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", *permission.ip_protocol)));
  }
  return rule;
}

bool has_ports(std::string_view protocol) { return protocol == "tcp" || protocol == "udp" || protocol == "icmp" || protocol == "icmpv6"; }

}  // namespace

Reply<model::SecurityGroup> find_group(const Call& call, const std::optional<std::string>& id, const std::optional<std::string>& name) {
  if (id && !id->empty()) return get<model::SecurityGroup>(call, *id);
  if (!name) return Err(aws::Error("MissingParameter", "The request must contain the parameter groupName or groupId", 400));
  const auto vpc = default_vpc(call);
  for (auto& group : all<model::SecurityGroup>(call))
    if (vpc && group.vpc_id == vpc->vpc_id && group.group_name == *name) return std::move(group);
  return Err(aws::Error("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist in default VPC '{}'", *name, vpc ? *vpc->vpc_id : "none"), 400));
}

Reply<std::vector<model::SecurityGroupRule>> rules_from(const Call& call, const model::SecurityGroup& group, bool egress,
                                                        const std::vector<model::IpPermission>& permissions) {
  std::vector<model::SecurityGroupRule> out;
  for (const model::IpPermission& permission : permissions) {
    const model::SecurityGroupRule frame = TRY(frame_of(group, egress, permission));
    for (const auto& range : permission.ip_ranges.value_or(std::vector<model::IpRange>{})) {
      const auto cidr = parse_cidr(range.cidr_ip.value_or(""));
      if (!cidr) return Err(invalid_value(fmt::format("CIDR block {} is malformed", range.cidr_ip.value_or(""))));
      model::SecurityGroupRule rule = frame;
      rule.cidr_ipv4 = cidr->text();
      rule.description = range.description;
      out.push_back(std::move(rule));
    }
    for (const auto& range : permission.ipv6_ranges.value_or(std::vector<model::Ipv6Range>{})) {
      model::SecurityGroupRule rule = frame;
      rule.cidr_ipv6 = range.cidr_ipv6;
      rule.description = range.description;
      if (range.cidr_ipv6.value_or("").find(':') == std::string::npos) return Err(invalid_value(fmt::format("CIDR block {} is malformed", range.cidr_ipv6.value_or(""))));
      out.push_back(std::move(rule));
    }
    for (const auto& pair : permission.user_id_group_pairs.value_or(std::vector<model::UserIdGroupPair>{})) {
      const auto other = TRY(find_group(call, pair.group_id, pair.group_name));
      model::SecurityGroupRule rule = frame;
      rule.referenced_group_info.emplace();
      rule.referenced_group_info->group_id = other.group_id;
      rule.referenced_group_info->user_id = other.owner_id;
      rule.description = pair.description;
      out.push_back(std::move(rule));
    }
    for (const auto& list : permission.prefix_list_ids.value_or(std::vector<model::PrefixListId>{})) {
      model::SecurityGroupRule rule = frame;
      rule.prefix_list_id = list.prefix_list_id;
      rule.description = list.description;
      out.push_back(std::move(rule));
    }
  }
  if (out.empty()) return Err(aws::Error("InvalidRequest", "The request received was invalid.", 400));
  return out;
}

std::vector<model::IpPermission> permissions_of(const std::vector<model::SecurityGroupRule>& rules, std::string_view group, bool egress) {
  std::vector<model::IpPermission> out;
  for (const auto& rule : rules) {
    if (rule.group_id != group || rule.is_egress.value_or(false) != egress) continue;
    const auto from = has_ports(*rule.ip_protocol) ? rule.from_port : std::nullopt, to = has_ports(*rule.ip_protocol) ? rule.to_port : std::nullopt;
    auto found = std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.ip_protocol == rule.ip_protocol && one.from_port == from && one.to_port == to; });
    if (found == out.end()) {
      model::IpPermission permission;
      permission.ip_protocol = rule.ip_protocol;
      permission.from_port = from;
      permission.to_port = to;
      permission.ip_ranges.emplace();
      permission.ipv6_ranges.emplace();
      permission.user_id_group_pairs.emplace();
      permission.prefix_list_ids.emplace();
      out.push_back(std::move(permission));
      found = out.end() - 1;
    }
    if (rule.cidr_ipv4) found->ip_ranges->push_back({.description = rule.description, .cidr_ip = rule.cidr_ipv4});
    if (rule.cidr_ipv6) found->ipv6_ranges->push_back({.description = rule.description, .cidr_ipv6 = rule.cidr_ipv6});
    if (rule.prefix_list_id) found->prefix_list_ids->push_back({.description = rule.description, .prefix_list_id = rule.prefix_list_id});
    if (rule.referenced_group_info) {
      model::UserIdGroupPair pair;
      pair.description = rule.description;
      pair.user_id = rule.referenced_group_info->user_id;
      pair.group_id = rule.referenced_group_info->group_id;
      found->user_id_group_pairs->push_back(std::move(pair));
    }
  }
  return out;
}

bool same_rule(const model::SecurityGroupRule& a, const model::SecurityGroupRule& b) {
  const auto peer = [](const model::SecurityGroupRule& rule) { return rule.referenced_group_info ? rule.referenced_group_info->group_id : std::nullopt; };
  return a.group_id == b.group_id && a.is_egress == b.is_egress && a.ip_protocol == b.ip_protocol && a.from_port == b.from_port && a.to_port == b.to_port &&
         a.cidr_ipv4 == b.cidr_ipv4 && a.cidr_ipv6 == b.cidr_ipv6 && a.prefix_list_id == b.prefix_list_id && peer(a) == peer(b);
}

}  // namespace reef::service::ec2
