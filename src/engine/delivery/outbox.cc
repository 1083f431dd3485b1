#include "engine/delivery/outbox.h"

#include <algorithm>


namespace reef::delivery {

void Outbox::add(Entry entry, Time due) {
  const EntryId id = entry.id;
  entries_[id] = {std::move(entry), due};
  later_.emplace(due, id);
}

std::vector<EntryId> Outbox::take(Time now) {
  for (auto it = later_.begin(); it != later_.end() && it->first <= now; it = later_.erase(it)) {
    const auto found = entries_.find(it->second);
    if (found != entries_.end()) lanes_[found->second.entry.lane].ready.push_back(it->second);
  }
  std::vector<EntryId> taken;
  // One from each lane in turn, so that a full lane does not use up the channel.
  bool more = true;
  while (more && in_flight_ < limits_.in_flight_max) {
    more = false;
    for (auto it = lanes_.begin(); it != lanes_.end() && in_flight_ < limits_.in_flight_max;) {
      Lane& lane = it->second;
      if (!lane.ready.empty() && lane.in_flight < limits_.in_flight_per_lane) {
        const EntryId id = lane.ready.front();
        lane.ready.pop_front();
        entries_.at(id).in_flight = true;
        ++lane.in_flight;
        ++in_flight_;
        taken.push_back(id);
        more = true;
      }
      if (lane.ready.empty() && lane.in_flight == 0)
        it = lanes_.erase(it);
      else
        ++it;
    }
  }
  return taken;
}

void Outbox::done(EntryId id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  if (found->second.in_flight) {
    --in_flight_;
    const auto lane = lanes_.find(found->second.entry.lane);
    if (--lane->second.in_flight == 0 && lane->second.ready.empty()) lanes_.erase(lane);
  }
  entries_.erase(found);
}

void Outbox::retry(EntryId id, Duration delay, bool counts, Time now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || !found->second.in_flight) return;
  Slot& slot = found->second;
  slot.in_flight = false;
  slot.entry.attempts += counts;
  ++slot.entry.failures_in_row;
  slot.due = now + delay;
  --in_flight_;
  const auto lane = lanes_.find(slot.entry.lane);
  if (--lane->second.in_flight == 0 && lane->second.ready.empty()) lanes_.erase(lane);
  later_.emplace(slot.due, id);
}

std::vector<EntryId> Outbox::drop_lane(const std::string& lane) {
  std::vector<EntryId> dropped;
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->second.entry.lane != lane || it->second.in_flight) {
      ++it;
      continue;
    }
    dropped.push_back(it->first);
    it = entries_.erase(it);
  }
  std::erase_if(later_, [&](const auto& entry) { return !entries_.contains(entry.second); });
  if (const auto found = lanes_.find(lane); found != lanes_.end()) {
    found->second.ready.clear();
    if (found->second.in_flight == 0) lanes_.erase(found);
  }
  return dropped;
}

const Entry* Outbox::find(EntryId id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second.entry;
}

std::optional<Time> Outbox::next_due() const {
  if (later_.empty()) return std::nullopt;
  return later_.begin()->first;
}

Duration backoff(std::uint32_t failures, Duration first, Duration most) {
  Duration delay = first;
  for (std::uint32_t i = 0; i < failures && delay < most; ++i) delay *= 2;
  return std::min(delay, most);
}

}  // namespace reef::delivery
