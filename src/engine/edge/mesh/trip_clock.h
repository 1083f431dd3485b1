// The times of a request: of the whole trip, from the end of the request to the end of its reply, and of each try until the reply's
// head. As with Envoy, neither begins while the caller is still sending: a stream of messages may take as long as it likes.
// https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
#pragma once

#include <functional>
#include <utility>

#include "io/reactor.h"

namespace reef::edge::mesh {

class TripClock {
 public:
  struct Limits {
    Duration total{0}, per_try{0};   // 0: none
    Duration idle{0};                // without a byte in either direction; counts from the beginning
  };
  TripClock(io::Reactor& reactor, Limits limits) : reactor_(reactor), limits_(limits), last_(io::monotonic_micros()) {}
  ~TripClock() {
    reactor_.cancel(total_timer_);
    reactor_.cancel(try_timer_);
    reactor_.cancel(idle_timer_);
  }
  TripClock(const TripClock&) = delete;
  TripClock& operator=(const TripClock&) = delete;

  // `cut` ends what is under way when its time is over; it may be called once.
  void begin_try(std::function<void()> cut) {
    cut_ = std::move(cut);
    try_is_late_ = false;
    waits_for_head_ = true;
    if (request_ended_) start_try();
    const bool ends_before = request_ended_ && limits_.total.count() > 0 && limits_.total <= limits_.idle;
    if (idle_timer_ == 0 && limits_.idle.count() > 0 && !ends_before) watch_idle(limits_.idle);
  }
  void request_ended() {
    if (std::exchange(request_ended_, true)) return;
    if (limits_.total.count() > 0) total_timer_ = reactor_.after(limits_.total, [this] {
      total_timer_ = 0;
      is_late_ = true;
      end();
    });
    if (waits_for_head_) start_try();
  }
  void got_head() {
    waits_for_head_ = false;
    reactor_.cancel(std::exchange(try_timer_, 0));
  }
  // The try is over without a reply.
  void end_try() {
    got_head();
    cut_ = nullptr;
  }
  // Something passed.
  void touch() { last_ = io::monotonic_micros(); }
  bool is_late() const { return is_late_; }
  bool is_idle() const { return is_idle_; }   // and late by that
  bool try_is_late() const { return try_is_late_ || is_late_; }

 private:
  void start_try() {
    if (limits_.per_try.count() > 0) try_timer_ = reactor_.after(limits_.per_try, [this] {
      try_timer_ = 0;
      try_is_late_ = true;
      end();
    });
  }
  void watch_idle(Duration delay) {
    idle_timer_ = reactor_.after(delay, [this] {
      idle_timer_ = 0;
      const Duration quiet(io::monotonic_micros() - last_);
      if (quiet < limits_.idle) return watch_idle(limits_.idle - quiet);
      is_late_ = is_idle_ = true;
      end();
    });
  }
  void end() {
    if (const auto cut = std::exchange(cut_, nullptr)) cut();
  }

  io::Reactor& reactor_;
  Limits limits_;
  std::int64_t last_;
  std::function<void()> cut_;
  io::Reactor::TimerId total_timer_ = 0, try_timer_ = 0, idle_timer_ = 0;
  bool request_ended_ = false, waits_for_head_ = false, is_late_ = false, is_idle_ = false, try_is_late_ = false;
};

}  // namespace reef::edge::mesh
