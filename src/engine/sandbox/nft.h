// The packet rules of a sandbox's own network namespace, as one nfnetlink batch: every TCP connection that
// leaves goes to the daemon's listener, DNS to the daemon's resolver, other UDP nowhere.
#pragma once

#include <cstdint>
#include <string>

namespace reef::sandbox {

struct RedirectRules {
  std::uint32_t own_address = 0;  // network byte order
  std::uint16_t tcp_port = 0;     // host byte order, on 127.0.0.1
  std::uint16_t dns_port = 0;
  std::uint16_t loopback_port = 0;  // connections to it on 127.0.0.0/8 are redirected too; 0: none
};

// Ready to be sent on a NETLINK_NETFILTER socket.
std::string redirect_batch(const RedirectRules& rules);

}  // namespace reef::sandbox
