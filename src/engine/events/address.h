// IP addresses as the bytes that patterns compare.
#pragma once

#include <string>
#include <string_view>

namespace reef::events {

// 4 or 16 bytes in network order; empty for what is no address.
std::string address_bytes(std::string_view text);

}  // namespace reef::events
