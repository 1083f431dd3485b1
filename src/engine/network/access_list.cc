#include "engine/network/access_list.h"

#include <algorithm>

namespace reef::network {

AccessList::AccessList(std::vector<AccessEntry> entries) {
  std::sort(entries.begin(), entries.end(), [](const AccessEntry& a, const AccessEntry& b) { return a.number < b.number; });
  for (const AccessEntry& entry : entries) (entry.egress ? egress_ : ingress_).push_back(entry);
}

bool AccessList::allows(bool egress, int protocol, std::uint16_t port, std::uint32_t peer) const {
  for (const AccessEntry& entry : egress ? egress_ : ingress_) {
    if (entry.protocol != kAnyProtocol && entry.protocol != protocol) continue;
    const bool has_ports = entry.protocol == kTcp || entry.protocol == kUdp;
    if (has_ports && (port < entry.from_port || port > entry.to_port)) continue;
    if (entry.range.contains(peer)) return entry.allow;
  }
  return false;
}

}  // namespace reef::network
