#include "engine/edge/rate_limit.h"

#include <algorithm>

namespace reef::edge {

bool RateLimit::take(Time now, double per_second, double burst) {
  if (!(per_second > 0) || !(burst >= 1)) return false;
  const std::int64_t at = now.time_since_epoch().count();
  const double each = 1'000'000 / per_second;
  std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    double owed = static_cast<double>(std::max(full_at, at) - at);
    if (owed > each * burst + 0.5) owed = 0;   // more than could ever be taken: the clock went back
    const double next = owed + each;
    if (next > each * burst + 0.5) return false;
    if (full_at_.compare_exchange_weak(full_at, at + static_cast<std::int64_t>(next), std::memory_order_relaxed)) return true;
  }
}

}  // namespace reef::edge
