#include "engine/queue/queue.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.h"
#include "engine/queue/queue_record.h"

namespace reef::queue {

Sent Queue::send(const Send& command, Time now, Effects& effects) {
  tick(now, effects);
  std::string key;
  if (settings_.is_fifo) {
    key = dedup_key(command);
    expire_dedup(to_micros(now));
    if (const auto seen = dedup_.find(key); seen != dedup_.end())
      return {.sequence = seen->second.sequence, .is_duplicate = true, .original_id = seen->second.id};
  }
  const std::uint32_t index = take_slot();
  Slot& slot = slots_[index];
  slot.sequence = next_sequence_++;
  slot.sent_at = to_micros(command.sent_at.value_or(now));
  const Duration delay = command.delay.value_or(settings_.delay);
  slot.visible_at = delay.count() > 0 ? to_micros(now) + delay.count() : 0;
  slot.group = settings_.is_fifo ? group_of(command.group) : kNone;
  record_put(index, command.group, key, command.id, command.payload, effects);
  append_age(index);
  if (slot.group != kNone) groups_[slot.group].slots.push_back(index);
  place(index, slot.visible_at ? State::kDelayed : State::kWaiting);
  if (settings_.is_fifo) {
    const std::int64_t expires = to_micros(now) + kDedupWindow.count();
    dedup_.insert_or_assign(key, Dedup{slot.sequence, std::string(command.id), expires});
    dedup_order_.emplace_back(expires, key);
  }
  return {.sequence = slot.sequence};
}

Result<std::vector<Leased>, Refusal> Queue::receive(const Receive& command, Time now, Effects& effects,
                                                    std::vector<Leased>& exhausted) {
  tick(now, effects);
  const bool is_attempt = settings_.is_fifo && !command.peek && !command.attempt.empty();
  if (is_attempt)
    if (auto again = lease_again(command.attempt, command.lease.value_or(settings_.lease), now, effects); !again.empty()) return again;
  if (leased_count_ >= kLeasedMax && !command.peek) {
    if (settings_.is_fifo) return std::vector<Leased>{};
    return Err(Refusal::kTooManyLeased);
  }
  std::vector<Leased> out;
  std::vector<std::uint32_t> taken;
  const Duration lease = command.lease.value_or(settings_.lease);
  const bool redrives = settings_.receives_max > 0 && !settings_.dead_letter_queue.empty();
  const std::int64_t oldest = to_micros(now) - settings_.retention.count();
  const auto take = [&](std::uint32_t index) {
    if (slots_[index].sent_at < oldest) {  // a moved message that kept its time of sending
      effects.record(record::remove(number_, index));
      return free_slot(index);
    }
    if (command.peek) return out.push_back(describe(index));
    if (redrives && slots_[index].receive_count >= settings_.receives_max) {
      lease_slot(index, 30s, now);
      exhausted.push_back(describe(index));
    } else {
      lease_slot(index, lease, now);
      out.push_back(describe(index));
    }
    taken.push_back(index);
  };
  if (!settings_.is_fifo) {
    std::uint32_t at = waiting_head_;
    // A lease of no length puts a message back at the end: none is looked at twice.
    std::size_t left = waiting_count_;
    while (at != kNone && left-- > 0 && out.size() < command.count_max && exhausted.size() < 1000) {
      const std::uint32_t next = slots_[at].next;
      take(at);
      at = next;
    }
  } else {
    // As many as possible of one group, then of the next: the groups are copied because leasing reorders them.
    std::vector<std::uint32_t> ready;
    for (const auto& [sequence, group] : ready_groups_) {
      ready.push_back(group);
      if (ready.size() > command.count_max) break;
    }
    for (const std::uint32_t group : ready) {
      const std::deque<std::uint32_t> in_order = groups_[group].slots;
      for (const std::uint32_t index : in_order) {
        if (out.size() >= command.count_max || slots_[index].state != State::kWaiting) break;
        take(index);
        // What goes to the dead letter queue first must be gone before its successors are handed out.
        if (!exhausted.empty() && exhausted.back().slot == index) break;
      }
    }
  }
  if (!taken.empty()) record_leases(taken, effects);
  if (is_attempt && !out.empty() && lease.count() > 0) {
    std::vector<ReceiveAttempts::Held> held;
    for (const Leased& one : out) held.push_back({one.slot, one.lease_number, one.sequence, slots_[one.slot].visible_at});
    attempts_.remember(command.attempt, std::move(held), now);
  }
  return out;
}

std::vector<Leased> Queue::lease_again(std::string_view attempt, Duration lease, Time now, Effects& effects) {
  std::vector<Leased> out;
  const auto* held = attempts_.find(attempt, now);
  if (!held || lease.count() <= 0) return out;
  std::vector<std::uint32_t> indices;
  for (const ReceiveAttempts::Held& one : *held) {
    if (one.slot >= slots_.size()) return out;
    const Slot& slot = slots_[one.slot];
    if (slot.state != State::kLeased || slot.lease_number != one.lease_number || slot.sequence != one.sequence || slot.visible_at != one.visible_at) return out;
    indices.push_back(one.slot);
  }
  std::vector<ReceiveAttempts::Held> renewed = *held;
  for (ReceiveAttempts::Held& one : renewed) {
    one.visible_at = slots_[one.slot].visible_at = to_micros(now) + lease.count();
    push_timed(one.slot);
    out.push_back(describe(one.slot));
  }
  attempts_.remember(attempt, std::move(renewed), now);
  record_leases(indices, effects);
  return out;
}

Result<void, Refusal> Queue::remove(const Handle& handle, Time now, Effects& effects) {
  tick(now, effects);
  Slot* slot = find(handle);
  if (!slot) return Err(Refusal::kNoSuchMessage);
  if (settings_.is_fifo && (slot->state != State::kLeased || slot->lease_number != handle.lease_number))
    return Err(Refusal::kHandleExpired);
  const std::uint32_t index = handle.slot;
  effects.record(record::remove(number_, index));
  free_slot(index);
  return {};
}

Result<void, Refusal> Queue::change_lease(const Handle& handle, Duration after, Time now, Effects& effects) {
  tick(now, effects);
  Slot* slot = find(handle);
  if (!slot) return Err(Refusal::kNoSuchMessage);
  if (settings_.is_fifo && (slot->state != State::kLeased || slot->lease_number != handle.lease_number))
    return Err(Refusal::kNotLeased);
  // In a standard queue the holder of an old handle may hide a message that is waiting again.
  if (slot->state != State::kLeased && after.count() == 0) return {};
  const std::uint32_t index = handle.slot;
  slot->visible_at = to_micros(now) + after.count();
  record_leases({index}, effects);
  if (slot->state == State::kLeased && after.count() > 0) {
    push_timed(index);
  } else {
    unplace(index);
    place(index, after.count() > 0 ? State::kLeased : State::kWaiting);
  }
  return {};
}

Result<void, Refusal> Queue::purge(Time now, Effects& effects) {
  if (purged_at_ && to_micros(now) - purged_at_ < Duration(60s).count()) return Err(Refusal::kRecentlyPurged);
  purged_at_ = to_micros(now);
  effects.record(record::purge(number_, purged_at_));
  clear_messages();
  dedup_.clear();
  dedup_order_.clear();
  attempts_.clear();
  return {};
}

void Queue::tick(Time time, Effects& effects) {
  const std::int64_t now = to_micros(time);
  while (!timed_.empty() && timed_.front().at <= now) {
    const Timed timed = timed_.front();
    std::pop_heap(timed_.begin(), timed_.end(), std::greater<>());
    timed_.pop_back();
    if (!is_current(timed)) continue;
    unplace(timed.slot);
    place(timed.slot, State::kWaiting);
    if (!settings_.is_fifo) insert_waiting(timed.slot);
  }
  const std::int64_t oldest = now - settings_.retention.count();
  while (age_head_ != kNone && slots_[age_head_].sent_at < oldest) {
    const std::uint32_t index = age_head_;
    effects.record(record::remove(number_, index));
    free_slot(index);
  }
}

std::optional<Time> Queue::next_visible() const {
  if (timed_.empty()) return std::nullopt;
  return from_micros(timed_.front().at);
}

Counts Queue::counts() const { return {.waiting = waiting_count_, .delayed = delayed_count_, .leased = leased_count_}; }

// --- slots -------------------------------------------------------------------------------------------------------

std::uint32_t Queue::take_slot() {
  if (free_head_ == kNone) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t index = free_head_;
  free_head_ = slots_[index].next;
  slots_[index] = Slot{};
  return index;
}

// Puts a message that is in no state into one.
void Queue::place(std::uint32_t index, State state) {
  Slot& slot = slots_[index];
  slot.state = state;
  switch (state) {
    case State::kWaiting:
      ++waiting_count_;
      if (!settings_.is_fifo) append_waiting(index);
      break;
    case State::kDelayed:
      ++delayed_count_;
      push_timed(index);
      break;
    case State::kLeased:
      ++leased_count_;
      push_timed(index);
      break;
    case State::kFree: break;
  }
  if (slot.group != kNone) refresh_group(slot.group);
}

void Queue::unplace(std::uint32_t index) {
  Slot& slot = slots_[index];
  switch (slot.state) {
    case State::kWaiting:
      --waiting_count_;
      if (!settings_.is_fifo) unlink_waiting(index);
      break;
    case State::kDelayed: --delayed_count_; break;
    case State::kLeased:
      --leased_count_;
      break;
    case State::kFree: break;
  }
  slot.state = State::kFree;
}

void Queue::free_slot(std::uint32_t index) {
  unplace(index);
  Slot& slot = slots_[index];
  unlink_age(index);
  count_segment(slot.record.segment, -1);
  if (slot.group != kNone) {
    Group& group = groups_[slot.group];
    const auto at = std::find(group.slots.begin(), group.slots.end(), index);
    if (at != group.slots.end()) group.slots.erase(at);
    refresh_group(slot.group);
  }
  slot = Slot{};
  slot.next = free_head_;
  free_head_ = index;
}

void Queue::append_waiting(std::uint32_t index) {
  Slot& slot = slots_[index];
  slot.prev = waiting_tail_;
  slot.next = kNone;
  if (waiting_tail_ != kNone) slots_[waiting_tail_].next = index;
  else waiting_head_ = index;
  waiting_tail_ = index;
}

// Moves a message that waits again before those that were sent after it. The bound keeps a mass return linear.
void Queue::insert_waiting(std::uint32_t index) {
  std::uint32_t before = waiting_head_;
  for (int steps = 0; steps < 64 && before != kNone && slots_[before].sequence < slots_[index].sequence; ++steps)
    before = slots_[before].next;
  if (before == kNone || before == index || slots_[before].sequence < slots_[index].sequence) return;
  unlink_waiting(index);
  Slot& slot = slots_[index];
  slot.next = before;
  slot.prev = slots_[before].prev;
  if (slot.prev != kNone) slots_[slot.prev].next = index;
  else waiting_head_ = index;
  slots_[before].prev = index;
}

void Queue::unlink_waiting(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.prev != kNone) slots_[slot.prev].next = slot.next;
  else waiting_head_ = slot.next;
  if (slot.next != kNone) slots_[slot.next].prev = slot.prev;
  else waiting_tail_ = slot.prev;
  slot.next = slot.prev = kNone;
}

