// Durable at-least-once delivery: what was added is attempted until its channel says done, also after a restart.
// Lives on the control shard. Every asynchronous hop of the system goes through a channel of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/task.h"
#include "engine/delivery/outbox.h"
#include "engine/store/shard.h"

namespace reef::delivery {

struct Verdict {
  bool is_done = true;
  Duration retry_after{};
  bool counts = true;  // of a retry: the attempt is one of those that the policy limits

  static Verdict done() { return {}; }
  static Verdict retry(Duration after, bool counts = true) { return {false, after, counts}; }
};

// Attempts one delivery. Dead letters are the handler's: it delivers them elsewhere and says done.
using Handler = std::function<Task<Verdict>(const Entry& entry)>;

class Deliveries {
 public:
  Deliveries();
  ~Deliveries();

  // After the store was recovered; takes up what an earlier process left. Names must never change.
  void open(const std::string& channel, ChannelLimits limits, Handler handler);
  // From any shard. Stored when it returns. `delay`: of the first attempt.
  Task<void> add(std::string channel, std::string lane, std::string payload, Duration delay = {});
  // Forgets what waits in a lane; control shard only.
  void drop_lane(const std::string& channel, const std::string& lane);
  std::size_t waiting(const std::string& channel) const;
  // Everything was wiped.
  void forget();
  // No further attempts. Entries stay for the next start.
  void stop() { stopping_ = true; }

 private:
  struct Channel;
  void pump(Channel& channel);
  Task<void> attempt(Channel& channel, EntryId id);
  std::map<std::string, std::unique_ptr<Channel>> channels_;
  bool stopping_ = false;
};

}  // namespace reef::delivery
