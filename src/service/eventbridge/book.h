// The buses of all accounts with their rules: records of the control shard, and beside them the index that events are
// matched with.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "aws/call.h"
#include "aws/error.h"
#include "aws/models/eventbridge.h"
#include "base/time.h"
#include "engine/events/rule_index.h"
#include "wire/json.h"

namespace reef::service::eventbridge {

namespace model = aws::eventbridge;
namespace errors = aws::eventbridge::errors;
using aws::Call;
template <class T>
using Reply = aws::Reply<T>;
using Tags = std::map<std::string, std::string>;

inline constexpr const char* kDefaultBus = "default";

struct BusName {
  std::string account, region, name;
  std::string key() const { return account + "/" + region + "/" + name; }
  std::string arn() const { return "arn:aws:events:" + region + ":" + account + ":event-bus/" + name; }
  static BusName from_key(std::string_view key);
};
// "orders", "arn:aws:events:...:event-bus/orders", or nothing for the default one.
BusName bus_name(const Call& call, const std::optional<std::string>& name_or_arn);
std::optional<BusName> parse_bus_arn(std::string_view arn);

struct Rule {
  BusName bus;
  std::string name, pattern, schedule, description, role, state = "ENABLED", created_by;
  Time created{};
  Tags tags;
  std::vector<model::Target> targets;
  events::RuleId id = 0;  // of this process
  bool is_enabled() const { return state != "DISABLED"; }
  std::string arn() const;
  const model::Target* target(std::string_view id) const;
};

struct Bus {
  BusName name;
  std::string description, key_id, dead_letters;
  wire::Json log_config, policy;  // null when there is none; the policy's document
  Time created{}, modified{};
  Tags tags;
  std::map<std::string, std::shared_ptr<Rule>, std::less<>> rules;
  events::RuleIndex index;
};

class Book {
 public:
  void load();
  void forget();

  // The default bus is there without being made. nullptr: no such bus.
  Bus* find(const BusName& name);
  Bus& add(const BusName& name, Time now);
  void remove(const BusName& name);
  std::vector<Bus*> buses(const std::string& account, const std::string& region, std::string_view prefix);
  void save(const Bus& bus);

  Rule* find_rule(const BusName& bus, std::string_view name);
  // Stores it and indexes it anew. Its pattern was checked.
  void put(Bus& bus, std::shared_ptr<Rule> rule);
  void remove_rule(Bus& bus, std::string_view name);
  std::vector<std::shared_ptr<Rule>> match(Bus& bus, std::string_view event);
  std::vector<std::shared_ptr<Rule>> rules() const;

 private:
  void index(Bus& bus, const std::shared_ptr<Rule>& rule);
  std::map<std::string, std::unique_ptr<Bus>, std::less<>> buses_;
  std::unordered_map<events::RuleId, std::shared_ptr<Rule>> by_id_;
  events::RuleId last_id_ = 0;
};

// As records keep times.
inline Time read_time(const wire::Json& micros) { return from_micros(micros.as_int().value_or(0)); }

aws::Error no_bus(std::string_view name);
aws::Error no_rule(std::string_view name, std::string_view bus);
aws::Error invalid_pattern(const std::string& reason);
// "Parameter Source is not valid. Reason: ..."
aws::Error invalid(std::string_view parameter, std::string_view reason);
Tags tags_of(const std::optional<std::vector<model::Tag>>& tags);

}  // namespace reef::service::eventbridge
