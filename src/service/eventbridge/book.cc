#include "service/eventbridge/book.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::eventbridge {
namespace {

using wire::Json;

std::string bus_key(const BusName& name) { return "eventbridge/bus/" + name.key(); }
std::string rule_key(const BusName& bus, std::string_view name) { return fmt::format("eventbridge/rule/{}/{}", bus.key(), name); }

Json tags_json(const Tags& tags) {
  Json out = Json::object();
  for (const auto& [key, value] : tags) out.set(key, value);
  return out;
}
Tags read_tags(const Json& json) {
  Tags out;
  for (const auto& [key, value] : json.as_object()) out.emplace(key, value.as_string());
  return out;
}

std::string encode(const Rule& rule) {
  Json out = Json::object({{"name", rule.name}, {"pattern", rule.pattern}, {"schedule", rule.schedule}, {"description", rule.description}, {"role", rule.role},
                           {"state", rule.state}, {"createdBy", rule.created_by}, {"created", to_micros(rule.created)}, {"tags", tags_json(rule.tags)}});
  Json& targets = out.set("targets", Json::array());
  for (const model::Target& target : rule.targets) targets.push_back(aws::to_json(target));
  return out.dump();
}
std::shared_ptr<Rule> decode(const BusName& bus, const Json& json) {
  auto rule = std::make_shared<Rule>();
  *rule = {.bus = bus, .name = json.text("name"), .pattern = json.text("pattern"), .schedule = json.text("schedule"), .description = json.text("description"),
           .role = json.text("role"), .state = json.text("state"), .created_by = json.text("createdBy"), .created = read_time(json["created"]),
           .tags = read_tags(json["tags"]), .targets = {}};
  for (const Json& one : json["targets"].as_array())
    if (auto target = aws::from_json<model::Target>(one)) rule->targets.push_back(*std::move(target));
  return rule;
}

}  // namespace

BusName BusName::from_key(std::string_view key) {
  const auto first = key.find('/'), second = key.find('/', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return {};
  return {std::string(key.substr(0, first)), std::string(key.substr(first + 1, second - first - 1)), std::string(key.substr(second + 1))};
}

std::optional<BusName> parse_bus_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "events" || !parts[5].starts_with("event-bus/")) return std::nullopt;
  return BusName{std::string(parts[4]), std::string(parts[3]), std::string(parts[5].substr(10))};
}

BusName bus_name(const Call& call, const std::optional<std::string>& name_or_arn) {
  if (!name_or_arn || name_or_arn->empty()) return {call.account, call.region, kDefaultBus};
  if (auto parsed = parse_bus_arn(*name_or_arn)) return *std::move(parsed);
  return {call.account, call.region, *name_or_arn};
}

std::string Rule::arn() const {
  return fmt::format("arn:aws:events:{}:{}:rule/{}{}", bus.region, bus.account, bus.name == kDefaultBus ? "" : bus.name + "/", name);
}

const model::Target* Rule::target(std::string_view wanted) const {
  const auto found = std::find_if(targets.begin(), targets.end(), [&](const model::Target& one) { return one.id == wanted; });
  return found == targets.end() ? nullptr : &*found;
}

void Book::load() {
  const store::Records& records = store::Shard::control().records();
  constexpr std::string_view kBuses = "eventbridge/bus/", kRules = "eventbridge/rule/";
  records.scan(kBuses, [&](std::string_view key, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    auto bus = std::make_unique<Bus>();
    bus->name = BusName::from_key(key.substr(kBuses.size()));
    bus->description = json->text("description");
    bus->key_id = json->text("key");
    bus->dead_letters = json->text("deadLetters");
    bus->log_config = (*json)["logConfig"];
    bus->policy = (*json)["policy"];
    bus->created = read_time((*json)["created"]);
    bus->modified = read_time((*json)["modified"]);
    bus->tags = read_tags((*json)["tags"]);
    buses_[bus->name.key()] = std::move(bus);
    return true;
  });
  records.scan(kRules, [&](std::string_view key, const std::string& text) {
    const auto json = Json::parse(text);
    const auto last = key.rfind('/');
    if (!json || last < kRules.size()) return true;
    const BusName name = BusName::from_key(key.substr(kRules.size(), last - kRules.size()));
    if (Bus* bus = find(name)) index(*bus, decode(name, *json));
    return true;
  });
}

