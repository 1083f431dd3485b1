// How a destination of the mesh does, shared by the loops that send to it: whose turn it is, who is left out, who has a place in its
// pool. Any thread; what every request passes takes no lock unless the destination limits its connections or something failed.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "base/guarded.h"
#include "base/task.h"
#include "engine/edge/mesh/outliers.h"
#include "engine/edge/mesh/pool.h"
#include "io/reactor.h"

namespace reef::edge::mesh {

class NodeState {
 public:
  void set_policies(const OutlierPolicy& outliers, const PoolPolicy& pool) {
    outliers_.write([&](Outliers& now) {
      now.set_policy(outliers);
      is_quiet_.store(now.is_quiet(), std::memory_order_relaxed);
    });
    pool_.write([&](Places& now) { now.pool.set_policy(pool); });
    is_limited_.store(!(pool == PoolPolicy{}), std::memory_order_relaxed);
  }

  std::size_t next_turn() { return cursor_.fetch_add(1, std::memory_order_relaxed); }

  // --- outliers ---
  bool is_quiet() const { return is_quiet_.load(std::memory_order_relaxed); }
  void note(const std::string& endpoint, bool failed, std::size_t known, Time now) {
    if (!failed && is_quiet()) return;
    outliers_.write([&](Outliers& all) {
      all.note(endpoint, failed, known, now);
      is_quiet_.store(all.is_quiet(), std::memory_order_relaxed);
    });
  }
  bool is_ejected(const std::string& endpoint, Time now) const {
    return !is_quiet() && outliers_.read([&](const Outliers& all) { return all.is_ejected(endpoint, now); });
  }
  void forget(const std::string& endpoint) {
    outliers_.write([&](Outliers& all) {
      all.forget(endpoint);
      is_quiet_.store(all.is_quiet(), std::memory_order_relaxed);
    });
  }
  std::uint64_t ejections() const {
    return outliers_.read([](const Outliers& all) { return all.ejections(); });
  }

  // --- the pool ---
  // A place that was taken, as leave() is to be given it; kNone when there was none.
  enum class Place { kNone, kFree, kCounted };
  // On the loop of `reactor`, which goes on there.
  Task<Place> enter(io::Reactor& reactor) {
    if (!is_limited_.load(std::memory_order_relaxed)) {
      free_.fetch_add(1, std::memory_order_relaxed);
      co_return Place::kFree;
    }
    Waiting here{&reactor, {}};
    switch (pool_.write([&](Places& now) {
      const Admission admission = now.pool.enter();
      if (admission == Admission::kWaits) now.waiting.push_back(&here);
      return admission;
    })) {
      case Admission::kNow: co_return Place::kCounted;
      case Admission::kRefused: co_return Place::kNone;
      case Admission::kWaits: break;
    }
    co_await here.turn;
    co_return Place::kCounted;
  }
  void leave(Place place) {
    if (place == Place::kFree) free_.fetch_sub(1, std::memory_order_relaxed);
    if (place != Place::kCounted) return;
    Waiting* const next = pool_.write([](Places& now) -> Waiting* {
      if (!now.pool.leave() || now.waiting.empty()) return nullptr;
      Waiting* const first = now.waiting.front();
      now.waiting.pop_front();
      return first;
    });
    if (next) next->reactor->post([next] { next->turn.set(true); });
  }
  std::uint32_t in_use() const {
    return free_.load(std::memory_order_relaxed) + pool_.read([](const Places& now) { return now.pool.in_use(); });
  }
  std::uint32_t pending() const {
    return pool_.read([](const Places& now) { return now.pool.pending(); });
  }
  std::uint64_t refused() const {
    return pool_.read([](const Places& now) { return now.pool.refused(); });
  }

 private:
  struct Waiting {
    io::Reactor* reactor;
    Later<bool> turn;
  };
  struct Places {
    Pool pool;
    std::deque<Waiting*> waiting;
  };
  std::atomic<std::size_t> cursor_{0};
  std::atomic<bool> is_quiet_{true}, is_limited_{false};
  std::atomic<std::uint32_t> free_{0};
  Guarded<Outliers> outliers_;
  Guarded<Places> pool_;
};

}  // namespace reef::edge::mesh
