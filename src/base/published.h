// What one thread replaces as a whole and others read: each has the value of its moment for as long as it holds it. In the
// place of std::atomic<std::shared_ptr>, whose load in libstdc++ 12 gives its lock back without a release, so that the next
// store races with it (ThreadSanitizer says so). Costs a lock for a copy; who reads often keeps what it has read.
#pragma once

#include <memory>
#include <utility>

#include "base/guarded.h"

namespace reef {

template <class T>
class Published {
 public:
  std::shared_ptr<const T> load() const {
    return value_.read([](const std::shared_ptr<const T>& now) { return now; });
  }
  void store(std::shared_ptr<const T> next) {
    // The one before ends outside of the lock.
    value_.write([&](std::shared_ptr<const T>& now) { now.swap(next); });
  }

 private:
  Guarded<std::shared_ptr<const T>> value_;
};

}  // namespace reef
