// The waiting, delayed and leased messages of one queue: a deterministic machine without clock, lock or I/O.
//
// Always true:
// - A message is in exactly one of waiting, delayed and leased until it is removed.
// - In a FIFO queue messages of one group are handed out in the order of sending, and none while an earlier one of
//   its group is leased or delayed. Groups take turns: the one that has been ready longest comes first.
// - Every change of state was recorded through Effects before the function that made it returns; replaying the
//   records in order gives the same state. A lease or delay that ends by itself is not recorded: it follows from
//   the clock.
//
// A message costs about 90 bytes here; its payload stays in the journal.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "engine/queue/receive_attempts.h"
#include "engine/store/journal.h"

namespace reef::queue {

struct Settings {
  Duration delay{0};
  Duration lease = 30s;              // visibility timeout
  Duration retention = 4 * 24h;
  Duration wait{0};                  // default long poll
  bool is_fifo = false;
  bool dedup_by_content = false;
  bool dedup_per_group = false;
  std::string dead_letter_queue;     // key; empty when none
  std::uint32_t receives_max = 0;    // then to the dead letter queue
  std::uint32_t message_bytes_max = 1u << 20;  // for whoever prepares messages; not checked here
  std::string extra;                 // the owner's own settings, opaque here
};

enum class Refusal {
  kNoSuchQueue,
  kQueueExists,        // with other settings
  kNoSuchMessage,      // the handle names a message that is gone
  kHandleExpired,      // FIFO: the lease of that handle ended
  kNotLeased,          // FIFO: a lease change by a handle whose lease ended
  kBadHandle,          // not a handle of this queue
  kTooManyLeased,
  kRecentlyPurged,
  kNotPrepared,        // whoever prepares messages turned the settings down; it knows why
};

struct Send {
  std::string_view payload;
  std::string_view group;                // FIFO
  std::string_view dedup_id;             // FIFO; already derived from the content where asked for
  std::optional<Duration> delay;         // the queue's when absent
  std::optional<Time> sent_at;           // kept when a message moves between queues; now when absent
  std::string_view id;                   // FIFO: given back in Sent when the message is a duplicate
};

struct Sent {
  std::uint64_t sequence;
  bool is_duplicate = false;             // FIFO: nothing was added; `original_id` is the first one's
  std::string original_id{};
};

struct Receive {
  std::uint32_t count_max = 1;
  std::optional<Duration> lease;
  bool peek = false;                     // look without leasing, for inspection
  std::string_view attempt{};            // FIFO: asked again under the same name, the same messages
};

struct Leased {
  store::RecordRef payload;
  std::uint32_t slot;
  std::uint32_t lease_number;
  std::uint64_t sequence;
  Time sent_at, first_received_at;
  std::uint32_t receive_count;
  std::string group{};  // FIFO
};

// Names one lease of one message; what a receipt handle carries.
struct Handle {
  std::uint32_t slot = 0;
  std::uint32_t lease_number = 0;
  std::uint64_t sequence = 0;
};

struct Counts {
  std::size_t waiting = 0, delayed = 0, leased = 0;
};

class Effects {
 public:
  virtual ~Effects() = default;
  // Appends one record of this queue; where its payload part starts is Queue's business.
  virtual store::RecordRef record(std::string_view bytes) = 0;
};

class Queue {
 public:
  static constexpr std::size_t kLeasedMax = 120'000;
  static constexpr Duration kDedupWindow = 5min;

  Queue(std::uint32_t number, Settings settings) : number_(number), settings_(std::move(settings)) {}

  Sent send(const Send& command, Time now, Effects& effects);
  // At most `count_max` messages. Those that were received too often are put into `exhausted` instead, leased so
  // that nobody gets them while they move to the dead letter queue.
  Result<std::vector<Leased>, Refusal> receive(const Receive& command, Time now, Effects& effects,
                                               std::vector<Leased>& exhausted);
  Result<void, Refusal> remove(const Handle& handle, Time now, Effects& effects);
  // The lease ends `after` from now; 0 makes the message waiting at once.
  Result<void, Refusal> change_lease(const Handle& handle, Duration after, Time now, Effects& effects);
  Result<void, Refusal> purge(Time now, Effects& effects);
  void set_settings(Settings settings) { settings_ = std::move(settings); }

  // Ends leases and delays that are over and drops messages older than the retention. Everything above does it
  // first; callers that only look call it themselves.
  void tick(Time now, Effects& effects);
  // When tick next has something to make visible; nothing when no message is delayed or leased.
  std::optional<Time> next_visible() const;
  bool has_waiting() const { return settings_.is_fifo ? !ready_groups_.empty() : waiting_count_ > 0; }

