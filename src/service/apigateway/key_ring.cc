#include "service/apigateway/key_ring.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;

constexpr std::string_view kKeyPrefix = "apigateway/key/", kPlanPrefix = "apigateway/plan/", kUsagePrefix = "apigateway/usage/";

store::Records& records() { return store::Shard::control().records(); }

template <class T>
bool is_of(const T& stored, const aws::Call& call) {
  return stored.account == call.account && stored.region == call.region;
}

// The stage's own limits of the method, otherwise those of every method.
const model::ThrottleSettings* limits_of(const model::ApiStage& stage, const std::string& method) {
  if (!stage.throttle) return nullptr;
  const auto found = stage.throttle->find(method);
  return found == stage.throttle->end() ? nullptr : &found->second;
}

bool takes(std::map<std::string, edge::RateLimit, std::less<>>& buckets, const std::string& name, const model::ThrottleSettings* limits, Time now) {
  if (!limits || (!limits->rate_limit && !limits->burst_limit)) return true;
  return buckets[name].take(now, limits->rate_limit.value_or(0), limits->burst_limit.value_or(0));
}

}  // namespace

void KeyRing::load() {
  records().scan(std::string(kKeyPrefix), [this](std::string_view, const std::string& text) {
    const auto json = Json::parse(text);
    auto key = json ? aws::from_json<model::ApiKey>((*json)["key"]) : aws::from_json<model::ApiKey>(Json::object());
    if (json && key && key->id) keys_.insert_or_assign(*key->id, StoredKey{.key = *key, .account = json->text("account"), .region = json->text("region")});
    return true;
  });
  records().scan(std::string(kPlanPrefix), [this](std::string_view, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    auto plan = aws::from_json<model::UsagePlan>((*json)["plan"]);
    if (!plan || !plan->id) return true;
    StoredPlan stored{.plan = *plan, .account = json->text("account"), .region = json->text("region"), .created_day = json->text("created"), .keys = {}, .usage = {}, .buckets = {}};
    for (const Json& key : (*json)["keys"].as_array()) stored.keys.push_back(key.as_string());
    plans_.insert_or_assign(*plan->id, std::move(stored));
    return true;
  });
  records().scan(std::string(kUsagePrefix), [this](std::string_view name, const std::string& text) {
    name.remove_prefix(kUsagePrefix.size());
    const auto slash = name.find('/');
    const auto plan = plans_.find(name.substr(0, slash));
    const auto json = Json::parse(text);
    if (plan != plans_.end() && slash != std::string_view::npos && json) plan->second.usage.insert_or_assign(std::string(name.substr(slash + 1)), KeyUsage::from_json(*json));
    return true;
  });
}

void KeyRing::clear() {
  keys_.clear();
  plans_.clear();
}

std::vector<const StoredKey*> KeyRing::keys(const aws::Call& call) const {
  std::vector<const StoredKey*> out;
  for (const auto& [id, key] : keys_)
    if (is_of(key, call)) out.push_back(&key);
  return out;
}
StoredKey* KeyRing::find_key(const aws::Call& call, std::string_view id) {
  const auto found = keys_.find(id);
  return found != keys_.end() && is_of(found->second, call) ? &found->second : nullptr;
}
const StoredKey* KeyRing::find_value(std::string_view account, std::string_view region, std::string_view value) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const auto& each) { return each.second.account == account && each.second.region == region && each.second.key.value == value; });
  return found == keys_.end() ? nullptr : &found->second;
}
StoredKey& KeyRing::add(StoredKey key) {
  StoredKey& added = keys_.insert_or_assign(*key.key.id, std::move(key)).first->second;
  changed(added);
  return added;
}
void KeyRing::changed(const StoredKey& key) {
  records().put(std::string(kKeyPrefix) + *key.key.id, Json::object({{"key", aws::to_json(key.key)}, {"account", key.account}, {"region", key.region}}).dump());
}
void KeyRing::remove_key(const std::string& id) {
  for (auto& [plan_id, plan] : plans_)
    if (std::erase(plan.keys, id) > 0) {
      plan.usage.erase(id);
      records().erase(fmt::format("{}{}/{}", kUsagePrefix, plan_id, id));
      changed(plan);
    }
  records().erase(std::string(kKeyPrefix) + id);
  keys_.erase(id);
}

