// Sets up the network namespace that the calling process is in. Runs in a sandbox's first process, before the
// workload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace reef::sandbox {

struct NetworkFds {
  int tcp_listener = -1;  // connections that were redirected
  int dns_socket = -1;    // queries that were redirected
  std::vector<int> listeners;  // one per port asked for
};

// `host_port`: of the daemon, reachable inside as if it were local; 0: none.
// Brings up lo with `address`, routes everything to it, installs the redirect and makes the daemon's sockets.
Result<NetworkFds, Failure> set_up_network(const std::string& address, const std::vector<std::uint16_t>& ports,
                                           std::uint16_t host_port);

}  // namespace reef::sandbox
