#include "service/ec2/access_lists.h"

#include <algorithm>

namespace reef::service::ec2 {
namespace {

constexpr int kLastRule = 32767;  // "*": what no other fits is denied

model::NetworkAclEntry entry(int number, bool egress, std::string action) {
  model::NetworkAclEntry out;
  out.rule_number = number;
  out.egress = egress;
  out.protocol = "-1";
  out.rule_action = std::move(action);
  out.cidr_block = "0.0.0.0/0";
  return out;
}

}  // namespace

model::NetworkAcl make_access_list(const Call& call, const std::string& vpc, bool is_default) {
  model::NetworkAcl list;
  list.network_acl_id = new_id("acl");
  list.vpc_id = vpc;
  list.owner_id = call.account;
  list.is_default = is_default;
  list.tags = std::vector<model::Tag>{};
  list.associations.emplace();
  list.entries.emplace();
  for (const bool egress : {true, false}) {
    if (is_default) list.entries->push_back(entry(100, egress, "allow"));
    list.entries->push_back(entry(kLastRule, egress, "deny"));
  }
  put(call, list);
  return list;
}

std::string associate(const Call& call, const std::string& subnet, const std::string& id) {
  dissociate(call, subnet);
  auto list = find<model::NetworkAcl>(call, id);
  if (!list) return {};
  model::NetworkAclAssociation one{.network_acl_association_id = new_id("aclassoc"), .network_acl_id = id, .subnet_id = subnet};
  list->associations->push_back(one);
  put(call, *list);
  return *one.network_acl_association_id;
}

void associate_by_default(const Call& call, const std::string& vpc, const std::string& subnet) {
  for (const auto& list : access_lists_of(call, vpc))
    if (list.is_default.value_or(false)) associate(call, subnet, *list.network_acl_id);
}

void dissociate(const Call& call, std::string_view subnet) {
  for (auto& list : all<model::NetworkAcl>(call))
    if (std::erase_if(*list.associations, [&](const auto& one) { return one.subnet_id == subnet; }) > 0) put(call, list);
}

std::vector<model::NetworkAcl> access_lists_of(const Call& call, std::string_view vpc) {
  auto out = all<model::NetworkAcl>(call);
  std::erase_if(out, [&](const auto& one) { return one.vpc_id != vpc; });
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.is_default.value_or(false) > b.is_default.value_or(false); });
  return out;
}

}  // namespace reef::service::ec2
