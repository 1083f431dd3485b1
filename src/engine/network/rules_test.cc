#include "engine/network/rules.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace reef::network {
namespace {

Cidr block(std::string_view text) { return *parse_cidr(text); }
std::uint32_t address(std::string_view text) { return *parse_address(text); }
Rule rule(int protocol, int from, int to, std::string_view range) {
  return {.protocol = protocol, .from_port = static_cast<std::uint16_t>(from), .to_port = static_cast<std::uint16_t>(to), .ranges = {block(range)}, .group = {}};
}

TEST(Rules, AdmitPortsAndBlocks) {
  const RuleTable table({rule(kTcp, 80, 90, "10.0.0.0/16"), rule(kTcp, 85, 443, "10.1.0.0/16")});
  const Peer near{.address = address("10.0.3.4")}, far{.address = address("10.1.0.1")}, other{.address = address("10.2.0.0")};
  EXPECT_TRUE(table.admits(kTcp, 80, near));
  EXPECT_TRUE(table.admits(kTcp, 90, near));
  EXPECT_FALSE(table.admits(kTcp, 79, near));
  EXPECT_FALSE(table.admits(kTcp, 91, near));
  EXPECT_FALSE(table.admits(kTcp, 84, far));
  EXPECT_TRUE(table.admits(kTcp, 443, far));
  EXPECT_FALSE(table.admits(kTcp, 444, far));
  EXPECT_FALSE(table.admits(kUdp, 80, near));
  EXPECT_FALSE(table.admits(kTcp, 80, other));
}

TEST(Rules, AllProtocolsMeansAllPorts) {
  const RuleTable table({rule(kAnyProtocol, 0, 0, "0.0.0.0/0")});
  const Peer anyone{.address = address("255.255.255.255")};
  for (const int port : {0, 1, 65535}) EXPECT_TRUE(table.admits(kTcp, static_cast<std::uint16_t>(port), anyone));
  EXPECT_TRUE(table.admits(kUdp, 53, anyone));
  EXPECT_TRUE(table.admits(kIcmp, 0, anyone));
  EXPECT_FALSE(RuleTable(std::vector<Rule>()).admits(kTcp, 80, anyone));
  EXPECT_FALSE(RuleTable().admits(kTcp, 80, anyone));
}

TEST(Rules, AdmitTheMembersOfAGroup) {
  Rule of_group{.protocol = kTcp, .from_port = 0, .to_port = 65535, .ranges = {}, .group = 7};
  const RuleTable table({of_group});
  const std::vector<GroupNumber> member{3, 7}, stranger{3, 8};
  EXPECT_TRUE(table.admits(kTcp, 1, {.address = 0, .groups = &member}));
  EXPECT_FALSE(table.admits(kTcp, 1, {.address = 0, .groups = &stranger}));
  EXPECT_FALSE(table.admits(kTcp, 1, {.address = 0}));
}

// What the pieces say is what the rules say one by one.
TEST(Rules, AgreeWithTheirMeaning) {
  SeededRandom random(42);
  for (int round = 0; round < 200; ++round) {
    std::vector<Rule> rules;
    for (std::uint64_t i = random.next() % 12; i > 0; --i) {
      const auto from = static_cast<std::uint16_t>(random.next() % 20), to = static_cast<std::uint16_t>(from + random.next() % 10);
      const int prefix = static_cast<int>(24 + random.next() % 9);
      const std::uint32_t mask = ~0u << (32 - prefix);
      rules.push_back({.protocol = random.next() % 4 ? kTcp : kAnyProtocol, .from_port = from, .to_port = to, .ranges = {Cidr{0x0A000000u | (static_cast<std::uint32_t>(random.next() % 256) & mask), prefix}}, .group = {}});
    }
    const RuleTable table(rules);
    for (int i = 0; i < 200; ++i) {
      const auto port = static_cast<std::uint16_t>(random.next() % 32);
      const Peer peer{.address = 0x0A000000u | static_cast<std::uint32_t>(random.next() % 256)};
      const bool expected = std::any_of(rules.begin(), rules.end(), [&](const Rule& one) {
        return (one.protocol == kAnyProtocol || (port >= one.from_port && port <= one.to_port)) && one.ranges[0].contains(peer.address);
      });
      ASSERT_EQ(table.admits(kTcp, port, peer), expected);
    }
  }
}

TEST(Rules, NamesOfProtocols) {
  EXPECT_EQ(parse_protocol("TCP"), kTcp);
  EXPECT_EQ(parse_protocol("17"), kUdp);
  EXPECT_EQ(parse_protocol("-1"), kAnyProtocol);
  EXPECT_EQ(parse_protocol("256"), std::nullopt);
  EXPECT_EQ(parse_protocol("chocolate"), std::nullopt);
}

}  // namespace
}  // namespace reef::network
