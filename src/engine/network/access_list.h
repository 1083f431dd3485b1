// Network access lists: numbered entries, the first that fits decides, and each direction for itself. Pure.
// https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
#pragma once

#include <cstdint>
#include <vector>

#include "engine/network/rules.h"

namespace reef::network {

struct AccessEntry {
  int number = 0;
  bool egress = false, allow = false;
  int protocol = kAnyProtocol;
  std::uint16_t from_port = 0, to_port = 65535;
  Cidr range;
};

class AccessList {
 public:
  AccessList() = default;
  explicit AccessList(std::vector<AccessEntry> entries);
  // A packet of `protocol` to `port`, between the subnet and `peer`. What no entry fits is denied.
  bool allows(bool egress, int protocol, std::uint16_t port, std::uint32_t peer) const;

 private:
  std::vector<AccessEntry> ingress_, egress_;  // in order of number
};

}  // namespace reef::network
