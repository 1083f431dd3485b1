// A queue's records: written, replayed, saved in checkpoints, and written again to free old segments.
#include <algorithm>

#include "base/check.h"
#include "engine/queue/queue.h"
#include "engine/queue/queue_record.h"

namespace reef::queue {

void Queue::record_put(std::uint32_t index, std::string_view group, std::string_view dedup, std::string_view id,
                       std::string_view payload, Effects& effects) {
  Slot& slot = slots_[index];
  std::string bytes = record::begin(record::Type::kPut, number_);
  bytes.reserve(payload.size() + group.size() + dedup.size() + 80);
  ByteWriter out(bytes);
  out.fixed(index);
  out.fixed(slot.sequence);
  out.fixed(slot.sent_at);
  out.fixed(slot.visible_at);
  out.fixed(slot.first_received_at);
  out.fixed(slot.receive_count);
  out.fixed(slot.lease_number);
  out.bytes(group);
  out.bytes(dedup);
  out.bytes(id);
  slot.header_bytes = static_cast<std::uint16_t>(bytes.size());
  bytes += payload;
  slot.record = effects.record(bytes);
  count_segment(slot.record.segment, 1);
}

void Queue::record_leases(const std::vector<std::uint32_t>& slots, Effects& effects) {
  std::string bytes = record::begin(record::Type::kLease, number_);
  ByteWriter out(bytes);
  for (const std::uint32_t index : slots) {
    const Slot& slot = slots_[index];
    out.fixed(index);
    out.fixed(slot.visible_at);
    out.fixed(slot.first_received_at);
    out.fixed(slot.receive_count);
    out.fixed(slot.lease_number);
  }
  effects.record(bytes);
}

bool Queue::replay(std::string_view bytes, store::RecordRef at) {
  ByteReader in(bytes);
  const auto type = in.fixed<record::Type>();
  in.fixed<std::uint32_t>();  // the queue's number: the caller looked at it
  switch (type) {
    case record::Type::kPut: {
      const auto index = in.fixed<std::uint32_t>();
      if (!in.ok() || index > slots_.size() + 1'000'000) return false;
      bool is_new = true;
      if (index < slots_.size() && slots_[index].state != State::kFree) {  // written again by compaction
        is_new = false;
        count_segment(slots_[index].record.segment, -1);
      } else {
        while (slots_.size() <= index) {
          slots_.emplace_back();
          slots_.back().next = free_head_;
          free_head_ = static_cast<std::uint32_t>(slots_.size() - 1);
        }
        // The same order of takes and frees as when it was written makes this the head of the free list.
        if (free_head_ == index) {
          free_head_ = slots_[index].next;
        } else {
          std::uint32_t before = free_head_;
          while (before != kNone && slots_[before].next != index) before = slots_[before].next;
          if (before == kNone) return false;
          slots_[before].next = slots_[index].next;
        }
        slots_[index] = Slot{};
      }
      Slot& slot = slots_[index];
      slot.sequence = in.fixed<std::uint64_t>();
      slot.sent_at = in.fixed<std::int64_t>();
      slot.visible_at = in.fixed<std::int64_t>();
      slot.first_received_at = in.fixed<std::int64_t>();
      slot.receive_count = in.fixed<std::uint32_t>();
      slot.lease_number = in.fixed<std::uint32_t>();
      const std::string_view group = in.bytes();
      const std::string_view dedup = in.bytes();
      const std::string_view id = in.bytes();
      if (!in.ok()) return false;
      slot.header_bytes = static_cast<std::uint16_t>(bytes.size() - in.rest().size());
      slot.record = at;
      count_segment(at.segment, 1);
      if (!is_new) return true;
      next_sequence_ = std::max(next_sequence_, slot.sequence + 1);
      append_age(index);
      if (settings_.is_fifo) {
        slot.group = group_of(group);
        groups_[slot.group].slots.push_back(index);
        const std::int64_t expires = slot.sent_at + kDedupWindow.count();
        dedup_.insert_or_assign(std::string(dedup), Dedup{slot.sequence, std::string(id), expires});
        dedup_order_.emplace_back(expires, dedup);
      }
      place(index, slot.visible_at ? (slot.lease_number ? State::kLeased : State::kDelayed) : State::kWaiting);
      return true;
    }
    case record::Type::kLease:
      while (!in.at_end()) {
        const auto index = in.fixed<std::uint32_t>();
        if (index >= slots_.size() || slots_[index].state == State::kFree) return false;
        unplace(index);
        Slot& slot = slots_[index];
        slot.visible_at = in.fixed<std::int64_t>();
        slot.first_received_at = in.fixed<std::int64_t>();
        slot.receive_count = in.fixed<std::uint32_t>();
        slot.lease_number = in.fixed<std::uint32_t>();
        if (!in.ok()) return false;
        // Whether the lease is over is for the next tick to see.
        place(index, State::kLeased);
      }
      return true;
    case record::Type::kRemove: {
      const auto index = in.fixed<std::uint32_t>();
      if (!in.ok() || index >= slots_.size() || slots_[index].state == State::kFree) return false;
      free_slot(index);
      return true;
    }
    case record::Type::kPurge:
      purged_at_ = in.fixed<std::int64_t>();
      clear_messages();
      dedup_.clear();
      dedup_order_.clear();
      return in.ok();
    case record::Type::kOpen:
    case record::Type::kDrop: break;
  }
  return false;
}

void Queue::save(std::string& bytes) const {
  ByteWriter out(bytes);
  out.fixed(next_sequence_);
  out.fixed(purged_at_);
  out.varint(slots_.size());
  // The free list in its order, so that slots are taken after recovery as they would have been.
  std::uint32_t free_count = 0;
  for (std::uint32_t at = free_head_; at != kNone; at = slots_[at].next) ++free_count;
  out.varint(free_count);
  for (std::uint32_t at = free_head_; at != kNone; at = slots_[at].next) out.fixed(at);
  for (std::uint32_t at = age_head_; at != kNone; at = slots_[at].age_next) {
    const Slot& slot = slots_[at];
    out.fixed(at);
    out.fixed(slot.record.segment);
    out.fixed(slot.record.offset);
    out.fixed(slot.record.size);
    out.fixed(slot.header_bytes);
    out.fixed(slot.sequence);
    out.fixed(slot.sent_at);
    out.fixed(slot.visible_at);
    out.fixed(slot.first_received_at);
    out.fixed(slot.receive_count);
    out.fixed(slot.lease_number);
    out.fixed(slot.state);
    if (settings_.is_fifo) out.bytes(groups_[slot.group].name);
  }
  out.varint(dedup_.size());
  for (const auto& [key, dedup] : dedup_) {
    out.bytes(key);
    out.fixed(dedup.sequence);
    out.bytes(dedup.id);
    out.fixed(dedup.expires_at);
  }
}

bool Queue::load(ByteReader& in) {
  next_sequence_ = in.fixed<std::uint64_t>();
  purged_at_ = in.fixed<std::int64_t>();
  const std::uint64_t size = in.varint(), free_count = in.varint();
  if (!in.ok() || free_count > size || size > in.rest().size()) return false;
  slots_.resize(size);
  std::uint32_t* link = &free_head_;
  for (std::uint64_t i = 0; i < free_count; ++i) {
    const auto at = in.fixed<std::uint32_t>();
    if (at >= size) return false;
    *link = at;
    link = &slots_[at].next;
  }
  *link = kNone;
  std::vector<std::uint32_t> order;
  order.reserve(size - free_count);
  for (std::uint64_t i = free_count; i < size; ++i) {
    const auto at = in.fixed<std::uint32_t>();
    if (!in.ok() || at >= size) return false;
    Slot& slot = slots_[at];
    slot.record.segment = in.fixed<std::uint32_t>();
    slot.record.offset = in.fixed<std::uint32_t>();
    slot.record.size = in.fixed<std::uint32_t>();
    slot.header_bytes = in.fixed<std::uint16_t>();
    slot.sequence = in.fixed<std::uint64_t>();
    slot.sent_at = in.fixed<std::int64_t>();
    slot.visible_at = in.fixed<std::int64_t>();
    slot.first_received_at = in.fixed<std::int64_t>();
    slot.receive_count = in.fixed<std::uint32_t>();
    slot.lease_number = in.fixed<std::uint32_t>();
    const auto state = in.fixed<State>();
    count_segment(slot.record.segment, 1);
    append_age(at);
    if (settings_.is_fifo) slot.group = group_of(in.bytes());
    slot.state = state;
    order.push_back(at);
  }
  if (!in.ok()) return false;
  // Groups are in order of sequence, which for FIFO queues without moved messages is the order of age too.
  if (settings_.is_fifo) {
    std::sort(order.begin(), order.end(), [this](auto a, auto b) { return slots_[a].sequence < slots_[b].sequence; });
    for (const std::uint32_t at : order) groups_[slots_[at].group].slots.push_back(at);
  }
  for (const std::uint32_t at : order) place(at, std::exchange(slots_[at].state, State::kFree));
  const std::uint64_t dedups = in.varint();
  for (std::uint64_t i = 0; i < dedups && in.ok(); ++i) {
    std::string key = in.text();
    Dedup dedup{};
    dedup.sequence = in.fixed<std::uint64_t>();
    dedup.id = in.text();
    dedup.expires_at = in.fixed<std::int64_t>();
    dedup_order_.emplace_back(dedup.expires_at, key);
    dedup_.emplace(std::move(key), dedup);
  }
  std::sort(dedup_order_.begin(), dedup_order_.end());
  return in.ok();
}

bool Queue::relocate(std::uint32_t segment, std::size_t count_max, const store::Journal& journal, Effects& effects) {
  // Old payloads belong to old messages, so the walk by age finds them first.
  std::size_t looked_at = 0;
  for (std::uint32_t at = age_head_; at != kNone; at = slots_[at].age_next) {
    if (slots_[at].record.segment > segment) {
      if (++looked_at > 4096) return true;
      continue;
    }
    if (count_max-- == 0) return false;
    Slot& slot = slots_[at];
    const std::string payload = journal.read(payload_of(slot));
    count_segment(slot.record.segment, -1);
    const std::string group = slot.group == kNone ? std::string() : groups_[slot.group].name;
    record_put(at, group, {}, {}, payload, effects);
  }
  return true;
}

}  // namespace reef::queue
