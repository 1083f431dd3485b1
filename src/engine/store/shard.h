// A shard is one thread and the state it owns. Engines put each queue, table partition or function on one shard
// and touch it only there; nothing below is shared between threads unless it says so.
//
// Within one tick of the loop a shard gathers what its engines wrote, commits it once, and only then lets the
// waiting coroutines go on: `co_await shard.committed()` before acknowledging anything.
#pragma once

#include <coroutine>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/task.h"
#include "base/time.h"
#include "io/reactor.h"

namespace reef::store {

class Journal;
class Records;

// Something that makes its writes durable once a tick.
class Committer {
 public:
  virtual ~Committer() = default;
  // Everything written since the last call is durable when this returns. Aborts the process on failure: nothing
  // may be acknowledged that is not stored.
  virtual void commit() = 0;
};

enum class Durability {
  kProcess,  // survives kill -9 of the process
  kPower,    // survives loss of power: fdatasync per batch
};

class Shard {
 public:
  Shard(std::size_t index, io::Reactor& reactor);
  ~Shard();

  static Shard& current();              // the shard of this thread
  static Shard& control();              // shard 0: owns everything that is configuration
  static Shard& at(std::size_t index);
  static std::size_t count();
  // The shard that owns `key`, the same on every thread and after every restart of the same data folder.
  static Shard& owner_of(std::string_view key);

  std::size_t index() const { return index_; }
  io::Reactor& reactor() { return reactor_; }
  Time now() const { return reactor_.now(); }
  Random& random() { return thread_random(); }
  Journal& journal() { return *journal_; }
  // Small durable records held in memory; see records.h. Those of configuration live on the control shard.
  Records& records() { return *records_; }

  // Marks `committer` as having something to commit at the end of this tick.
  void dirty(Committer& committer);

  // Resumes, on this shard, once everything written before the call is durable. Ready at once when nothing is
  // pending. Await it on the shard itself.
  struct Committed {
    Shard& shard;
    bool await_ready() const { return shard.dirty_.empty(); }
    void await_suspend(std::coroutine_handle<> waiter) { shard.waiting_commit_.push_back(waiter); }
    void await_resume() const {}
  };
  Committed committed() { return {*this}; }

  // `co_await shard.enter()`: goes on, on this shard's thread. Ready at once when already there.
  struct Enter {
    Shard& shard;
    bool await_ready() const { return &shard == current_or_null(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      shard.reactor_.post([waiter] { waiter.resume(); });
    }
    void await_resume() const {}
  };
  Enter enter() { return {*this}; }

  // Wiring, done by app before the loops run.
  static Shard* current_or_null();
  void adopt_thread();  // makes this the calling thread's shard
  void attach(std::unique_ptr<Journal> journal, std::unique_ptr<Records> records);
  void commit();        // end of tick

 private:
  std::size_t index_;
  io::Reactor& reactor_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Records> records_;
  std::vector<Committer*> dirty_;
  std::vector<std::coroutine_handle<>> waiting_commit_;
};

// Runs `make_task()` on `shard` and comes back to the calling shard with its value.
//   const Sent sent = co_await on(Shard::owner_of(queue), [&] { return machine.send(...); });
template <class F>
auto on(Shard& shard, F make_task) -> decltype(make_task()) {
  Shard& home = Shard::current();
  co_await shard.enter();
  using T = decltype(make_task().await_resume());
  if constexpr (std::is_void_v<T>) {
    co_await make_task();
    co_await home.enter();
  } else {
    T value = co_await make_task();
    co_await home.enter();
    co_return value;
  }
}

}  // namespace reef::store