  Counts counts() const;
  const Settings& settings() const { return settings_; }
  std::uint32_t number() const { return number_; }

  // Recovery and compaction.
  bool replay(std::string_view record, store::RecordRef at);
  void save(std::string& out) const;
  bool load(ByteReader& in);
  // Calls visit(segment, +1 or -1) as payloads come to live in segments.
  void set_segment_counter(std::map<std::uint32_t, std::uint32_t>* live) { live_segments_ = live; }
  // Writes again those messages whose payload lies in a segment up to `segment`, at most `count_max` of them;
  // true when none is left.
  bool relocate(std::uint32_t segment, std::size_t count_max, const class store::Journal& journal, Effects& effects);
  void forget_payloads();

 private:
  enum class State : std::uint8_t { kFree, kWaiting, kDelayed, kLeased };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Slot {
    store::RecordRef record;
    std::int64_t sent_at = 0, visible_at = 0, first_received_at = 0;
    std::uint64_t sequence = 0;
    std::uint32_t receive_count = 0, lease_number = 0;
    std::uint32_t next = kNone, prev = kNone;          // waiting list, or free list
    std::uint32_t age_next = kNone, age_prev = kNone;  // all messages by age
    std::uint32_t group = kNone;
    std::uint16_t header_bytes = 0;                    // of the record before the payload
    State state = State::kFree;
  };
  struct Timed {
    std::int64_t at;
    std::uint32_t slot, lease_number;
    std::uint64_t sequence;
    bool operator>(const Timed& other) const { return at > other.at; }
  };
  struct Group {
    std::string name;
    std::deque<std::uint32_t> slots;  // in order of sending, leased ones included
    std::uint64_t turn = 0;           // key in ready_groups_; 0 while the first message is not waiting
  };
  struct Dedup {
    std::uint64_t sequence;
    std::string id;
    std::int64_t expires_at;
  };

  std::uint32_t take_slot();
  void place(std::uint32_t slot, State state);
  void unplace(std::uint32_t slot);
  void free_slot(std::uint32_t slot);
  void append_waiting(std::uint32_t slot);
  void insert_waiting(std::uint32_t slot);
  void unlink_waiting(std::uint32_t slot);
  void append_age(std::uint32_t slot);
  void unlink_age(std::uint32_t slot);
  std::uint32_t group_of(std::string_view name);
  void refresh_group(std::uint32_t group);
  void end_turn(Group& group);
  void push_timed(std::uint32_t slot);
  void compact_timed();
  bool is_current(const Timed& timed) const;
  void lease_slot(std::uint32_t slot, Duration lease, Time now);
  // What an earlier receive of that name holds, with its leases begun anew; empty when there is none or it was changed since.
  std::vector<Leased> lease_again(std::string_view attempt, Duration lease, Time now, Effects& effects);
  void record_leases(const std::vector<std::uint32_t>& slots, Effects& effects);
  void record_put(std::uint32_t slot, std::string_view group, std::string_view dedup_key, std::string_view id,
                  std::string_view payload, Effects& effects);
  Leased describe(std::uint32_t slot) const;
  store::RecordRef payload_of(const Slot& slot) const;
  Slot* find(const Handle& handle);
  std::string dedup_key(const Send& command) const;
  void expire_dedup(std::int64_t now);
  void count_segment(std::uint32_t segment, int change);
  void clear_messages();

  std::uint32_t number_;
  Settings settings_;
  std::vector<Slot> slots_;
  std::uint32_t free_head_ = kNone;
  std::uint32_t waiting_head_ = kNone, waiting_tail_ = kNone;
  std::uint32_t age_head_ = kNone, age_tail_ = kNone;
  std::size_t waiting_count_ = 0, delayed_count_ = 0, leased_count_ = 0;
  std::vector<Timed> timed_;  // a min-heap by time; stale entries are skipped
  std::uint64_t next_sequence_ = 1;
  std::int64_t purged_at_ = 0;
  // FIFO
  std::vector<Group> groups_;
  std::vector<std::uint32_t> free_groups_;
  TextMap<std::uint32_t> group_index_;
  std::map<std::uint64_t, std::uint32_t> ready_groups_;  // by turn
  std::uint64_t next_turn_ = 1;
  TextMap<Dedup> dedup_;
  std::deque<std::pair<std::int64_t, std::string>> dedup_order_;
  ReceiveAttempts attempts_;
  std::map<std::uint32_t, std::uint32_t>* live_segments_ = nullptr;
};

}  // namespace reef::queue
