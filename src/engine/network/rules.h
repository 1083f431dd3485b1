// Security groups as data, and compiled for a quick verdict: per direction and protocol the ports are cut into pieces,
// and each piece knows the address ranges and the groups that it admits. Pure.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/network/cidr.h"

namespace reef::network {

inline constexpr int kTcp = 6, kUdp = 17, kIcmp = 1, kAnyProtocol = -1;
// "tcp", "6", "-1", "all"; nothing for what is no protocol.
std::optional<int> parse_protocol(std::string_view text);

using GroupNumber = std::uint32_t;  // stands for a group's id; see Networks

// One rule, with whatever it refers to already looked up.
struct Rule {
  int protocol = kAnyProtocol;
  std::uint16_t from_port = 0, to_port = 65535;  // with TCP and UDP
  std::vector<Cidr> ranges;                      // of a CIDR or of a prefix list
  std::optional<GroupNumber> group;
};

// The other side of a connection.
struct Peer {
  std::uint32_t address = 0;
  const std::vector<GroupNumber>* groups = nullptr;  // in order; none for what has no interface
};

class RuleTable {
 public:
  RuleTable() = default;
  explicit RuleTable(const std::vector<Rule>& rules);
  bool admits(int protocol, std::uint16_t port, const Peer& peer) const;

 private:
  struct Admitted {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;  // first and last, in order, apart from each other
    std::vector<GroupNumber> groups;                              // in order
    void add(const Rule& rule);
    void finish();
    bool has(const Peer& peer) const;
  };
  struct Ports {
    std::vector<std::uint32_t> starts;  // of the pieces
    std::vector<Admitted> pieces;
    void compile(const std::vector<Rule>& rules, int protocol);
    bool admits(std::uint16_t port, const Peer& peer) const;
  };
  Ports tcp_, udp_;
  std::vector<std::pair<int, Admitted>> others_;  // by protocol
};

struct SecurityGroup {
  RuleTable ingress, egress;
};

}  // namespace reef::network
