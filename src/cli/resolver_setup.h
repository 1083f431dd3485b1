// Points this machine's resolver at Atoll's DNS server, and undoes exactly that.
#pragma once

#include <string>

#include "base/result.h"

namespace reef::cli {

struct DnsServer {
  std::string address;  // numeric
  int port = 53;
};

// What was done, in words for people. `resolv_conf` is /etc/resolv.conf but in tests.
Result<std::string, Failure> install_resolver(const DnsServer& server, const std::string& resolv_conf);
Result<std::string, Failure> remove_resolver(const std::string& resolv_conf);
bool resolver_installed(const std::string& resolv_conf);

// Our servers first, then everything that was there: should Atoll not run, the next one answers.
std::string resolv_conf_with(const std::string& address, const std::string& before);

}  // namespace reef::cli
