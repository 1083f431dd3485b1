#include "engine/network/rules.h"

#include <algorithm>

#include "base/text.h"

namespace reef::network {

std::optional<int> parse_protocol(std::string_view given) {
  const std::string text = to_lower(given);
  if (text == "tcp") return kTcp;
  if (text == "udp") return kUdp;
  if (text == "icmp") return kIcmp;
  if (text == "icmpv6") return 58;
  if (text == "all" || text == "-1") return kAnyProtocol;
  const auto number = parse_int<int>(text);
  return number && *number >= 0 && *number <= 255 ? number : std::nullopt;
}

void RuleTable::Admitted::add(const Rule& rule) {
  for (const Cidr& range : rule.ranges) ranges.emplace_back(range.address, range.last());
  if (rule.group) groups.push_back(*rule.group);
}

void RuleTable::Admitted::finish() {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  std::sort(ranges.begin(), ranges.end());
  std::vector<std::pair<std::uint32_t, std::uint32_t>> merged;
  for (const auto& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().second) merged.back().second = std::max(merged.back().second, range.second);
    else merged.push_back(range);
  }
  ranges = std::move(merged);
}

bool RuleTable::Admitted::has(const Peer& peer) const {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), peer.address, [](std::uint32_t address, const auto& range) { return address < range.first; });
  if (after != ranges.begin() && peer.address <= std::prev(after)->second) return true;
  return peer.groups && std::any_of(peer.groups->begin(), peer.groups->end(), [&](GroupNumber one) { return std::binary_search(groups.begin(), groups.end(), one); });
}

void RuleTable::Ports::compile(const std::vector<Rule>& rules, int protocol) {
  const auto concerns = [&](const Rule& rule) { return rule.protocol == protocol || rule.protocol == kAnyProtocol; };
  const auto first = [](const Rule& rule) -> std::uint32_t { return rule.protocol == kAnyProtocol ? 0 : rule.from_port; };
  const auto last = [](const Rule& rule) -> std::uint32_t { return rule.protocol == kAnyProtocol ? 65535 : rule.to_port; };
  starts = {0};
  for (const Rule& rule : rules)
    if (concerns(rule)) starts.push_back(first(rule)), starts.push_back(last(rule) + 1);
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  pieces.assign(starts.size(), {});
  for (const Rule& rule : rules) {
    if (!concerns(rule)) continue;
    auto at = static_cast<std::size_t>(std::lower_bound(starts.begin(), starts.end(), first(rule)) - starts.begin());
    for (; at < starts.size() && starts[at] <= last(rule); ++at) pieces[at].add(rule);
  }
  for (Admitted& piece : pieces) piece.finish();
}

bool RuleTable::Ports::admits(std::uint16_t port, const Peer& peer) const {
  if (starts.empty()) return false;
  return pieces[static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), port) - starts.begin()) - 1].has(peer);
}

RuleTable::RuleTable(const std::vector<Rule>& rules) {
  tcp_.compile(rules, kTcp);
  udp_.compile(rules, kUdp);
  for (const Rule& rule : rules) {
    if (rule.protocol == kTcp || rule.protocol == kUdp) continue;
    auto found = std::find_if(others_.begin(), others_.end(), [&](const auto& one) { return one.first == rule.protocol; });
    if (found == others_.end()) found = others_.insert(others_.end(), {rule.protocol, {}});
    found->second.add(rule);
  }
  for (auto& [protocol, admitted] : others_) admitted.finish();
}

bool RuleTable::admits(int protocol, std::uint16_t port, const Peer& peer) const {
  if (protocol == kTcp) return tcp_.admits(port, peer);
  if (protocol == kUdp) return udp_.admits(port, peer);
  return std::any_of(others_.begin(), others_.end(), [&](const auto& one) { return (one.first == protocol || one.first == kAnyProtocol) && one.second.has(peer); });
}

}  // namespace reef::network
