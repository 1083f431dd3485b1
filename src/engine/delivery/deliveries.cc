#include "engine/delivery/deliveries.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/log.h"
#include "engine/store/records.h"

namespace reef::delivery {
namespace {

// Two records each: the payload, written once, and the small state that changes with every attempt.
std::string key_of(const std::string& channel, EntryId id, std::string_view part) {
  return fmt::format("delivery/{}/{:016x}/{}", channel, id, part);
}

std::string encode_payload(const Entry& entry) {
  std::string bytes;
  ByteWriter out(bytes);
  out.bytes(entry.lane);
  out.fixed<std::int64_t>(to_micros(entry.created));
  out.bytes(entry.payload);
  return bytes;
}

std::string encode_state(const Entry& entry, Time due) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(entry.attempts);
  out.varint(entry.failures_in_row);
  out.fixed<std::int64_t>(to_micros(due));
  return bytes;
}

}  // namespace

struct Deliveries::Channel {
  std::string name;
  ChannelLimits limits;
  Outbox outbox;
  Handler handler;
  EntryId last_id = 0;
  io::Reactor::TimerId timer = 0;
  Time timer_at{};
  bool pumping = false;
};

Deliveries::Deliveries() = default;
Deliveries::~Deliveries() = default;

void Deliveries::open(const std::string& name, ChannelLimits limits, Handler handler) {
  store::Shard& control = store::Shard::control();
  auto& channel = channels_[name] = std::make_unique<Channel>(Channel{name, limits, Outbox(limits), std::move(handler)});
  const std::string prefix = fmt::format("delivery/{}/", name);
  Entry entry;
  std::vector<EntryId> halves;  // a crash may keep one record of the two, of an entry that was not accepted yet or is settled
  control.records().scan(prefix, [&](std::string_view key, const std::string& value) {
    const std::string_view rest = key.substr(prefix.size());
    if (rest.size() < 18) return true;
    EntryId id = 0;
    std::from_chars(rest.data(), rest.data() + 16, id, 16);
    ByteReader in(value);
    if (rest.substr(17) == "p") {
      if (entry.id) halves.push_back(entry.id);
      entry = {.id = id};
      entry.lane = in.text();
      entry.created = from_micros(in.fixed<std::int64_t>());
      entry.payload = in.text();
    } else if (rest.substr(17) == "s" && entry.id == id) {
      entry.attempts = static_cast<std::uint32_t>(in.varint());
      entry.failures_in_row = static_cast<std::uint32_t>(in.varint());
      const Time due = from_micros(in.fixed<std::int64_t>());
      channel->last_id = std::max(channel->last_id, id);
      channel->outbox.add(std::move(entry), due);
      entry = {};
    } else {
      halves.push_back(id);
    }
    return true;
  });
  if (entry.id) halves.push_back(entry.id);
  for (const EntryId id : halves)
    for (const char* part : {"p", "s"}) control.records().erase(key_of(name, id, part));
  control.reactor().post([this, target = channel.get()] { pump(*target); });
}

Task<void> Deliveries::add(std::string name, std::string lane, std::string payload, Duration delay) {
  store::Shard& control = store::Shard::control();
  store::Shard& home = store::Shard::current();
  co_await control.enter();
  const auto found = channels_.find(name);
  CHECK(found != channels_.end());
  Channel& channel = *found->second;
  Entry entry{.id = ++channel.last_id, .lane = std::move(lane), .payload = std::move(payload), .created = control.now()};
  const Time due = entry.created + delay;
  control.records().put(key_of(name, entry.id, "p"), encode_payload(entry));
  control.records().put(key_of(name, entry.id, "s"), encode_state(entry, due));
  channel.outbox.add(std::move(entry), due);
  co_await control.committed();
  pump(channel);
  co_await home.enter();
}

void Deliveries::drop_lane(const std::string& name, const std::string& lane) {
  const auto found = channels_.find(name);
  if (found == channels_.end()) return;
  store::Records& records = store::Shard::control().records();
  for (const EntryId id : found->second->outbox.drop_lane(lane)) {
    records.erase(key_of(name, id, "p"));
    records.erase(key_of(name, id, "s"));
  }
}

void Deliveries::forget() {
  for (auto& [name, channel] : channels_) channel->outbox = Outbox(channel->limits);
}

std::size_t Deliveries::waiting(const std::string& name) const {
  const auto found = channels_.find(name);
  return found == channels_.end() ? 0 : found->second->outbox.size();
}

// Starts what is due and sees to it that the next one is noticed.
void Deliveries::pump(Channel& channel) {
  if (stopping_ || channel.pumping) return;
  store::Shard& control = store::Shard::control();
  channel.pumping = true;
  for (auto ids = channel.outbox.take(control.now()); !ids.empty(); ids = channel.outbox.take(control.now()))
    for (const EntryId id : ids) attempt(channel, id).detach();
  channel.pumping = false;
  const auto next = channel.outbox.next_due();
  if (!next || (channel.timer != 0 && channel.timer_at <= *next)) return;
  control.reactor().cancel(channel.timer);
  channel.timer_at = *next;
  channel.timer = control.reactor().at(*next, [this, &channel] {
    channel.timer = 0;
    pump(channel);
  });
}

Task<void> Deliveries::attempt(Channel& channel, EntryId id) {
  const Entry* entry = channel.outbox.find(id);
  if (!entry) co_return;
  const Entry copy = *entry;
  const Verdict verdict = co_await channel.handler(copy);
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  store::Records& records = control.records();
  if (verdict.is_done) {
    records.erase(key_of(channel.name, id, "p"));
    records.erase(key_of(channel.name, id, "s"));
    channel.outbox.done(id);
  } else {
    channel.outbox.retry(id, verdict.retry_after, verdict.counts, control.now());
    if (const Entry* again = channel.outbox.find(id))
      records.put(key_of(channel.name, id, "s"), encode_state(*again, control.now() + verdict.retry_after));
  }
  pump(channel);
}

}  // namespace reef::delivery