void Queue::append_age(std::uint32_t index) {
  // A message that moved here keeps its time of sending, so it may belong before the newest ones.
  // The bound keeps a mass move linear; `receive` looks at the age of what it takes.
  std::uint32_t after = age_tail_;
  for (int steps = 0; steps < 64 && after != kNone && slots_[after].sent_at > slots_[index].sent_at; ++steps)
    after = slots_[after].age_prev;
  const std::uint32_t before = after == kNone ? age_head_ : slots_[after].age_next;
  slots_[index].age_prev = after;
  slots_[index].age_next = before;
  if (after != kNone) slots_[after].age_next = index;
  else age_head_ = index;
  if (before != kNone) slots_[before].age_prev = index;
  else age_tail_ = index;
}

void Queue::unlink_age(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.age_prev != kNone) slots_[slot.age_prev].age_next = slot.age_next;
  else age_head_ = slot.age_next;
  if (slot.age_next != kNone) slots_[slot.age_next].age_prev = slot.age_prev;
  else age_tail_ = slot.age_prev;
}

// --- groups ------------------------------------------------------------------------------------------------------

std::uint32_t Queue::group_of(std::string_view name) {
  if (const auto found = group_index_.find(name); found != group_index_.end()) return found->second;
  std::uint32_t index = 0;
  if (!free_groups_.empty()) {
    index = free_groups_.back();
    free_groups_.pop_back();
  } else {
    index = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back();
  }
  groups_[index].name = name;
  group_index_.emplace(name, index);
  return index;
}

