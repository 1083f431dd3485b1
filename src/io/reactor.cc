#include "io/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <set>

#include "base/check.h"
#include "base/guarded.h"
#include "io/pool.h"

namespace reef::io {
namespace {
thread_local Reactor* current_reactor = nullptr;
constexpr int kEventsPerTick = 256;

std::int64_t clock_micros(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return t.tv_sec * 1'000'000 + t.tv_nsec / 1000;
}
// Never destroyed: helper threads may ask while the process ends.
Guarded<std::set<Reactor*>>& living() {
  static auto& all = *new Guarded<std::set<Reactor*>>;
  return all;
}
}  // namespace

std::int64_t monotonic_micros() { return clock_micros(CLOCK_MONOTONIC); }

Time SystemClock::now() const {
  if (frozen_.load(std::memory_order_relaxed)) return from_micros(frozen_at_micros_.load());
  return from_micros(clock_micros(CLOCK_REALTIME) + offset_micros_.load(std::memory_order_relaxed));
}
void SystemClock::freeze() {
  if (frozen_.load()) return;
  frozen_at_micros_.store(to_micros(now()));
  frozen_.store(true);
}
void SystemClock::advance(Duration by) {
  if (frozen_.load()) frozen_at_micros_.fetch_add(by.count());
  else offset_micros_.fetch_add(by.count());
}
void SystemClock::resume() {
  if (!frozen_.load()) return;
  offset_micros_.store(frozen_at_micros_.load() - clock_micros(CLOCK_REALTIME));
  frozen_.store(false);
}

Reactor::Reactor(SystemClock& clock) : clock_(clock) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  CHECK(epoll_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
  living().write([this](std::set<Reactor*>& all) { all.insert(this); });
}

void post_if_living(Reactor& reactor, Work work) {
  living().read([&](const std::set<Reactor*>& all) {
    if (all.contains(&reactor)) reactor.post(std::move(work));
  });
}

Reactor::~Reactor() {
  living().write([this](std::set<Reactor*>& all) { all.erase(this); });
  if (current_reactor == this) current_reactor = nullptr;
  ::close(wake_fd_);
  ::close(epoll_);
}

Reactor& Reactor::current() {
  CHECK(current_reactor != nullptr);
  return *current_reactor;
}
Reactor* Reactor::current_or_null() { return current_reactor; }

void Reactor::run() {
  current_reactor = this;
  while (!stopping_.load(std::memory_order_acquire)) run_once(3600s);
  current_reactor = nullptr;
}

void Reactor::run_once(Duration wait) {
  Reactor* const outer = current_reactor;
  current_reactor = this;
  std::array<epoll_event, kEventsPerTick> events;
  int timeout = wait_millis(wait);
  sleeping_.store(true, std::memory_order_seq_cst);
  {
    const std::lock_guard lock(posted_mutex_);
    if (!posted_.empty() || stopping_.load()) timeout = 0;
  }
  const int count = ::epoll_wait(epoll_, events.data(), kEventsPerTick, timeout);
  sleeping_.store(false, std::memory_order_relaxed);
  gone_.clear();
  for (int i = 0; i < count; ++i) {
    auto* handler = static_cast<FdHandler*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (!handler) {
      std::uint64_t ignored;
      [[maybe_unused]] const auto n = ::read(wake_fd_, &ignored, sizeof ignored);
      continue;
    }
    if (!gone_.empty() && std::find(gone_.begin(), gone_.end(), handler) != gone_.end()) continue;
    handler->on_ready(events[static_cast<std::size_t>(i)].events);
  }
  run_posted();
  if (!real_timers_.empty()) fire(real_timers_, monotonic_micros());
  if (!user_timers_.empty()) fire(user_timers_, to_micros(now()));
  run_hooks();
  current_reactor = outer;
}

void Reactor::run_hooks() {
  busy_ = false;
  for (std::size_t i = 0; i < hooks_.size(); ++i) hooks_[i]();
}

void Reactor::at_tick_end(std::function<void()> hook) { hooks_.push_back(std::move(hook)); }

int Reactor::wait_millis(Duration wait) const {
  if (busy_) return 0;
  std::int64_t micros = wait.count();
  if (!real_timers_.empty()) micros = std::min(micros, real_timers_.begin()->first - monotonic_micros());
  if (!user_timers_.empty() && !clock_.frozen())
    micros = std::min(micros, user_timers_.begin()->first - to_micros(now()));
  if (!user_timers_.empty() && user_timers_.begin()->first <= to_micros(now())) micros = 0;
  if (micros <= 0) return 0;
  return static_cast<int>(std::min<std::int64_t>((micros + 999) / 1000, std::numeric_limits<int>::max()));
}

void Reactor::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

void Reactor::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_fd_, &one, sizeof one);
}

void Reactor::post(Work work) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(work));
  }
  if (sleeping_.load(std::memory_order_seq_cst)) wake();
}

void Reactor::run_posted() {
  std::vector<Work> batch;
  {
    const std::lock_guard lock(posted_mutex_);
    batch.swap(posted_);
  }
  for (Work& work : batch) work();
  if (batch.capacity() > 0 && batch.capacity() <= 1024) {
    batch.clear();
    const std::lock_guard lock(posted_mutex_);
    if (posted_.empty()) posted_.swap(batch);  // keeps the capacity
  }
}

Reactor::TimerId Reactor::add_timer(Timers& timers, std::int64_t key, Work work, bool user_time) {
  const TimerId id = next_timer_++;
  const auto at = timers.emplace(key, Timer{id, std::move(work)});
  timer_index_.emplace(id, std::pair(user_time, at));
  return id;
}

Reactor::TimerId Reactor::at(Time when, Work work) {
  return add_timer(user_timers_, to_micros(when), std::move(work), true);
}
Reactor::TimerId Reactor::after(Duration delay, Work work) {
  return add_timer(real_timers_, monotonic_micros() + delay.count(), std::move(work), false);
}

void Reactor::cancel(TimerId id) {
  const auto found = timer_index_.find(id);
  if (found == timer_index_.end()) return;
  (found->second.first ? user_timers_ : real_timers_).erase(found->second.second);
  timer_index_.erase(found);
}

void Reactor::clock_moved() { post([] {}); }

void Reactor::fire(Timers& timers, std::int64_t now) {
  // Timers added while firing wait for the next tick, so that a timer that re-arms itself cannot starve the loop.
  const TimerId newest = next_timer_;
  while (!timers.empty() && timers.begin()->first <= now) {
    auto first = timers.begin();
    if (first->second.id >= newest) break;
    Work work = std::move(first->second.work);
    timer_index_.erase(first->second.id);
    timers.erase(first);
    work();
  }
}

void Reactor::watch(int fd, std::uint32_t events, FdHandler* handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = handler;
  CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
}
void Reactor::rewatch(int fd, std::uint32_t events, FdHandler* handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = handler;
  CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
}
void Reactor::unwatch(int fd, FdHandler* handler) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  gone_.push_back(handler);
}

}  // namespace reef::io