std::vector<const StoredPlan*> KeyRing::plans(const aws::Call& call) const {
  std::vector<const StoredPlan*> out;
  for (const auto& [id, plan] : plans_)
    if (is_of(plan, call)) out.push_back(&plan);
  return out;
}
StoredPlan* KeyRing::find_plan(const aws::Call& call, std::string_view id) {
  const auto found = plans_.find(id);
  return found != plans_.end() && is_of(found->second, call) ? &found->second : nullptr;
}
StoredPlan& KeyRing::add(StoredPlan plan) {
  StoredPlan& added = plans_.insert_or_assign(*plan.plan.id, std::move(plan)).first->second;
  changed(added);
  return added;
}
void KeyRing::changed(const StoredPlan& plan) {
  Json keys = Json::array();
  for (const std::string& key : plan.keys) keys.push_back(key);
  records().put(std::string(kPlanPrefix) + *plan.plan.id,
                Json::object({{"plan", aws::to_json(plan.plan)}, {"account", plan.account}, {"region", plan.region}, {"created", plan.created_day}, {"keys", std::move(keys)}}).dump());
}
void KeyRing::usage_changed(const StoredPlan& plan, const std::string& key) {
  if (const auto used = plan.usage.find(key); used != plan.usage.end()) records().put(fmt::format("{}{}/{}", kUsagePrefix, *plan.plan.id, key), used->second.to_json().dump());
}
void KeyRing::remove_plan(const std::string& id) {
  const auto found = plans_.find(id);
  if (found == plans_.end()) return;
  for (const auto& [key, usage] : found->second.usage) records().erase(fmt::format("{}{}/{}", kUsagePrefix, id, key));
  records().erase(std::string(kPlanPrefix) + id);
  plans_.erase(found);
}

void KeyRing::forget_stage(const std::string& api, const std::string* stage) {
  for (auto& [id, plan] : plans_)
    if (plan.plan.api_stages && std::erase_if(*plan.plan.api_stages, [&](const model::ApiStage& each) { return each.api_id == api && (!stage || each.stage == *stage); }) > 0) changed(plan);
}

KeyVerdict KeyRing::admit(const Asked& asked, Time now, std::string& key_id) {
  const StoredKey* key = asked.value.empty() ? nullptr : find_value(asked.account, asked.region, asked.value);
  if (!key || !key->key.enabled.value_or(false)) return KeyVerdict::kUnknown;
  key_id = *key->key.id;
  for (auto& [id, plan] : plans_) {
    if (std::find(plan.keys.begin(), plan.keys.end(), key_id) == plan.keys.end() || !plan.plan.api_stages) continue;
    const auto& stages = *plan.plan.api_stages;
    const auto stage = std::find_if(stages.begin(), stages.end(), [&](const model::ApiStage& each) { return each.api_id == asked.api && each.stage == asked.stage; });
    if (stage == stages.end()) continue;
    const model::ThrottleSettings* general = plan.plan.throttle ? &*plan.plan.throttle : nullptr;
    const model::ThrottleSettings* own = limits_of(*stage, asked.method);
    if (own ? !takes(plan.buckets, fmt::format("{} {} {} {}", key_id, asked.api, asked.stage, asked.method), own, now) : !takes(plan.buckets, key_id, general, now)) return KeyVerdict::kThrottled;
    if (!plan.usage[key_id].count(plan.plan.quota ? &*plan.plan.quota : nullptr, plan.created_day, now)) return KeyVerdict::kExhausted;
    usage_changed(plan, key_id);
    return KeyVerdict::kPasses;
  }
  return KeyVerdict::kUnknown;  // a key that is in no plan of the stage
}

}  // namespace reef::service::apigateway
