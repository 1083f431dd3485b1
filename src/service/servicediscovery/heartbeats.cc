#include "service/servicediscovery/heartbeats.h"

#include "base/log.h"
#include "base/text.h"
#include "engine/store/shard.h"

namespace reef::service::servicediscovery {
namespace {

using wire::Json;
constexpr int kGoneAfter = 3;  // times the interval
constexpr std::int64_t kSecondsMax = 86'400;

}  // namespace

std::optional<Duration> heartbeat_of(const std::map<std::string, std::string, std::less<>>& attributes) {
  const auto found = attributes.find(std::string_view(Heartbeats::kAttribute));
  const auto seconds = found == attributes.end() ? std::nullopt : parse_int<std::int64_t>(found->second);
  if (!seconds || *seconds < 1 || *seconds > kSecondsMax) return std::nullopt;
  return Duration(std::chrono::seconds(*seconds));
}

void Heartbeats::beat(const Key& key, Duration every) {
  auto& entry = entries_[key];
  if (entry && entry->is_acting) return;
  if (!entry) entry = std::make_shared<Entry>();
  entry->every = every;
  entry->last = store::Shard::control().now();
  entry->is_late = false;
  wait(key, entry);
}

void Heartbeats::forget(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  store::Shard::control().reactor().cancel(found->second->timer);
  entries_.erase(found);
}

void Heartbeats::clear() {
  for (const auto& [key, entry] : entries_) store::Shard::control().reactor().cancel(entry->timer);
  entries_.clear();
}

void Heartbeats::wait(const Key& key, const std::shared_ptr<Entry>& entry) {
  io::Reactor& reactor = store::Shard::control().reactor();
  reactor.cancel(std::exchange(entry->timer, 0));
  entry->timer = reactor.at(entry->last + entry->every * (entry->is_late ? kGoneAfter : 1), [this, key, weak = std::weak_ptr(entry)] {
    if (const auto self = weak.lock()) {
      self->timer = 0;
      act(key, self).detach();
    }
  });
}

Task<void> Heartbeats::act(Key key, std::shared_ptr<Entry> entry) {
  const aws::Call call = caller_.internal_call(key.account, key.region);
  const Json which = Json::object({{"ServiceId", key.service}, {"InstanceId", key.instance}});
  entry->is_acting = true;
  if (!entry->is_late) {
    Json input = which;
    input.set("Status", "UNHEALTHY");
    const auto told = co_await caller_.invoke_json(call, "servicediscovery", "UpdateInstanceCustomHealthStatus", input);
    entry->is_acting = false;
    entry->is_late = true;
    if (told) wait(key, entry);
    else forget(key);
    co_return;
  }
  log::info("an instance was not heard of any more", {{"service", key.service}, {"instance", key.instance}});
  static_cast<void>(co_await caller_.invoke_json(call, "servicediscovery", "DeregisterInstance", which));
  entry->is_acting = false;
  forget(key);
}

}  // namespace reef::service::servicediscovery
