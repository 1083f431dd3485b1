// State that several threads share: reachable only through its lock. Rare by design (shards own their state);
// each use is a line in docs/locks.md.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace reef {

template <class T>
class Guarded {
 public:
  template <class F>
  auto read(F visit) const {
    const std::shared_lock lock(mutex_);
    return visit(static_cast<const T&>(value_));
  }
  template <class F>
  auto write(F visit) {
    const std::unique_lock lock(mutex_);
    return visit(value_);
  }

 private:
  mutable std::shared_mutex mutex_;
  T value_;
};

}  // namespace reef