// Brings `ready_groups_` in line with the group's first message; drops a group without messages.
void Queue::refresh_group(std::uint32_t index) {
  Group& group = groups_[index];
  if (group.slots.empty()) {
    if (group_index_.erase(group.name)) free_groups_.push_back(index);
    end_turn(group);
    return;
  }
  const bool is_ready = slots_[group.slots.front()].state == State::kWaiting;
  if (!is_ready) return end_turn(group);
  if (group.turn) return;
  group.turn = next_turn_++;
  ready_groups_.emplace(group.turn, index);
}

void Queue::end_turn(Group& group) {
  if (group.turn) ready_groups_.erase(std::exchange(group.turn, 0));
}

// --- time --------------------------------------------------------------------------------------------------------

void Queue::push_timed(std::uint32_t index) {
  const Slot& slot = slots_[index];
  timed_.push_back({slot.visible_at, index, slot.lease_number, slot.sequence});
  std::push_heap(timed_.begin(), timed_.end(), std::greater<>());
  if (timed_.size() > 1024 && timed_.size() > 3 * (leased_count_ + delayed_count_)) compact_timed();
}

bool Queue::is_current(const Timed& timed) const {
  const Slot& slot = slots_[timed.slot];
  return slot.sequence == timed.sequence && slot.lease_number == timed.lease_number && slot.visible_at == timed.at &&
         (slot.state == State::kLeased || slot.state == State::kDelayed);
}

