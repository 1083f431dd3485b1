#include "engine/events/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace reef::events {

std::string address_bytes(std::string_view text) {
  // Most values are no addresses: seen without a copy.
  if (text.size() < 2 || text.size() > 45) return {};
  const bool has_colon = text.find(':') != std::string_view::npos;
  if (!has_colon && std::count(text.begin(), text.end(), '.') != 3) return {};
  const std::string copy(text);
  char bytes[16];
  if (inet_pton(has_colon ? AF_INET6 : AF_INET, copy.c_str(), bytes) != 1) return {};
  return std::string(bytes, has_colon ? 16 : 4);
}

}  // namespace reef::events
