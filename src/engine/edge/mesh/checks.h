// Active health checks of a node's endpoints, as Envoy does them for App Mesh: an endpoint takes requests after its first good answer,
// is left out after so many bad ones in a row, and comes back after so many good ones. On the control shard, by the user's clock.
// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HealthCheckPolicy.html
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "engine/edge/balancer/health.h"
#include "engine/edge/balancer/target.h"
#include "engine/edge/dialer.h"
#include "io/reactor.h"

namespace reef::edge::mesh {

class Checks {
 public:
  // `on_change` is called when the health of some endpoint has changed.
  Checks(io::Reactor& reactor, const Dialer& dialer, std::function<void()> on_change) : reactor_(reactor), dialer_(dialer), on_change_(std::move(on_change)) {}
  ~Checks();
  // Those to check from now on, and how. Whoever was checked before keeps its state unless the settings are new.
  void apply(const HealthSettings& settings, const std::vector<std::shared_ptr<Target>>& targets);
  bool is_healthy(const std::shared_ptr<Target>& target) const;

 private:
  struct One {
    std::shared_ptr<Target> target;
    TargetHealth health;
    io::Reactor::TimerId timer = 0;
    bool checking = false, is_gone = false;
  };
  void schedule(const std::shared_ptr<One>& one);
  static Task<void> check(Checks* checks, std::weak_ptr<bool> alive, std::shared_ptr<One> one);

  io::Reactor& reactor_;
  const Dialer& dialer_;
  std::function<void()> on_change_;
  HealthSettings settings_;
  std::map<const Target*, std::shared_ptr<One>> all_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reef::edge::mesh
