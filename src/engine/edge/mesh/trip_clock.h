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
  // 0: no limit.
  TripClock(io::Reactor& reactor, Duration total, Duration per_try) : reactor_(reactor), total_(total), per_try_(per_try) {}
  ~TripClock() {
    reactor_.cancel(total_timer_);
    reactor_.cancel(try_timer_);
  }
  TripClock(const TripClock&) = delete;
  TripClock& operator=(const TripClock&) = delete;

  // `cut` ends what is under way when its time is over; it may be called once.
  void begin_try(std::function<void()> cut) {
    cut_ = std::move(cut);
    try_is_late_ = false;
    waits_for_head_ = true;
    if (request_ended_) start_try();
  }
  void request_ended() {
    if (std::exchange(request_ended_, true)) return;
    if (total_.count() > 0) total_timer_ = reactor_.after(total_, [this] {
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
  bool is_late() const { return is_late_; }
  bool try_is_late() const { return try_is_late_ || is_late_; }

 private:
  void start_try() {
    if (per_try_.count() > 0) try_timer_ = reactor_.after(per_try_, [this] {
      try_timer_ = 0;
      try_is_late_ = true;
      end();
    });
  }
  void end() {
    if (const auto cut = std::exchange(cut_, nullptr)) cut();
  }

  io::Reactor& reactor_;
  Duration total_, per_try_;
  std::function<void()> cut_;
  io::Reactor::TimerId total_timer_ = 0, try_timer_ = 0;
  bool request_ended_ = false, waits_for_head_ = false, is_late_ = false, try_is_late_ = false;
};

}  // namespace reef::edge::mesh
