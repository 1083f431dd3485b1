// Named, bounded pools of threads for work that blocks: name look-ups, process starts, hashing of large files,
// unpacking. Results come back by posting to a reactor.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/task.h"
#include "io/reactor.h"

namespace reef::io {

// Posts to a reactor that may be gone by now, as the process ends; what nobody waits for any more is dropped. Any thread.
void post_if_living(Reactor& reactor, Work work);

class Pool {
 public:
  // Threads start with the first work, and up to `threads_max` of them.
  Pool(std::string name, std::size_t threads_max, std::size_t queued_max = 1024);
  ~Pool();  // finishes what was queued

  // False when the queue is full: the caller answers with a throttling error.
  bool submit(Work work);

  // Runs `make()` on the pool and gives its value on the calling reactor; nothing when the queue was full. What it refers to
  // has to outlive it, even when the process ends while it runs.
  template <class F>
  auto run(F make) -> Task<std::optional<decltype(make())>> {
    using T = decltype(make());
    struct Order {
      F make;
      std::optional<T> value;
    };
    // Kept by whoever is last: the one that waits may be gone before the work is done.
    const auto order = std::make_shared<Order>(std::move(make), std::nullopt);
    struct Wait {
      Pool& pool;
      Reactor& home;
      const std::shared_ptr<Order>& order;
      bool await_ready() const { return false; }
      bool await_suspend(std::coroutine_handle<> waiter) {
        return pool.submit([order = order, &home = home, waiter] {
          order->value.emplace(order->make());
          post_if_living(home, [waiter] { waiter.resume(); });
        });
      }
      void await_resume() const {}
    };
    co_await Wait{*this, Reactor::current(), order};
    co_return std::move(order->value);
  }

 private:
  void work();
  std::string name_;
  std::size_t threads_max_, queued_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Work> queue_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reef::io
