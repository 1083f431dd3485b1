// The one coroutine type: it carries a call through gateway and service.
//
// A Task starts running when it is called and stays on the thread that resumes it. Awaiting takes its value;
// dropping an unfinished Task is a bug (use `detach`). Frames come from a per-thread pool.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"

namespace reef {

namespace detail {

void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

struct PromiseBase {
  std::coroutine_handle<> continuation;
  bool detached = false;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  std::suspend_never initial_suspend() noexcept { return {}; }
  // An exception that leaves a task is a bug of ours or out of memory: neither can be carried on from.
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) noexcept {
      PromiseBase& promise = handle.promise();
      if (promise.continuation) return promise.continuation;
      if (promise.detached) handle.destroy();
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
};

template <class T>
struct Promise;

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (!handle_) return;
    CHECK(handle_.done());
    handle_.destroy();
  }

  bool done() const { return handle_.done(); }

  // Lets the task run to its end on its own; its value is dropped.
  void detach() && {
    Handle handle = std::exchange(handle_, nullptr);
    if (handle.done())
      handle.destroy();
    else
      handle.promise().detached = true;
  }

  // The value of a finished task.
  T take() && { return std::move(handle_.promise()).take(); }

  bool await_ready() const noexcept { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> continuation) noexcept { handle_.promise().continuation = continuation; }
  T await_resume() { return std::move(handle_.promise()).take(); }

 private:
  Handle handle_;
};

namespace detail {

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() { return Task<T>(std::coroutine_handle<Promise>::from_promise(*this)); }
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  void return_value(T&& result) { value.emplace(std::move(result)); }
  T take() && { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() { return Task<void>(std::coroutine_handle<Promise>::from_promise(*this)); }
  void return_void() {}
  void take() && {}
};

}  // namespace detail

// A one-shot value that arrives later, on the same thread: `co_await` it once; `set` it once.
// The setter resumes the waiter inside `set`. Address-stable while awaited.
template <class T>
class Later {
 public:
  Later() = default;
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;

  void set(T value) {
    if (value_) return;
    value_.emplace(std::move(value));
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }
  bool ready() const { return value_.has_value(); }

  bool await_ready() const noexcept { return value_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  T await_resume() { return *std::move(value_); }

 private:
  std::optional<T> value_;
  std::coroutine_handle<> waiter_;
};

}  // namespace reef
