#include "engine/network/networks.h"

#include <algorithm>

namespace reef::network {

Networks::Networks() { view_.store(std::make_shared<const View>()); }

void Networks::put_rule(const std::string& id, RuleSpec rule) {
  erase_rule(id);
  stale_groups_.insert(rule.group);
  rules_of_[rule.group].insert(id);
  rules_[id] = std::move(rule);
}

void Networks::erase_rule(const std::string& id) {
  const auto found = rules_.find(id);
  if (found == rules_.end()) return;
  const std::string group = found->second.group;
  stale_groups_.insert(group);
  const auto of = rules_of_.find(group);
  of->second.erase(id);
  if (of->second.empty()) rules_of_.erase(of);
  rules_.erase(found);
}

void Networks::put_prefix_list(const std::string& id, std::vector<Cidr> entries) {
  prefix_lists_[id] = std::move(entries);
  for (const auto& [key, rule] : rules_)
    if (rule.prefix_list == id) stale_groups_.insert(rule.group);
}
void Networks::erase_prefix_list(const std::string& id) {
  put_prefix_list(id, {});
  prefix_lists_.erase(id);
}

void Networks::put_access_list(AccessListSpec list) {
  access_lists_[list.id] = std::move(list);
  changed_ = lists_changed_ = true;
}
void Networks::erase_access_list(std::string_view id) {
  if (const auto found = access_lists_.find(id); found != access_lists_.end()) access_lists_.erase(found);
  changed_ = lists_changed_ = true;
}

void Networks::put_interface(InterfaceSpec interface) {
  erase_interface(interface.id);
  addresses_[interface.address] = interface.id;
  interfaces_[interface.id] = std::move(interface);
  changed_ = true;
}
void Networks::erase_interface(std::string_view id) {
  const auto found = interfaces_.find(id);
  if (found == interfaces_.end()) return;
  if (const auto at = addresses_.find(found->second.address); at != addresses_.end() && at->second == id) addresses_.erase(at);
  made_.erase(found->first);
  interfaces_.erase(found);
  changed_ = true;
}
void Networks::set_owner(const std::string& interface, std::string owner, std::vector<std::string> names) {
  if (owner.empty()) owners_.erase(interface);
  else owners_[interface] = {std::move(owner), std::move(names)};
  made_.erase(interface);
  changed_ = true;
}
std::vector<std::string> Networks::interfaces_of(std::string_view owner) const {
  std::vector<std::string> out;
  for (const auto& [id, one] : owners_)
    if (one.name == owner) out.push_back(id);
  return out;
}
const InterfaceSpec* Networks::interface(std::string_view id) const {
  const auto found = interfaces_.find(id);
  return found == interfaces_.end() ? nullptr : &found->second;
}

void Networks::set_front(std::uint32_t address, std::string owner) {
  if (owner.empty()) fronts_.erase(address);
  else fronts_[address] = std::move(owner);
  changed_ = true;
}
void Networks::set_caller(const std::string& caller, std::string owner) {
  const auto found = callers_.find(caller);
  if (found == callers_.end() ? owner.empty() : found->second == owner) return;
  if (owner.empty()) callers_.erase(found);
  else callers_[caller] = std::move(owner);
  changed_ = true;
}

void Networks::add_partition(Partition partition) {
  partitions_.push_back(std::move(partition));
  changed_ = true;
}
bool Networks::remove_partition(const Partition& wanted) {
  const auto gone = std::erase_if(partitions_, [&](const Partition& one) { return (one.a == wanted.a && one.b == wanted.b) || (one.a == wanted.b && one.b == wanted.a); });
  changed_ = changed_ || gone > 0;
  return gone > 0;
}

void Networks::clear() {
  rules_.clear(), rules_of_.clear(), prefix_lists_.clear(), access_lists_.clear(), interfaces_.clear(), owners_.clear(), addresses_.clear();
  fronts_.clear(), callers_.clear(), partitions_.clear(), numbers_.clear(), compiled_.clear(), stale_groups_.clear(), next_.clear(), made_.clear(), by_subnet_.clear(), avoided_.clear();
  changed_ = true;
  publish();
}

GroupNumber Networks::number_of(const std::string& group) {
  const auto [at, is_new] = numbers_.try_emplace(group, static_cast<GroupNumber>(compiled_.size()));
  if (is_new) compiled_.emplace_back();
  return at->second;
}

void Networks::compile(const std::string& group) {
  const GroupNumber number = number_of(group);
  const auto found = rules_of_.find(group);
  std::vector<Rule> ingress, egress;
  if (found != rules_of_.end())
    for (const std::string& id : found->second) {
      const RuleSpec& spec = rules_.at(id);
      Rule rule{.protocol = spec.protocol, .from_port = spec.from_port, .to_port = spec.to_port, .ranges = {}, .group = {}};
      if (spec.range) rule.ranges.push_back(*spec.range);
      if (!spec.peer_group.empty()) rule.group = number_of(spec.peer_group);
      if (const auto list = prefix_lists_.find(spec.prefix_list); list != prefix_lists_.end()) rule.ranges = list->second;
      (spec.egress ? egress : ingress).push_back(std::move(rule));
    }
  compiled_[number] = std::make_shared<const SecurityGroup>(SecurityGroup{RuleTable(ingress), RuleTable(egress)});
}

InterfacePtr Networks::make(const std::string& id, const InterfaceSpec& spec) {
  auto out = std::make_shared<Interface>(Interface{spec, {}, {}, {}});
  for (const std::string& group : spec.groups) out->numbers.push_back(number_of(group));
  std::sort(out->numbers.begin(), out->numbers.end());
  if (const auto access = by_subnet_.find(spec.subnet); access != by_subnet_.end()) std::tie(out->access_id, out->access) = access->second;
  if (const auto owner = owners_.find(id); owner != owners_.end()) std::tie(out->owner, out->names) = std::tie(owner->second.name, owner->second.names);
  return out;
}

void Networks::publish() {
  if (!changed_ && stale_groups_.empty()) return;
  for (const std::string& group : std::exchange(stale_groups_, {})) compile(group);
  auto view = std::make_shared<View>();
  std::map<std::string, std::pair<std::string, std::shared_ptr<const AccessList>>, std::less<>> by_subnet;
  for (const auto& [id, list] : access_lists_) {
    const auto made = std::make_shared<const AccessList>(list.entries);
    for (const std::string& subnet : list.subnets) by_subnet[subnet] = {id, made};
  }
  for (const auto& [id, spec] : interfaces_) {
    auto made = std::make_shared<Interface>(Interface{spec, {}, {}, {}});
    for (const std::string& group : spec.groups) made->numbers.push_back(number_of(group));
    std::sort(made->numbers.begin(), made->numbers.end());
    if (const auto access = by_subnet.find(spec.subnet); access != by_subnet.end()) std::tie(made->access_id, made->access) = access->second;
    view->by_address_[spec.address] = made;
    if (const auto owner = owners_.find(id); owner != owners_.end()) std::tie(made->owner, made->names) = std::tie(owner->second.name, owner->second.names);
    if (!made->owner.empty()) view->by_owner_[made->owner].push_back(made);
  }
  view->fronts_.insert(fronts_.begin(), fronts_.end());
  view->callers_.insert(callers_.begin(), callers_.end());
  view->groups_ = compiled_;
  view->partitions_ = partitions_;
  changed_ = false;
  view_.store(std::move(view));
  for (const auto& watcher : watchers_) watcher();
}

std::optional<std::uint32_t> Networks::free_address(const Cidr& block) {
  if (block.prefix > 28 || block.prefix < 8) return std::nullopt;
  const std::uint32_t first = block.address + 4, size = block.last() - first;
  // Round and round, so that an address that was just let go is not somebody else's at once.
  std::uint32_t& next = next_[block.address];
  for (const bool choosy : {true, false})
    for (std::uint32_t tried = 0; tried < size; ++tried) {
      const std::uint32_t address = first + next++ % size;
      if (!addresses_.contains(address) && !(choosy && avoided_.contains(address))) return address;
    }
  return std::nullopt;
}

}  // namespace reef::network
