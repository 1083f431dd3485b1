// What is still to be delivered in one channel, and when each is due: a deterministic machine without clock or I/O.
//
// Always true:
// - An entry is in exactly one of due-later, ready and in flight until it is settled as done.
// - A lane never has more in flight than its limit, the channel never more than its own; so a lane that is slow
//   or refuses holds up nobody else.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/time.h"

namespace reef::delivery {

using EntryId = std::uint64_t;

struct Entry {
  EntryId id = 0;
  std::string lane;     // what must not be held up by others: a function, an endpoint
  std::string payload;  // opaque, the channel's own
  Time created{};
  std::uint32_t attempts = 0;  // that counted so far
  std::uint32_t failures_in_row = 0;  // counted or not, for back-off
};

struct ChannelLimits {
  std::uint32_t in_flight_per_lane = 50;
  std::uint32_t in_flight_max = 500;
};

class Outbox {
 public:
  explicit Outbox(ChannelLimits limits = {}) : limits_(limits) {}

  // A new entry, or one that recovery found.
  void add(Entry entry, Time due);
  // Those to be attempted now; they are in flight until settled.
  std::vector<EntryId> take(Time now);
  void done(EntryId id);
  // Again after `delay`. `counts`: the attempt was one, and not for instance throttled.
  void retry(EntryId id, Duration delay, bool counts, Time now);
  // Everything of a lane that is not in flight is forgotten; the ids are returned.
  std::vector<EntryId> drop_lane(const std::string& lane);

  const Entry* find(EntryId id) const;
  // When take() next has something that it has not now; nothing while only settling can bring more.
  std::optional<Time> next_due() const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Slot {
    Entry entry;
    Time due{};
    bool in_flight = false;
  };
  struct Lane {
    std::deque<EntryId> ready;
    std::uint32_t in_flight = 0;
  };
  ChannelLimits limits_;
  std::map<EntryId, Slot> entries_;
  std::multimap<Time, EntryId> later_;
  TextMap<Lane> lanes_;
  std::uint32_t in_flight_ = 0;
};

// 1, 2, 4, ... times `first`, at most `most`.
Duration backoff(std::uint32_t failures, Duration first, Duration most);

}  // namespace reef::delivery
