// Instances that have to be heard of: those of services with custom health that were registered with the attribute
// ATOLL_HEARTBEAT_SECONDS=n. Unhealthy when nobody registered them or told their health for n seconds, gone after 3n. On
// AWS the attribute is an attribute and nothing more. On the control shard.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "base/time.h"
#include "engine/store/shard.h"

namespace reef::service::servicediscovery {

class Heartbeats {
 public:
  static constexpr const char* kAttribute = "ATOLL_HEARTBEAT_SECONDS";

  explicit Heartbeats(aws::Caller& caller) : caller_(caller) {}
  struct Key {
    std::string account, region, service, instance;
    auto operator<=>(const Key&) const = default;
  };
  // It was heard of. `every`: the attribute's seconds.
  void beat(const Key& key, Duration every);
  void forget(const Key& key);
  void clear();

 private:
  struct Entry {
    Duration every{};
    Time last{};
    bool is_late = false, is_acting = false;  // acting: what is heard comes from here
    io::Reactor::TimerId timer = 0;
  };
  void wait(const Key& key, const std::shared_ptr<Entry>& entry);
  Task<void> act(Key key, std::shared_ptr<Entry> entry);

  aws::Caller& caller_;
  std::map<Key, std::shared_ptr<Entry>> entries_;
};

// Of an instance's attributes: nothing when it is not to be heard of.
std::optional<Duration> heartbeat_of(const std::map<std::string, std::string, std::less<>>& attributes);

}  // namespace reef::service::servicediscovery
