#include "service/ec2/cidr.h"

#include <fmt/format.h>

#include "base/text.h"

namespace reef::service::ec2 {

std::string Cidr::text() const {
  return fmt::format("{}.{}.{}.{}/{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255, prefix);
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto prefix = parse_int<int>(text.substr(slash + 1));
  const auto parts = split(text.substr(0, slash), '.');
  if (!prefix || *prefix < 0 || *prefix > 32 || parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const std::string_view part : parts) {
    const auto number = parse_int<int>(part);
    if (!number || *number < 0 || *number > 255 || part.size() > 3) return std::nullopt;
    address = address << 8 | static_cast<std::uint32_t>(*number);
  }
  const std::uint32_t mask = *prefix == 0 ? 0 : ~0u << (32 - *prefix);
  return Cidr{address & mask, *prefix};
}

}  // namespace reef::service::ec2
