#include "engine/network/view.h"

#include <algorithm>

#include <fmt/format.h>

namespace reef::network {
namespace {

const std::vector<InterfacePtr> kNone;

std::string name_of(const Party& party) {
  if (party.interface && !party.interface->names.empty()) return fmt::format("{} ({})", party.interface->names.front(), address_text(party.address));
  if (!party.interface && !party.names.empty()) return party.names.front();
  return address_text(party.address);
}

}  // namespace

bool is_called(const Party& party, std::string_view side) {
  const auto& names = party.interface ? party.interface->names : party.names;
  if (std::find(names.begin(), names.end(), side) != names.end()) return true;
  if (party.interface && party.interface->owner == side) return true;
  const auto block = parse_cidr(side);
  return block && block->contains(party.address);
}

bool Partition::separates(const Party& one, const Party& other) const {
  return (is_called(one, a) && is_called(other, b)) || (is_called(one, b) && is_called(other, a));
}

InterfacePtr View::at(std::uint32_t address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

const std::vector<InterfacePtr>& View::of(std::string_view owner) const {
  const auto found = by_owner_.find(owner);
  return found == by_owner_.end() ? kNone : found->second;
}

const std::vector<InterfacePtr>& View::behind(std::string_view caller) const {
  const auto found = callers_.find(caller);
  return found == callers_.end() ? kNone : of(found->second);
}

const std::string* View::front(std::uint32_t address) const {
  const auto found = fronts_.find(address);
  return found == fronts_.end() ? nullptr : &found->second;
}

std::size_t View::count_called(std::string_view side) const {
  return static_cast<std::size_t>(std::count_if(by_address_.begin(), by_address_.end(), [&](const auto& one) { return is_called({.address = one.first, .interface = one.second, .names = {}}, side); }));
}

std::vector<InterfacePtr> View::within(std::string_view resource) const {
  std::vector<InterfacePtr> out;
  for (const auto& [address, one] : by_address_)
    if (one->vpc == resource || one->subnet == resource || one->id == resource) out.push_back(one);
  return out;
}

InterfacePtr View::nearest(const std::vector<InterfacePtr>& interfaces, const InterfacePtr& peer) {
  if (interfaces.empty()) return nullptr;
  if (peer)
    for (const InterfacePtr& one : interfaces)
      if (one->subnet == peer->subnet) return one;
  return interfaces.front();
}

bool View::admits(const Interface& of, bool egress, const Flow& flow, const Party& peer) const {
  if (of.numbers.empty()) return true;
  // Rules that name a group mean those of the same network.
  const bool is_near = peer.interface && peer.interface->vpc == of.vpc;
  const Peer other{.address = peer.address, .groups = is_near ? &peer.interface->numbers : nullptr};
  return std::any_of(of.numbers.begin(), of.numbers.end(), [&](GroupNumber number) {
    const SecurityGroup* group = number < groups_.size() ? groups_[number].get() : nullptr;
    return group && (egress ? group->egress : group->ingress).admits(flow.protocol, flow.to_port, other);
  });
}

Verdict View::decide_open(const Flow& flow) const {
  for (const Partition& one : partitions_)
    if (one.separates(flow.from, flow.to)) return {.refusal = Refusal::kPartition};
  const InterfacePtr &from = flow.from.interface, &to = flow.to.interface;
  // Within a subnet access lists see nothing. Between subnets both directions pass: requests to the port, replies to
  // the client's port.
  if (from && to && from->subnet == to->subnet) return {};
  if (from && from->access &&
      (!from->access->allows(true, flow.protocol, flow.to_port, flow.to.address) || !from->access->allows(false, flow.protocol, flow.from_port, flow.to.address)))
    return {.refusal = Refusal::kAccessList, .is_of_sender = true};
  if (to && to->access &&
      (!to->access->allows(false, flow.protocol, flow.to_port, flow.from.address) || !to->access->allows(true, flow.protocol, flow.from_port, flow.from.address)))
    return {.refusal = Refusal::kAccessList};
  return {};
}

Flow View::as_now(Flow flow) const {
  for (Party* party : {&flow.from, &flow.to})
    if (party->interface)
      if (auto now = at(party->address); now && now->id == party->interface->id) party->interface = std::move(now);
  return flow;
}

Verdict View::decide(const Flow& flow) const {
  if (const Verdict verdict = decide_open(flow); !verdict.passes()) return verdict;
  const InterfacePtr &from = flow.from.interface, &to = flow.to.interface;
  if (to && !flow.to_front && (from ? from->vpc != to->vpc : flow.from.address == 0)) return {.refusal = Refusal::kNoRoute};
  if (flow.to_front && !from) return {};
  if (from && !admits(*from, true, flow, flow.to)) return {.refusal = Refusal::kEgress, .is_of_sender = true};
  if (to && !admits(*to, false, flow, flow.from)) return {.refusal = Refusal::kIngress};
  return {};
}

std::string View::explain(const Flow& flow, const Verdict& verdict) {
  const std::string what = fmt::format("{} to {} port {}", name_of(flow.from), name_of(flow.to), flow.to_port);
  const auto text_of = [](int protocol) { return protocol == kUdp ? "udp" : "tcp"; };
  const Party &own = verdict.is_of_sender ? flow.from : flow.to, &other = verdict.is_of_sender ? flow.to : flow.from;
  const std::string peer = other.interface && !other.interface->groups.empty() ? fmt::format("UserIdGroupPairs=[{{GroupId={}}}]", other.interface->groups.front())
                                                                               : fmt::format("IpRanges=[{{CidrIp={}/32}}]", address_text(other.address));
  switch (verdict.refusal) {
    case Refusal::kNone: return what + " passes";
    case Refusal::kPartition: return what + " is cut by a partition: atoll heal";
    case Refusal::kNoRoute: return what + ": the sender is not in its VPC; a function needs a VpcConfig";
    case Refusal::kEgress:
    case Refusal::kIngress:
      return fmt::format("{} is refused by security group {}: aws ec2 authorize-security-group-{} --group-id {} --ip-permissions 'IpProtocol={},FromPort={},ToPort={},{}'", what,
                         join(own.interface->groups, ", "), verdict.is_of_sender ? "egress" : "ingress", own.interface->groups.front(), text_of(flow.protocol), flow.to_port, flow.to_port, peer);
    case Refusal::kAccessList:
      return fmt::format("{} is denied by network ACL {} of {}: it must allow port {} one way and the client's port, of 1024 to 65535, the other way", what, own.interface->access_id,
                         own.interface->subnet, flow.to_port);
  }
  return what;
}

}  // namespace reef::network
