// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAcl.html, API_CreateNetworkAclEntry.html and
// their kin
#include "service/ec2/access_lists.h"
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {
namespace {

constexpr int kRuleNumberMax = 32766;

// The entry that a request describes; both Create and Replace have the same members.
template <class In>
Reply<model::NetworkAclEntry> entry_from(const In& in) {
  if (in.rule_number < 1 || in.rule_number > kRuleNumberMax)
    return Err(invalid_value(fmt::format("Value ({}) for parameter ruleNumber is invalid. The rule number must be between 1 and {}.", in.rule_number, kRuleNumberMax)));
  if (in.ipv6_cidr_block) return Err(aws::Error("UnsupportedOperation", "Network ACL entries for IPv6 are not supported by this version of Atoll.", 400));
  if (!in.cidr_block) return Err(aws::Error("MissingParameter", "The request must contain the parameter cidrBlock or ipv6CidrBlock", 400));
  const auto block = parse_cidr(*in.cidr_block);
  if (!block) return Err(invalid_value(fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", *in.cidr_block)));
  const auto protocol = network::parse_protocol(in.protocol);
  if (!protocol) return Err(invalid_value(fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", in.protocol)));
  if (in.rule_action != "allow" && in.rule_action != "deny")
    return Err(invalid_value(fmt::format("Value ({}) for parameter ruleAction is invalid. Valid values: allow, deny.", in.rule_action)));
  model::NetworkAclEntry entry;
  entry.rule_number = in.rule_number;
  entry.egress = in.egress;
  entry.protocol = std::to_string(*protocol);
  entry.rule_action = in.rule_action;
  entry.cidr_block = block->text();
  if (*protocol == network::kTcp || *protocol == network::kUdp) {
    if (!in.port_range || !in.port_range->from || !in.port_range->to) return Err(aws::Error("MissingParameter", "The request must contain the parameter PortRange.From", 400));
    const int from = *in.port_range->from, to = *in.port_range->to;
    if (from < 0 || to > 65535 || from > to) return Err(invalid_value(fmt::format("Invalid value '{}-{}' for portRange. Must be between 0 and 65535.", from, to)));
    entry.port_range = in.port_range;
  }
  if (*protocol == network::kIcmp) {
    if (!in.icmp_type_code) return Err(aws::Error("MissingParameter", "The request must contain the parameter icmpTypeCode", 400));
    entry.icmp_type_code = in.icmp_type_code;
  }
  return entry;
}

auto find_entry(model::NetworkAcl& list, int number, bool egress) {
  return std::find_if(list.entries->begin(), list.entries->end(), [&](const auto& one) { return one.rule_number == number && one.egress == egress; });
}

aws::Error no_entry(int number, std::string_view list) {
  return aws::Error("InvalidNetworkAclEntry.NotFound", fmt::format("The network acl entry identified by '{}' does not exist in '{}'", number, list), 400);
}

}  // namespace

Reply<model::CreateNetworkAclOutput> CreateNetworkAcl(const model::CreateNetworkAclInput& in, const Call& call) {
  TRY(get<model::Vpc>(call, in.vpc_id));
  const Tags tags = TRY(tags_for(in.tag_specifications, "network-acl"));
  auto list = make_access_list(call, in.vpc_id, false);
  list.tags = tags;
  put(call, list);
  return model::CreateNetworkAclOutput{.network_acl = std::move(list), .client_token = in.client_token};
}

Reply<model::DeleteNetworkAclOutput> DeleteNetworkAcl(const model::DeleteNetworkAclInput& in, const Call& call) {
  const auto list = TRY(get<model::NetworkAcl>(call, in.network_acl_id));
  if (list.is_default.value_or(false)) return Err(invalid_value(fmt::format("cannot delete default network ACL {}", in.network_acl_id)));
  if (!list.associations->empty()) return Err(in_use("networkAcl", in.network_acl_id));
  erase<model::NetworkAcl>(call, in.network_acl_id);
  return model::DeleteNetworkAclOutput{};
}

Reply<model::DescribeNetworkAclsOutput> DescribeNetworkAcls(const model::DescribeNetworkAclsInput& in, const Call& call) {
  model::DescribeNetworkAclsOutput out;
  out.network_acls = TRY(choose<model::NetworkAcl>(call, in, in.network_acl_ids, [](const model::NetworkAcl& one, std::string_view name) -> std::optional<Values> {
    if (name == "network-acl-id") return one_value(one.network_acl_id);
    if (name == "vpc-id") return one_value(one.vpc_id);
    if (name == "default") return one_value(one.is_default);
    if (name == "owner-id") return one_value(one.owner_id);
    Values values;
    if (name.starts_with("association.")) {
      if (one.associations)
        for (const auto& each : *one.associations) {
          const auto& value = name == "association.association-id" ? each.network_acl_association_id : name == "association.subnet-id" ? each.subnet_id : each.network_acl_id;
          values.push_back(value.value_or(""));
        }
      return values;
    }
    if (!name.starts_with("entry.")) return std::nullopt;
    if (one.entries)
      for (const auto& each : *one.entries) {
        if (name == "entry.cidr") values.push_back(each.cidr_block.value_or(""));
        else if (name == "entry.egress") values.emplace_back(each.egress.value_or(false) ? "true" : "false");
        else if (name == "entry.protocol") values.push_back(each.protocol.value_or(""));
        else if (name == "entry.rule-action") values.push_back(each.rule_action.value_or(""));
        else if (name == "entry.rule-number") values.push_back(std::to_string(each.rule_number.value_or(0)));
        else if (name == "entry.port-range.from" && each.port_range) values.push_back(std::to_string(each.port_range->from.value_or(0)));
        else if (name == "entry.port-range.to" && each.port_range) values.push_back(std::to_string(each.port_range->to.value_or(0)));
      }
    return values;
  }, out.next_token));
  return out;
}

Reply<model::CreateNetworkAclEntryOutput> CreateNetworkAclEntry(const model::CreateNetworkAclEntryInput& in, const Call& call) {
  auto list = TRY(get<model::NetworkAcl>(call, in.network_acl_id));
  auto entry = TRY(entry_from(in));
  if (find_entry(list, in.rule_number, in.egress) != list.entries->end())
    return Err(aws::Error("NetworkAclEntryAlreadyExists", fmt::format("The network acl entry identified by {} already exists.", in.rule_number), 400));
  list.entries->push_back(std::move(entry));
  std::sort(list.entries->begin(), list.entries->end(), [](const auto& a, const auto& b) { return std::pair(!*a.egress, *a.rule_number) < std::pair(!*b.egress, *b.rule_number); });
  put(call, list);
  return model::CreateNetworkAclEntryOutput{};
}

Reply<model::ReplaceNetworkAclEntryOutput> ReplaceNetworkAclEntry(const model::ReplaceNetworkAclEntryInput& in, const Call& call) {
  auto list = TRY(get<model::NetworkAcl>(call, in.network_acl_id));
  auto entry = TRY(entry_from(in));
  const auto found = find_entry(list, in.rule_number, in.egress);
  if (found == list.entries->end()) return Err(no_entry(in.rule_number, in.network_acl_id));
  *found = std::move(entry);
  put(call, list);
  return model::ReplaceNetworkAclEntryOutput{};
}

Reply<model::DeleteNetworkAclEntryOutput> DeleteNetworkAclEntry(const model::DeleteNetworkAclEntryInput& in, const Call& call) {
  auto list = TRY(get<model::NetworkAcl>(call, in.network_acl_id));
  const auto found = in.rule_number > kRuleNumberMax ? list.entries->end() : find_entry(list, in.rule_number, in.egress);
  if (found == list.entries->end()) return Err(no_entry(in.rule_number, in.network_acl_id));
  list.entries->erase(found);
  put(call, list);
  return model::DeleteNetworkAclEntryOutput{};
}

Reply<model::ReplaceNetworkAclAssociationOutput> ReplaceNetworkAclAssociation(const model::ReplaceNetworkAclAssociationInput& in, const Call& call) {
  const auto list = TRY(get<model::NetworkAcl>(call, in.network_acl_id));
  for (auto& other : all<model::NetworkAcl>(call))
    for (const auto& one : *other.associations) {
      if (one.network_acl_association_id != in.association_id) continue;
      if (other.vpc_id != list.vpc_id)
        return Err(invalid_value(fmt::format("network ACL {} and subnet {} belong to different networks", in.network_acl_id, *one.subnet_id)));
      return model::ReplaceNetworkAclAssociationOutput{.new_association_id = associate(call, *one.subnet_id, in.network_acl_id)};
    }
  return Err(aws::Error("InvalidAssociationID.NotFound", fmt::format("The association ID '{}' does not exist", in.association_id), 400));
}

}  // namespace reef::service::ec2::operations
