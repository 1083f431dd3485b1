// Outlier detection: an endpoint that fails too often within an interval is left out for a while, longer each time. A machine without a clock.
// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_OutlierDetection.html
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "engine/edge/mesh/plan.h"

namespace reef::edge::mesh {

class Outliers {
 public:
  void set_policy(const OutlierPolicy& policy) { policy_ = policy; }
  // The outcome of one request: `failed` is a 5xx, or a connection that broke. `known` is how many endpoints there are.
  // Whether this left the endpoint out.
  bool note(const std::string& endpoint, bool failed, std::size_t known, Time now);
  bool is_ejected(const std::string& endpoint, Time now) const;
  std::size_t ejected(Time now) const;
  // How often something was left out, since the beginning.
  std::uint64_t ejections() const { return ejections_; }
  void forget(const std::string& endpoint) { states_.erase(endpoint); }
  bool is_quiet() const { return policy_.errors_max == 0 || states_.empty(); }

 private:
  struct State {
    int consecutive = 0;
    Time interval_began{};
    Time ejected_until{};
    int times = 0;
  };
  OutlierPolicy policy_;
  std::map<std::string, State, std::less<>> states_;
  std::uint64_t ejections_ = 0;
};

}  // namespace reef::edge::mesh
