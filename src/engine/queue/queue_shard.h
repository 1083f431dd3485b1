// The queues that one shard owns: its part of the journal, and the long polls that wait on them.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/text.h"
#include "engine/queue/queue.h"
#include "engine/store/journal.h"
#include "engine/store/shard.h"

namespace reef::queue {

class QueueShard final : public store::JournalUser {
 public:
  static constexpr std::uint8_t kJournalKind = 2;

  explicit QueueShard(store::Shard& shard);

  // A queue with what belongs to it besides its messages.
  struct Open final : public Effects {
    Open(QueueShard& owner, std::string name, std::uint32_t number, Settings settings)
        : home(owner), key(std::move(name)), queue(number, std::move(settings)) {}
    store::RecordRef record(std::string_view bytes) override { return home.shard.journal().append(kJournalKind, bytes); }
    QueueShard& home;
    std::string key;
    Queue queue;
    // Long polls in the order they came. Each is told `true` when there may be something for it.
    std::list<Later<bool>*> waiters;
    io::Reactor::TimerId visible_timer = 0;
    Time visible_timer_at{};
  };

  Open* find(std::string_view key);
  Open& open(std::string_view key, Settings settings);   // records it
  void record_settings(Open& open);
  void drop(Open& open);
  const std::map<std::string, std::unique_ptr<Open>, std::less<>>& all() const { return by_key_; }

  // Wakes as many long polls as there may be messages for, and sees to it that a lease or delay that ends
  // while polls wait is noticed.
  void wake(Open& open);
  void wake_all();
  // Moves old messages forward a little when old segments are mostly dead. Called once a second or so.
  void compact();

  void replay(std::string_view payload, store::RecordRef at) override;
  void save(std::string& out) override;
  bool load(std::string_view bytes) override;
  void clear() override;
  std::uint32_t oldest_segment_needed() const override {
    return live_segments_.empty() ? UINT32_MAX : live_segments_.begin()->first;
  }

  store::Shard& shard;

 private:
  Open& add(std::string key, std::uint32_t number, Settings settings);
  void arm_compaction();
  std::map<std::string, std::unique_ptr<Open>, std::less<>> by_key_;
  std::unordered_map<std::uint32_t, Open*> by_number_;
  std::uint32_t next_number_ = 1;
  std::map<std::uint32_t, std::uint32_t> live_segments_;  // payloads that live in each segment
};

void append_settings(std::string& out, const Settings& settings);
bool read_settings(ByteReader& in, Settings& settings);

}  // namespace reef::queue
