// What the receives of a FIFO queue that named themselves were given: a consumer whose reply was lost asks again under
// the same name and gets the same messages.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html (ReceiveRequestAttemptId)
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/time.h"

namespace reef::queue {

class ReceiveAttempts {
 public:
  static constexpr Duration kWindow = 5min;
  static constexpr std::size_t kAttemptsMax = 20'000;  // the oldest are forgotten first

  struct Held {
    std::uint32_t slot = 0, lease_number = 0;
    std::uint64_t sequence = 0;
    std::int64_t visible_at = 0;  // as the receive left it: another time means that somebody changed it
  };

  // Null when nothing was received under that name within the window.
  const std::vector<Held>* find(std::string_view id, Time now) {
    expire(now);
    const auto found = held_.find(id);
    return found == held_.end() ? nullptr : &found->second;
  }
  void remember(std::string_view id, std::vector<Held> held, Time now) {
    expire(now);
    if (order_.size() >= kAttemptsMax) forget_first();
    const auto [at, is_new] = held_.insert_or_assign(std::string(id), std::move(held));
    // A name used again keeps its place: it goes no later than its first use would.
    if (is_new) order_.emplace_back(now + kWindow, std::string(id));
  }
  void clear() {
    held_.clear();
    order_.clear();
  }

 private:
  void expire(Time now) {
    while (!order_.empty() && order_.front().first <= now) forget_first();
  }
  void forget_first() {
    held_.erase(order_.front().second);
    order_.pop_front();
  }
  TextMap<std::vector<Held>> held_;
  std::deque<std::pair<Time, std::string>> order_;
};

}  // namespace reef::queue
