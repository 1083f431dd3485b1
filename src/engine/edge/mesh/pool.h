// Who may use a node's connections now, who waits, and who is turned away. A machine: only counts.
#pragma once

#include "engine/edge/mesh/plan.h"

namespace reef::edge::mesh {

enum class Admission { kNow, kWaits, kRefused };

class Pool {
 public:
  void set_policy(const PoolPolicy& policy) { policy_ = policy; }
  Admission enter() {
    if (in_use_ < policy_.in_use_max) {
      ++in_use_;
      return Admission::kNow;
    }
    if (pending_ >= policy_.pending_max) {
      ++refused_;
      return Admission::kRefused;
    }
    ++pending_;
    return Admission::kWaits;
  }
  // Whether one that waits may go now, in the place of the one that left.
  bool leave() {
    if (pending_ > 0 && in_use_ <= policy_.in_use_max) {
      --pending_;
      return true;
    }
    --in_use_;
    return false;
  }
  std::uint32_t in_use() const { return in_use_; }
  std::uint32_t pending() const { return pending_; }
  std::uint64_t refused() const { return refused_; }

 private:
  PoolPolicy policy_;
  std::uint32_t in_use_ = 0, pending_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace reef::edge::mesh
