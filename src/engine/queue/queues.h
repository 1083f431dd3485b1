// All queues of the system: each lives on the shard that owns its key, is recovered from that shard's journal, and
// is reached from any shard through the tasks below. Nothing they return was promised before it was stored.
//
// Keys are opaque paths ("000000000000/us-east-1/orders"); the owner of a queue is found from the key alone.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "engine/queue/queue.h"
#include "engine/store/shard.h"

namespace reef::queue {

struct NewMessage {
  std::string payload;
  std::string group, dedup_id, id;
  std::optional<Duration> delay;
  std::optional<Time> sent_at;
};

struct ReceiveOptions {
  std::uint32_t count_max = 1;
  std::optional<Duration> lease;
  std::optional<Duration> wait;   // the queue's when absent
  std::string attempt{};          // FIFO: see Receive::attempt
  std::shared_ptr<std::atomic<bool>> abandoned;  // true once nobody waits for the answer any more: takes nothing then
};

struct Message {
  std::string payload;
  Handle handle;
  Time sent_at, first_received_at;
  std::uint32_t receive_count;
};

// Turns a payload that leaves for its dead letter queue into what is stored there (to note where it came from, and
// how often it was received).
using DeadLetterMark = std::function<std::string(std::string_view source_key, std::string payload, std::uint32_t receive_count)>;

class QueueShard;

class Queues {
 public:
  // Before recovery: attaches to every shard's journal.
  Queues();
  ~Queues();

  // False in `created` when a queue of that key is there already: its settings are then in `settings`.
  struct Opened {
    bool created;
    Settings settings;
  };
  Task<Opened> open(std::string key, Settings settings);
  // Refused when the queue is gone.
  Task<Result<void, Refusal>> change(std::string key, std::function<void(Settings&)> edit);
  Task<Result<void, Refusal>> drop(std::string key);
  Task<Result<Settings, Refusal>> settings(std::string key);
  Task<Result<Counts, Refusal>> counts(std::string key);
  // Keys that start with `prefix`, sorted.
  Task<std::vector<std::string>> list(std::string prefix);
  // The key and settings of every queue that `accept` wants.
  Task<std::vector<std::pair<std::string, Settings>>> select(
      std::function<bool(const std::string&, const Settings&)> accept);

  Task<Result<std::vector<Sent>, Refusal>> send(std::string key, std::vector<NewMessage> messages);
  // For messages that depend on the queue's settings: `prepare` runs on the queue's shard, fills the messages and may
  // decline (kNotPrepared). Sparing the question first spares a change of threads.
  using Prepare = std::function<bool(const Settings&, std::vector<NewMessage>&)>;
  Task<Result<std::vector<Sent>, Refusal>> send(std::string key, Prepare prepare);
  Task<Result<std::vector<Message>, Refusal>> receive(std::string key, ReceiveOptions options);
  Task<Result<std::vector<Result<void, Refusal>>, Refusal>> remove(std::string key, std::vector<Handle> handles);
  Task<Result<std::vector<Result<void, Refusal>>, Refusal>> change_lease(
      std::string key, std::vector<std::pair<Handle, Duration>> changes);
  Task<Result<void, Refusal>> purge(std::string key);
  // The waiting messages, leased by nobody: for inspection.
  Task<Result<std::vector<Message>, Refusal>> peek(std::string key, std::uint32_t count_max);

  void set_dead_letter_mark(DeadLetterMark mark) { mark_ = std::move(mark); }
  // Ends every long poll at once; further ones do not wait.
  void stop_waiting();

 private:
  friend class QueueShard;
  QueueShard& shard_of(std::string_view key);
  Task<void> move_exhausted(std::string key, std::string target, std::vector<Leased> exhausted);
  DeadLetterMark mark_;
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<QueueShard>> shards_;
};

}  // namespace reef::queue