void Book::forget() {
  buses_.clear();
  by_id_.clear();
}

Bus* Book::find(const BusName& name) {
  if (const auto found = buses_.find(name.key()); found != buses_.end()) return found->second.get();
  if (name.name != kDefaultBus || name.account.empty()) return nullptr;
  auto& bus = buses_[name.key()] = std::make_unique<Bus>();
  bus->name = name;
  return bus.get();
}

Bus& Book::add(const BusName& name, Time now) {
  auto& bus = buses_[name.key()] = std::make_unique<Bus>();
  bus->name = name;
  bus->created = bus->modified = now;
  return *bus;
}

void Book::remove(const BusName& name) {
  buses_.erase(name.key());
  store::Shard::control().records().erase(bus_key(name));
}

std::vector<Bus*> Book::buses(const std::string& account, const std::string& region, std::string_view prefix) {
  find({account, region, kDefaultBus});
  std::vector<Bus*> out;
  const std::string scope = account + "/" + region + "/" + std::string(prefix);
  for (auto it = buses_.lower_bound(scope); it != buses_.end() && it->first.starts_with(scope); ++it) out.push_back(it->second.get());
  return out;
}

void Book::save(const Bus& bus) {
  const Json json = Json::object({{"description", bus.description}, {"key", bus.key_id}, {"deadLetters", bus.dead_letters}, {"logConfig", bus.log_config},
                                  {"policy", bus.policy}, {"created", to_micros(bus.created)}, {"modified", to_micros(bus.modified)}, {"tags", tags_json(bus.tags)}});
  store::Shard::control().records().put(bus_key(bus.name), json.dump());
}

Rule* Book::find_rule(const BusName& bus_name, std::string_view name) {
  Bus* bus = find(bus_name);
  if (!bus) return nullptr;
  const auto found = bus->rules.find(name);
  return found == bus->rules.end() ? nullptr : found->second.get();
}

void Book::index(Bus& bus, const std::shared_ptr<Rule>& rule) {
  if (rule->id == 0) rule->id = ++last_id_;
  bus.rules[rule->name] = rule;
  by_id_[rule->id] = rule;
  bus.index.remove(rule->id);
  if (!rule->is_enabled() || rule->pattern.empty()) return;
  if (const auto pattern = events::compile_pattern(rule->pattern)) bus.index.add(rule->id, *pattern);
}

void Book::put(Bus& bus, std::shared_ptr<Rule> rule) {
  store::Shard::control().records().put(rule_key(bus.name, rule->name), encode(*rule));
  index(bus, rule);
}

void Book::remove_rule(Bus& bus, std::string_view name) {
  const auto found = bus.rules.find(name);
  if (found == bus.rules.end()) return;
  store::Shard::control().records().erase(rule_key(bus.name, name));
  bus.index.remove(found->second->id);
  by_id_.erase(found->second->id);
  bus.rules.erase(found);
}

std::vector<std::shared_ptr<Rule>> Book::match(Bus& bus, std::string_view event) {
  std::vector<std::shared_ptr<Rule>> out;
  for (const events::RuleId id : bus.index.match(event))
    if (const auto found = by_id_.find(id); found != by_id_.end()) out.push_back(found->second);
  return out;
}

std::vector<std::shared_ptr<Rule>> Book::rules() const {
  std::vector<std::shared_ptr<Rule>> out;
  for (const auto& [id, rule] : by_id_) out.push_back(rule);
  return out;
}

aws::Error no_bus(std::string_view name) { return {errors::kResourceNotFoundException, fmt::format("Event bus {} does not exist.", name)}; }
aws::Error no_rule(std::string_view name, std::string_view bus) {
  return {errors::kResourceNotFoundException, fmt::format("Rule {} does not exist on EventBus {}.", name, bus)};
}
aws::Error invalid_pattern(const std::string& reason) { return {errors::kInvalidEventPatternException, "Event pattern is not valid. Reason: " + reason}; }
aws::Error invalid(std::string_view parameter, std::string_view reason) {
  return {"ValidationException", fmt::format("Parameter {} is not valid. Reason: {}", parameter, reason), 400};
}

Tags tags_of(const std::optional<std::vector<model::Tag>>& tags) {
  Tags out;
  if (tags)
    for (const model::Tag& tag : *tags) out[tag.key] = tag.value;
  return out;
}

}  // namespace reef::service::eventbridge
