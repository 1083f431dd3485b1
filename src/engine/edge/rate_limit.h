// So many requests a second on the average, and so many at once: what API Gateway calls rate and burst. One number, so
// that every loop may ask at the same time without a lock (the generic cell rate algorithm).
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace reef::edge {

class RateLimit {
 public:
  // Whether one more request may pass now, which counts it.
  bool take(Time now, double per_second, double burst);

 private:
  std::atomic<std::int64_t> full_at_{0};  // microseconds: when as much as was taken will have been given back
};

}  // namespace reef::edge