void Queue::compact_timed() {
  std::erase_if(timed_, [this](const Timed& timed) { return !is_current(timed); });
  std::make_heap(timed_.begin(), timed_.end(), std::greater<>());
}

void Queue::lease_slot(std::uint32_t index, Duration lease, Time now) {
  unplace(index);
  Slot& slot = slots_[index];
  // Without a lease the message waits on, but its group had its turn.
  if (slot.group != kNone) end_turn(groups_[slot.group]);
  if (slot.receive_count++ == 0) slot.first_received_at = to_micros(now);
  ++slot.lease_number;
  slot.visible_at = to_micros(now) + lease.count();
  place(index, lease.count() > 0 ? State::kLeased : State::kWaiting);
}

Leased Queue::describe(std::uint32_t index) const {
  const Slot& slot = slots_[index];
  return {.payload = payload_of(slot), .slot = index, .lease_number = slot.lease_number, .sequence = slot.sequence,
          .sent_at = from_micros(slot.sent_at), .first_received_at = from_micros(slot.first_received_at),
          .receive_count = slot.receive_count, .group = slot.group == kNone ? std::string() : groups_[slot.group].name};
}

store::RecordRef Queue::payload_of(const Slot& slot) const {
  return {slot.record.segment, slot.record.offset + slot.header_bytes, slot.record.size - slot.header_bytes};
}

Queue::Slot* Queue::find(const Handle& handle) {
  if (handle.slot >= slots_.size()) return nullptr;
  Slot& slot = slots_[handle.slot];
  return slot.state != State::kFree && slot.sequence == handle.sequence ? &slot : nullptr;
}

// --- deduplication -----------------------------------------------------------------------------------------------

std::string Queue::dedup_key(const Send& command) const {
  if (!settings_.dedup_per_group) return std::string(command.dedup_id);
  std::string key(command.group);
  key += '\0';
  key += command.dedup_id;
  return key;
}

void Queue::expire_dedup(std::int64_t now) {
  while (!dedup_order_.empty() && dedup_order_.front().first <= now) {
    const auto found = dedup_.find(dedup_order_.front().second);
    if (found != dedup_.end() && found->second.expires_at <= now) dedup_.erase(found);
    dedup_order_.pop_front();
  }
}

void Queue::clear_messages() {
  for (const Slot& slot : slots_)
    if (slot.state != State::kFree) count_segment(slot.record.segment, -1);
  slots_.clear();
  slots_.shrink_to_fit();
  free_head_ = waiting_head_ = waiting_tail_ = age_head_ = age_tail_ = kNone;
  waiting_count_ = delayed_count_ = leased_count_ = 0;
  timed_.clear();
  groups_.clear();
  free_groups_.clear();
  group_index_.clear();
  ready_groups_.clear();
}

void Queue::forget_payloads() { clear_messages(); }

void Queue::count_segment(std::uint32_t segment, int change) {
  if (!live_segments_) return;
  std::uint32_t& count = (*live_segments_)[segment];
  count += static_cast<std::uint32_t>(change);
  if (count == 0) live_segments_->erase(segment);
}

}  // namespace reef::queue
