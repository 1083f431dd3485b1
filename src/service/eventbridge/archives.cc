#include "service/eventbridge/archives.h"

#include <fmt/format.h>

#include "engine/store/records.h"
#include "service/eventbridge/router.h"

namespace reef::service::eventbridge {
namespace {

using wire::Json;

constexpr const char* kReplayChannel = "eventbridge-replay";
constexpr std::string_view kArchives = "eventbridge/archive/", kReplays = "eventbridge/replay/";
constexpr Duration kLookEvery = 1h;

store::Records& records() { return store::Shard::control().records(); }

// In order of the events' own times, which replays choose by.
std::string event_key(const Archive& archive, Time time, std::string_view id) { return fmt::format("eventbridge-archive/{}/{:016x}/{}", archive.key(), to_micros(time), id); }
std::string range_start(const Archive& archive) { return fmt::format("eventbridge-archive/{}/", archive.key()); }
std::string range_end(const Archive& archive) { return fmt::format("eventbridge-archive/{}0", archive.key()); }  // '0' follows '/'

std::string encode(const Archive& a) {
  return Json::object({{"source", a.source}, {"description", a.description}, {"pattern", a.pattern}, {"key", a.key_id}, {"retention", a.retention_days}, {"created", to_micros(a.created)}}).dump();
}

std::string encode(const Replay& r) {
  Json rules = Json::array();
  for (const std::string& rule : r.rules) rules.push_back(rule);
  return Json::object({{"description", r.description}, {"source", r.source}, {"destination", r.destination}, {"state", r.state}, {"reason", r.reason}, {"rules", rules},
                       {"from", to_micros(r.from)}, {"to", to_micros(r.to)}, {"started", to_micros(r.started)}, {"ended", to_micros(r.ended)}, {"reached", to_micros(r.reached)}})
      .dump();
}

std::optional<Replay> decode_replay(std::string_view key, const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  const BusName name = BusName::from_key(key);
  Replay out{.account = name.account, .region = name.region, .name = name.name, .description = json->text("description"), .source = json->text("source"),
             .destination = json->text("destination"), .state = json->text("state"), .reason = json->text("reason"), .rules = {}, .from = read_time((*json)["from"]),
             .to = read_time((*json)["to"]), .started = read_time((*json)["started"]), .ended = read_time((*json)["ended"]), .reached = read_time((*json)["reached"])};
  for (const Json& rule : (*json)["rules"].as_array()) out.rules.push_back(rule.as_string());
  return out;
}

}  // namespace

Archives::Archives(Parts& parts) : kv_(parts.get<store::Kv>()), deliveries_(parts.get<delivery::Deliveries>()) {}

void Archives::start(Router& router) {
  router_ = &router;
  records().scan(kArchives, [&](std::string_view key, const std::string& text) {
    const auto json = Json::parse(text);
    const BusName name = BusName::from_key(key.substr(kArchives.size()));
    if (!json) return true;
    Kept kept;
    kept.archive = {.account = name.account, .region = name.region, .name = name.name, .source = json->text("source"), .description = json->text("description"),
                    .pattern = json->text("pattern"), .key_id = json->text("key"), .retention_days = (*json)["retention"].as_int().value_or(0), .created = read_time((*json)["created"])};
    if (const auto pattern = events::compile_pattern(kept.archive.pattern)) kept.index.emplace().add(1, *pattern);
    archives_[name.key()] = std::move(kept);
    return true;
  });
  deliveries_.open(kReplayChannel, {.in_flight_per_lane = 1, .in_flight_max = 10}, [this](const delivery::Entry& entry) { return attempt(entry); });
  arm();
}

void Archives::forget() { archives_.clear(); }

void Archives::arm() {
  store::Shard& shard = store::Shard::control();
  shard.reactor().at(shard.now() + kLookEvery, [this] {
    expire(store::Shard::control().now());
    arm();
  });
}

void Archives::expire(Time now) {
  for (const auto& [key, kept] : archives_)
    if (kept.archive.retention_days > 0)
      kv_.erase_range(range_start(kept.archive), event_key(kept.archive, now - std::chrono::days(kept.archive.retention_days), ""));
}

void Archives::record(const BusName& bus, const events::Event& event, const std::string& json) {
  if (archives_.empty()) return;
  const std::string arn = bus.arn();
  for (auto& [key, kept] : archives_) {
    if (kept.archive.source != arn || (kept.index && kept.index->match(json).empty())) continue;
    kv_.put(event_key(kept.archive, event.time, event.id), json);
  }
}

const Archive* Archives::find(const std::string& key) const {
  const auto found = archives_.find(key);
  return found == archives_.end() ? nullptr : &found->second.archive;
}

void Archives::put(Archive archive) {
  records().put(std::string(kArchives) + archive.key(), encode(archive));
  Kept& kept = archives_[archive.key()];
  kept.index.reset();
  if (const auto pattern = events::compile_pattern(archive.pattern)) kept.index.emplace().add(1, *pattern);
  kept.archive = std::move(archive);
}

void Archives::remove(const std::string& key) {
  const auto found = archives_.find(key);
  if (found == archives_.end()) return;
  if (size(found->second.archive).events > 0) kv_.erase_range(range_start(found->second.archive), range_end(found->second.archive));
  records().erase(std::string(kArchives) + key);
  archives_.erase(found);
}

std::vector<const Archive*> Archives::list(const std::string& scope) const {
  std::vector<const Archive*> out;
  for (auto it = archives_.lower_bound(scope); it != archives_.end() && it->first.starts_with(scope); ++it) out.push_back(&it->second.archive);
  return out;
}

Archives::Size Archives::size(const Archive& archive) const {
  Size out;
  const std::string end = range_end(archive);
  const auto cursor = kv_.cursor();
  for (cursor->seek(range_start(archive)); cursor->valid() && cursor->key() < end; cursor->next()) {
    ++out.events;
    out.bytes += static_cast<std::int64_t>(cursor->value().size());
  }
  return out;
}

std::optional<Replay> Archives::find_replay(const std::string& key) const {
  const std::string* text = records().find(std::string(kReplays) + key);
  return text ? decode_replay(key, *text) : std::nullopt;
}

void Archives::save(const Replay& replay) { records().put(std::string(kReplays) + replay.key(), encode(replay)); }

std::vector<Replay> Archives::list_replays(const std::string& scope) const {
  std::vector<Replay> out;
  records().scan(std::string(kReplays) + scope, [&](std::string_view key, const std::string& text) {
    if (auto replay = decode_replay(key.substr(kReplays.size()), text)) out.push_back(*std::move(replay));
    return true;
  });
  return out;
}

Task<void> Archives::begin(const Replay& replay) { return deliveries_.add(kReplayChannel, replay.key(), replay.key()); }

// Sends what is left of a replay, from where it stands: again only what followed the last point that was stored.
Task<delivery::Verdict> Archives::attempt(const delivery::Entry& entry) {
  auto replay = find_replay(entry.payload);
  if (!replay || (replay->state != "STARTING" && replay->state != "RUNNING")) co_return delivery::Verdict::done();
  store::Shard& control = store::Shard::control();
  replay->state = "RUNNING";
  save(*replay);
  const auto bus = parse_bus_arn(replay->destination);
  const std::string archive_key = replay->account + "/" + replay->region + "/" + replay->source.substr(replay->source.rfind('/') + 1);
  const Archive* archive = find(archive_key);
  if (!archive || !bus) {
    replay->state = "FAILED";
    replay->reason = "The archive or the event bus was deleted";
  } else {
    std::string next = event_key(*archive, std::max(replay->from, replay->reached), "");
    const std::string end = event_key(*archive, replay->to, "");
    while (true) {
      std::vector<std::string> batch;
      {
        const auto cursor = kv_.cursor();
        for (cursor->seek(next); cursor->valid() && cursor->key() < end && batch.size() < 100; cursor->next()) {
          batch.emplace_back(cursor->value());
          next = std::string(cursor->key()) + '\0';
        }
      }
      if (batch.empty()) break;
      for (const std::string& json : batch) {
        auto event = events::parse_event(json);
        if (!event) continue;
        event->replay_name = replay->name;
        replay->reached = event->time;
        co_await router_->route(*bus, *std::move(event), 0, replay->rules);
      }
      const auto now_stored = find_replay(entry.payload);
      if (!now_stored || now_stored->state == "CANCELLING") {
        if (now_stored) replay->state = "CANCELLED";
        break;
      }
      save(*replay);
    }
    if (replay->state == "RUNNING") replay->state = "COMPLETED";
  }
  replay->ended = control.now();
  if (find_replay(entry.payload)) save(*replay);
  co_await control.committed();
  co_return delivery::Verdict::done();
}

}  // namespace reef::service::eventbridge
