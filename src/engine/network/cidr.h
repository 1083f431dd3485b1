// IPv4 address blocks, as VPCs, subnets, routes and rules name them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reef::network {

struct Cidr {
  std::uint32_t address = 0;  // host byte order; the bits after the prefix are zero
  int prefix = 0;

  std::uint32_t last() const { return address | (prefix == 0 ? ~0u : prefix == 32 ? 0u : (1u << (32 - prefix)) - 1); }
  bool contains(const Cidr& other) const { return address <= other.address && other.last() <= last(); }
  bool overlaps(const Cidr& other) const { return address <= other.last() && other.address <= last(); }
  bool contains(std::uint32_t one) const { return address <= one && one <= last(); }
  std::string text() const;
  bool operator==(const Cidr&) const = default;
};

// "10.0.0.1/16" becomes 10.0.0.0/16: AWS brings blocks to their canonical form. Nothing when it is no block.
std::optional<Cidr> parse_cidr(std::string_view text);
// "10.0.0.1"
std::optional<std::uint32_t> parse_address(std::string_view text);
std::string address_text(std::uint32_t address);

}  // namespace reef::network
