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

// systemd-resolved goes on asking whoever answered while Atoll was away; nothing where it is not used. To be called when
// Atoll is back: as root it is told to begin with the first again, and others are told what to do, in the words given back.
std::string resume_resolver(const std::string& resolv_conf = "/etc/resolv.conf");

// What systemd-resolved is told: our server in the place of those that were configured, and then those that it knew (the
// text of its resolv.conf), should Atoll not run.
std::string resolved_drop_in(const DnsServer& server, const std::string& known, bool made_folder);

// Whether such a text leads to systemd-resolved.
bool names_resolved(const std::string& resolv_conf);

// Our servers first, then everything that was there: should Atoll not run, the next one answers.
std::string resolv_conf_with(const std::string& address, const std::string& before);

}  // namespace reef::cli
