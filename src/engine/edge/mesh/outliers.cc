#include "engine/edge/mesh/outliers.h"

#include <algorithm>

namespace reef::edge::mesh {
namespace {

constexpr Duration kEjectionMax = 300s;

}  // namespace

bool Outliers::note(const std::string& endpoint, bool failed, std::size_t known, Time now) {
  if (policy_.errors_max == 0) return false;
  // Most endpoints never fail: nothing is kept of those.
  auto found = states_.find(endpoint);
  if (found == states_.end()) {
    if (!failed) return false;
    found = states_.emplace(endpoint, State{}).first;
    found->second.interval_began = now;
  }
  State& state = found->second;
  if (!failed) {
    state.consecutive = 0;
    // Long after its last ejection an endpoint begins anew.
    if (state.ejected_until + kEjectionMax < now) states_.erase(found);
    return false;
  }
  if (now >= state.interval_began + policy_.interval) {
    state.interval_began = now;
    state.consecutive = 0;
  }
  if (state.ejected_until > now) return false;
  if (++state.consecutive < policy_.errors_max) return false;
  state.consecutive = 0;
  // At least one may always be left out when any may, as long as it is not the only one.
  const std::size_t most = std::max<std::size_t>(known * static_cast<std::size_t>(policy_.ejected_percent_max) / 100, policy_.ejected_percent_max > 0 && known > 1 ? 1 : 0);
  if (ejected(now) >= most) return false;
  ++state.times;
  state.ejected_until = now + std::min(policy_.base_ejection * state.times, std::max(kEjectionMax, policy_.base_ejection));
  ++ejections_;
  return true;
}

bool Outliers::is_ejected(const std::string& endpoint, Time now) const {
  if (policy_.errors_max == 0) return false;
  const auto found = states_.find(endpoint);
  return found != states_.end() && found->second.ejected_until > now;
}

std::size_t Outliers::ejected(Time now) const {
  return static_cast<std::size_t>(std::count_if(states_.begin(), states_.end(), [&](const auto& one) { return one.second.ejected_until > now; }));
}

}  // namespace reef::edge::mesh
