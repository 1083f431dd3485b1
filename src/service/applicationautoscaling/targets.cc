#include "service/applicationautoscaling/targets.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::applicationautoscaling {
namespace {

using wire::Json;

constexpr std::string_view kPrefix = "scaling/target/";

std::string record_key(std::string_view account, std::string_view region, std::string_view space, std::string_view dimension, std::string_view resource) {
  return fmt::format("{}{}/{}/{}/{}/{}", kPrefix, account, region, space, dimension, resource);
}
std::string record_key(const Target& target) {
  return record_key(target.account, target.region, target.target.service_namespace, target.target.scalable_dimension, target.target.resource_id);
}

template <class T>
Json list_json(const std::vector<T>& list) {
  Json out = Json::array();
  for (const T& one : list) out.push_back(aws::to_json(one));
  return out;
}
template <class T>
void read_list(const Json& json, std::vector<T>& list) {
  for (const Json& one : json.as_array())
    if (auto read = aws::from_json<T>(one)) list.push_back(*std::move(read));
}

Json last_json(const LastScaling& last) { return Json::object({{"at", to_micros(last.at)}, {"before", last.before}, {"after", last.after}}); }
std::optional<LastScaling> read_last(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  return LastScaling{.at = from_micros(json["at"].as_int().value_or(0)), .before = static_cast<std::int32_t>(json["before"].as_int().value_or(0)),
                     .after = static_cast<std::int32_t>(json["after"].as_int().value_or(0))};
}

Target read_target(const Json& json) {
  Target out{.account = json.text("account"), .region = json.text("region")};
  if (auto target = aws::from_json<model::ScalableTarget>(json["target"])) out.target = *std::move(target);
  read_list(json["policies"], out.policies);
  read_list(json["actions"], out.actions);
  read_list(json["activities"], out.activities);
  for (const auto& [name, at] : json["actionDone"].as_object()) out.action_done.emplace(name, from_micros(at.as_int().value_or(0)));
  for (const auto& [key, value] : json["tags"].as_object()) out.tags.emplace(key, value.as_string());
  out.last_out = read_last(json["lastOut"]);
  out.last_in = read_last(json["lastIn"]);
  return out;
}

std::vector<Target> scan(const std::string& prefix) {
  std::vector<Target> out;
  store::Shard::control().records().scan(prefix, [&](std::string_view, const std::string& text) {
    if (const auto json = Json::parse(text)) out.push_back(read_target(*json));
    return true;
  });
  return out;
}

}  // namespace

model::ScalingPolicy* Target::policy(std::string_view name) {
  const auto found = std::find_if(policies.begin(), policies.end(), [&](const auto& one) { return one.policy_name == name; });
  return found == policies.end() ? nullptr : &*found;
}

model::ScheduledAction* Target::action(std::string_view name) {
  const auto found = std::find_if(actions.begin(), actions.end(), [&](const auto& one) { return one.scheduled_action_name == name; });
  return found == actions.end() ? nullptr : &*found;
}

std::optional<Target> find_target(std::string_view account, std::string_view region, std::string_view space, std::string_view dimension, std::string_view resource) {
  const std::string* text = store::Shard::control().records().find(record_key(account, region, space, dimension, resource));
  const auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  if (!json) return std::nullopt;
  return read_target(*json);
}

void save(const Target& target) {
  Json json = Json::object({{"account", target.account}, {"region", target.region}, {"target", aws::to_json(target.target)}});
  json.set("policies", list_json(target.policies));
  json.set("actions", list_json(target.actions));
  json.set("activities", list_json(target.activities));
  Json& done = json.set("actionDone", Json::object());
  for (const auto& [name, at] : target.action_done) done.set(name, to_micros(at));
  Json& tags = json.set("tags", Json::object());
  for (const auto& [key, value] : target.tags) tags.set(key, value);
  if (target.last_out) json.set("lastOut", last_json(*target.last_out));
  if (target.last_in) json.set("lastIn", last_json(*target.last_in));
  store::Shard::control().records().put(record_key(target), json.dump());
}

void erase(const Target& target) { store::Shard::control().records().erase(record_key(target)); }
std::vector<Target> all_targets(std::string_view account, std::string_view region, std::string_view space) { return scan(fmt::format("{}{}/{}/{}/", kPrefix, account, region, space)); }
std::vector<Target> every_target() { return scan(std::string(kPrefix)); }

}  // namespace reef::service::applicationautoscaling
