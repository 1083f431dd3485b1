#include "engine/queue/queue_shard.h"

#include <algorithm>

#include "base/log.h"
#include "engine/queue/queue_record.h"

namespace reef::queue {
namespace {
constexpr std::uint64_t kCompactAboveBytes = 512ull << 20;
constexpr std::size_t kRelocatePerRound = 2000;
}  // namespace

void append_settings(std::string& bytes, const Settings& settings) {
  ByteWriter out(bytes);
  out.fixed(settings.delay.count());
  out.fixed(settings.lease.count());
  out.fixed(settings.retention.count());
  out.fixed(settings.wait.count());
  out.fixed(settings.is_fifo);
  out.fixed(settings.dedup_by_content);
  out.fixed(settings.dedup_per_group);
  out.bytes(settings.dead_letter_queue);
  out.fixed(settings.receives_max);
  out.fixed(settings.message_bytes_max);
  out.bytes(settings.extra);
}

bool read_settings(ByteReader& in, Settings& settings) {
  settings.delay = Duration(in.fixed<std::int64_t>());
  settings.lease = Duration(in.fixed<std::int64_t>());
  settings.retention = Duration(in.fixed<std::int64_t>());
  settings.wait = Duration(in.fixed<std::int64_t>());
  settings.is_fifo = in.fixed<bool>();
  settings.dedup_by_content = in.fixed<bool>();
  settings.dedup_per_group = in.fixed<bool>();
  settings.dead_letter_queue = in.text();
  settings.receives_max = in.fixed<std::uint32_t>();
  settings.message_bytes_max = in.fixed<std::uint32_t>();
  settings.extra = in.text();
  return in.ok();
}

QueueShard::QueueShard(store::Shard& owner) : shard(owner) {
  shard.journal().attach(kJournalKind, *this);
  shard.reactor().post([this] { arm_compaction(); });
}

void QueueShard::arm_compaction() {
  shard.reactor().after(1s, [this] {
    compact();
    arm_compaction();
  });
}

QueueShard::Open* QueueShard::find(std::string_view key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second.get();
}

QueueShard::Open& QueueShard::add(std::string key, std::uint32_t number, Settings settings) {
  auto open = std::make_unique<Open>(*this, key, number, std::move(settings));
  open->queue.set_segment_counter(&live_segments_);
  Open& added = *open;
  by_number_[number] = &added;
  by_key_[std::move(key)] = std::move(open);
  next_number_ = std::max(next_number_, number + 1);
  return added;
}

QueueShard::Open& QueueShard::open(std::string_view key, Settings settings) {
  Open& added = add(std::string(key), next_number_, std::move(settings));
  record_settings(added);
  return added;
}

void QueueShard::record_settings(Open& open) {
  std::string bytes = record::begin(record::Type::kOpen, open.queue.number());
  ByteWriter(bytes).bytes(open.key);
  append_settings(bytes, open.queue.settings());
  open.record(bytes);
}

void QueueShard::drop(Open& open) {
  open.record(record::begin(record::Type::kDrop, open.queue.number()));
  for (Later<bool>* waiter : std::exchange(open.waiters, {})) waiter->set(false);
  shard.reactor().cancel(open.visible_timer);
  open.queue.forget_payloads();
  by_number_.erase(open.queue.number());
  by_key_.erase(by_key_.find(open.key));
}

void QueueShard::wake(Open& open) {
  std::size_t messages = open.queue.has_waiting() ? std::max<std::size_t>(open.queue.counts().waiting, 1) : 0;
  while (messages-- > 0 && !open.waiters.empty()) {
    Later<bool>* waiter = open.waiters.front();
    open.waiters.pop_front();
    waiter->set(true);  // resumes the poll, which takes what it wants
  }
  if (open.waiters.empty()) return;
  const auto next = open.queue.next_visible();
  if (!next || (open.visible_timer && open.visible_timer_at <= *next)) return;
  shard.reactor().cancel(open.visible_timer);
  open.visible_timer_at = *next;
  open.visible_timer = shard.reactor().at(*next, [this, key = open.key] {
    Open* due = find(key);
    if (!due) return;
    due->visible_timer = 0;
    due->queue.tick(shard.now(), *due);
    wake(*due);
  });
}

void QueueShard::wake_all() {
  for (const auto& [key, open] : by_key_)
    for (Later<bool>* waiter : std::exchange(open->waiters, {})) waiter->set(false);
}

void QueueShard::compact() {
  if (live_segments_.empty() || shard.journal().bytes_on_disk() < kCompactAboveBytes) return;
  const auto& [oldest, live] = *live_segments_.begin();
  const std::uint64_t segments = shard.journal().current_segment() - oldest + 1;
  // Worth it when the oldest segment holds few messages and keeps much dead data behind it alive.
  std::uint64_t total_live = 0;
  for (const auto& [segment, count] : live_segments_) total_live += count;
  if (segments < 2 || live * segments * 2 > total_live) return;
  for (const auto& [key, open] : by_key_)
    open->queue.relocate(oldest, kRelocatePerRound, shard.journal(), *open);
}

void QueueShard::replay(std::string_view payload, store::RecordRef at) {
  ByteReader in(payload);
  const auto type = in.fixed<record::Type>();
  const auto number = in.fixed<std::uint32_t>();
  const auto found = by_number_.find(number);
  if (type == record::Type::kOpen) {
    std::string key = in.text();
    Settings settings;
    CHECK(read_settings(in, settings));
    if (found != by_number_.end()) found->second->queue.set_settings(std::move(settings));
    else add(std::move(key), number, std::move(settings));
    return;
  }
  CHECK(found != by_number_.end());
  if (type == record::Type::kDrop) {
    Open& open = *found->second;
    open.queue.forget_payloads();
    by_number_.erase(found);
    by_key_.erase(by_key_.find(open.key));
    return;
  }
  CHECK(found->second->queue.replay(payload, at));
}

void QueueShard::save(std::string& bytes) {
  ByteWriter out(bytes);
  out.fixed(next_number_);
  out.varint(by_key_.size());
  for (const auto& [key, open] : by_key_) {
    out.bytes(key);
    out.fixed(open->queue.number());
    append_settings(bytes, open->queue.settings());
    open->queue.save(bytes);
  }
}

bool QueueShard::load(std::string_view bytes) {
  ByteReader in(bytes);
  const auto next_number = in.fixed<std::uint32_t>();
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key = in.text();
    const auto number = in.fixed<std::uint32_t>();
    Settings settings;
    if (!read_settings(in, settings)) return false;
    if (!add(std::move(key), number, std::move(settings)).queue.load(in)) return false;
  }
  next_number_ = std::max(next_number_, next_number);
  return in.ok();
}

void QueueShard::clear() {
  wake_all();
  for (const auto& [key, open] : by_key_) shard.reactor().cancel(open->visible_timer);
  by_number_.clear();
  by_key_.clear();
  live_segments_.clear();
}

}  // namespace reef::queue
