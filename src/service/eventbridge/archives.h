// Archives keep what passed a bus, in the key-value store; replays send it again.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/parts.h"
#include "engine/delivery/deliveries.h"
#include "engine/events/event.h"
#include "engine/store/kv.h"
#include "service/eventbridge/book.h"

namespace reef::service::eventbridge {

struct Archive {
  std::string account, region, name, source, description, pattern, key_id;  // source: the bus's ARN
  std::int64_t retention_days = 0;                                          // 0: for ever
  Time created{};
  std::string key() const { return account + "/" + region + "/" + name; }
  std::string arn() const { return "arn:aws:events:" + region + ":" + account + ":archive/" + name; }
};

struct Replay {
  std::string account, region, name, description, source, destination, state, reason;  // source: the archive's ARN
  std::vector<std::string> rules;                                                      // ARNs; empty: all
  Time from{}, to{}, started{}, ended{}, reached{};
  std::string key() const { return account + "/" + region + "/" + name; }
  std::string arn() const { return "arn:aws:events:" + region + ":" + account + ":replay/" + name; }
};

class Router;

class Archives {
 public:
  explicit Archives(Parts& parts);
  void start(Router& router);
  void forget();

  // Keeps the event in each archive of the bus that wants it; durable at the shard's next commit.
  void record(const BusName& bus, const events::Event& event, const std::string& json);

  bool any() const { return !archives_.empty(); }
  const Archive* find(const std::string& key) const;
  void put(Archive archive);
  void remove(const std::string& key);
  std::vector<const Archive*> list(const std::string& scope) const;
  struct Size {
    std::int64_t events = 0, bytes = 0;
  };
  Size size(const Archive& archive) const;

  std::optional<Replay> find_replay(const std::string& key) const;
  void save(const Replay& replay);
  std::vector<Replay> list_replays(const std::string& scope) const;
  // The replay was saved in state STARTING.
  Task<void> begin(const Replay& replay);

 private:
  Task<delivery::Verdict> attempt(const delivery::Entry& entry);
  void expire(Time now);
  void arm();
  store::Kv& kv_;
  delivery::Deliveries& deliveries_;
  Router* router_ = nullptr;
  struct Kept {
    Archive archive;
    std::optional<events::RuleIndex> index;  // nothing: everything is kept
  };
  std::map<std::string, Kept, std::less<>> archives_;
};

}  // namespace reef::service::eventbridge
