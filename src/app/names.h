// The DNS server of a running system: one listener per loop, all on one port.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/storage.h"
#include "engine/edge/host_names.h"
#include "engine/naming/health_checks.h"
#include "engine/naming/server.h"
#include "engine/naming/upstream.h"
#include "engine/naming/zones.h"
#include "engine/sandbox/outbound.h"
#include "http/message.h"

namespace reef::app {

class Names {
 public:
  Names(Storage& storage, naming::Zones& zones, naming::HealthChecks& health_checks, edge::HostNames& host_names)
      : storage_(storage), zones_(zones), health_checks_(health_checks), host_names_(host_names) {}
  ~Names() { host_names_.set_watcher(nullptr); }
  // Port 4553 or one of the next when the configuration leaves it open.
  Result<void, Failure> listen(const Config& config);
  int port() const { return port_; }
  // What sandboxes are answered, on the control loop: names of zones and balancers, addresses as they are reached from
  // inside; nothing for names that are not known here.
  // `network`: the VPC whose private zones are seen; kHostView: all.
  std::optional<std::string> answer_sandbox(std::string_view query, std::string_view network = naming::kHostView);
  // GET /_atoll/dns
  Task<http::Response> describe() const;

  // This machine's loopback addresses are a sandbox's own inside it. So 127.64.0.3 is 240.64.0.3 there: a range that no
  // network uses, which the outbound policy turns back.
  static sandbox::OutboundPolicy with_loopback_range(sandbox::OutboundPolicy policy);

 private:
  void take_host_names();
  // The resolvers of what no zone here knows, anew now and then: machines move between networks.
  void follow_resolvers();
  Result<int, Failure> choose_port(const Config& config) const;

  Storage& storage_;
  naming::Zones& zones_;
  naming::HealthChecks& health_checks_;
  edge::HostNames& host_names_;
  struct Taken {
    std::string address;
    std::shared_ptr<naming::HealthCell> health = std::make_shared<naming::HealthCell>();
  };
  std::map<std::string, Taken> taken_;  // what the zones know of them
  std::atomic<bool> stale_{false};
  std::string address_, resolv_conf_;
  int port_ = 0;
  std::vector<std::string> upstream_names_;
  std::vector<std::unique_ptr<naming::Upstream>> upstreams_;
  std::unique_ptr<naming::Resolver> resolver_;  // of the control loop, for health checks
  std::vector<std::unique_ptr<naming::Server>> servers_;
};

}  // namespace reef::app
