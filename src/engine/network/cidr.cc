#include "engine/network/cidr.h"

#include <fmt/format.h>

#include "base/text.h"

namespace reef::network {

std::string Cidr::text() const {
  return fmt::format("{}/{}", address_text(address), prefix);
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto prefix = parse_int<int>(text.substr(slash + 1));
  const auto address = parse_address(text.substr(0, slash));
  if (!prefix || *prefix < 0 || *prefix > 32 || !address) return std::nullopt;
  const std::uint32_t mask = *prefix == 0 ? 0 : ~0u << (32 - *prefix);
  return Cidr{*address & mask, *prefix};
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const std::string_view part : parts) {
    const auto number = parse_int<int>(part);
    if (!number || *number < 0 || *number > 255 || part.size() > 3) return std::nullopt;
    address = address << 8 | static_cast<std::uint32_t>(*number);
  }
  return address;
}

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

}  // namespace reef::network
