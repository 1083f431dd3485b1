// One thread's event loop: sockets, timers, work posted from other threads. Everything that waits, waits here.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace reef::io {

using Work = std::move_only_function<void()>;

// Told when its descriptor is ready. `events` are EPOLLIN, EPOLLOUT, EPOLLHUP, ... of epoll(7).
class FdHandler {
 public:
  virtual ~FdHandler() = default;
  virtual void on_ready(std::uint32_t events) = 0;
};

// The system's clock as users steer it with `atoll clock`. Thread-safe. I/O deadlines do not follow it.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  void freeze();
  void advance(Duration by);
  void resume();  // back to real time (an advance is kept as an offset)
  bool frozen() const { return frozen_.load(); }

 private:
  std::atomic<std::int64_t> offset_micros_{0};
  std::atomic<std::int64_t> frozen_at_micros_{0};
  std::atomic<bool> frozen_{false};
};

class Reactor {
 public:
  using TimerId = std::uint64_t;  // 0 is never a timer

  explicit Reactor(SystemClock& clock);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // The loop that runs on this thread.
  static Reactor& current();
  static Reactor* current_or_null();

  // Runs until stop(). Call on the thread that is to own the loop.
  void run();
  // One pass: waits at most `wait` for an event, handles what is ready. For tests and start-up.
  void run_once(Duration wait);
  // Thread-safe.
  void stop();
  // Thread-safe: runs `work` on the loop's thread, in order. From the loop's own thread: at the next tick.
  void post(Work work);

  // The user's time. For everything that AWS semantics time: leases, TTLs, schedules, retries.
  Time now() const { return clock_.now(); }
  SystemClock& clock() { return clock_; }
  // Runs once when the user's clock reaches `when`.
  TimerId at(Time when, Work work);
  // Runs once after `delay` of real time. For I/O deadlines and back-off of our own.
  TimerId after(Duration delay, Work work);
  void cancel(TimerId id);
  // Thread-safe: looks at the `at` timers again because the user moved the clock.
  void clock_moved();

  // Level-triggered by default; add EPOLLET to `events` for edge-triggered. The handler must outlive the watch.
  void watch(int fd, std::uint32_t events, FdHandler* handler);
  void rewatch(int fd, std::uint32_t events, FdHandler* handler);
  void unwatch(int fd, FdHandler* handler);

  // Runs after each tick's events and before the loop waits again; the store commits here. Returns nothing;
  // hooks run in the order they were added.
  void at_tick_end(std::function<void()> hook);
  // Makes the next wait return at once; for hooks that left work to do.
  void do_not_wait() { busy_ = true; }

  // co_await reactor.sleep(5ms), in real time.
  struct Sleep {
    Reactor& reactor;
    Duration delay;
    bool await_ready() const { return delay.count() <= 0; }
    void await_suspend(std::coroutine_handle<> waiter) const {
      reactor.after(delay, [waiter] { waiter.resume(); });
    }
    void await_resume() const {}
  };
  Sleep sleep(Duration delay) { return {*this, delay}; }

 private:
  struct Timer {
    TimerId id;
    Work work;
  };
  using Timers = std::multimap<std::int64_t, Timer>;
  TimerId add_timer(Timers& timers, std::int64_t key, Work work, bool user_time);
  void fire(Timers& timers, std::int64_t now);
  int wait_millis(Duration wait) const;
  void run_posted();
  void run_hooks();
  void wake();

  SystemClock& clock_;
  int epoll_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> sleeping_{false};
  bool busy_ = false;
  Timers user_timers_, real_timers_;
  std::unordered_map<TimerId, std::pair<bool, Timers::iterator>> timer_index_;
  TimerId next_timer_ = 1;
  std::vector<std::function<void()>> hooks_;
  std::vector<FdHandler*> gone_;  // unwatched during this tick: their events are stale
  std::mutex posted_mutex_;
  std::vector<Work> posted_;
};

// Monotonic real time in microseconds.
std::int64_t monotonic_micros();

}  // namespace reef::io
