#include "engine/queue/queues.h"

#include <algorithm>

#include "engine/queue/queue_shard.h"

namespace reef::queue {
namespace {

Message to_message(QueueShard& home, const Leased& leased) {
  return {.payload = home.shard.journal().read(leased.payload),
          .handle = {.slot = leased.slot, .lease_number = leased.lease_number, .sequence = leased.sequence},
          .sent_at = leased.sent_at,
          .first_received_at = leased.first_received_at,
          .receive_count = leased.receive_count};
}

Handle handle_of(const Leased& leased) {
  return {.slot = leased.slot, .lease_number = leased.lease_number, .sequence = leased.sequence};
}

}  // namespace

Queues::Queues() {
  for (std::size_t i = 0; i < store::Shard::count(); ++i)
    shards_.push_back(std::make_unique<QueueShard>(store::Shard::at(i)));
}
Queues::~Queues() = default;

QueueShard& Queues::shard_of(std::string_view key) { return *shards_[store::Shard::owner_of(key).index()]; }

Task<Queues::Opened> Queues::open(std::string key, Settings settings) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Opened> {
    if (const QueueShard::Open* open = home.find(key)) co_return Opened{false, open->queue.settings()};
    const QueueShard::Open& opened = home.open(key, settings);
    Opened out{true, opened.queue.settings()};
    co_await home.shard.committed();
    co_return out;
  });
}

Task<Result<void, Refusal>> Queues::change(std::string key, std::function<void(Settings&)> edit) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<void, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    Settings settings = open->queue.settings();
    edit(settings);
    open->queue.set_settings(std::move(settings));
    home.record_settings(*open);
    co_await home.shard.committed();
    co_return Result<void, Refusal>();
  });
}

Task<Result<void, Refusal>> Queues::drop(std::string key) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<void, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    home.drop(*open);
    co_await home.shard.committed();
    co_return Result<void, Refusal>();
  });
}

Task<Result<Settings, Refusal>> Queues::settings(std::string key) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<Settings, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    co_return open->queue.settings();
  });
}

Task<Result<Counts, Refusal>> Queues::counts(std::string key) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<Counts, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    open->queue.tick(home.shard.now(), *open);
    co_return open->queue.counts();
  });
}

Task<std::vector<std::string>> Queues::list(std::string prefix) {
  std::vector<std::string> keys;
  for (const auto& home : shards_)
    co_await store::on(home->shard, [&]() -> Task<void> {
      const auto& all = home->all();
      for (auto at = all.lower_bound(prefix); at != all.end() && at->first.starts_with(prefix); ++at)
        keys.push_back(at->first);
      co_return;
    });
  std::sort(keys.begin(), keys.end());
  co_return keys;
}

Task<std::vector<std::pair<std::string, Settings>>> Queues::select(
    std::function<bool(const std::string&, const Settings&)> accept) {
  std::vector<std::pair<std::string, Settings>> found;
  for (const auto& home : shards_)
    co_await store::on(home->shard, [&]() -> Task<void> {
      for (const auto& [key, open] : home->all())
        if (accept(key, open->queue.settings())) found.emplace_back(key, open->queue.settings());
      co_return;
    });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  co_return found;
}

Task<Result<std::vector<Sent>, Refusal>> Queues::send(std::string key, std::vector<NewMessage> messages) {
  return send(std::move(key), [messages = std::move(messages)](const Settings&, std::vector<NewMessage>& out) {
    out = messages;
    return true;
  });
}

Task<Result<std::vector<Sent>, Refusal>> Queues::send(std::string key, Prepare prepare) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<std::vector<Sent>, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    std::vector<NewMessage> messages;
    if (!prepare(open->queue.settings(), messages)) co_return Err(Refusal::kNotPrepared);
    std::vector<Sent> sent;
    sent.reserve(messages.size());
    for (const NewMessage& message : messages)
      sent.push_back(open->queue.send({.payload = message.payload,
                                       .group = message.group,
                                       .dedup_id = message.dedup_id,
                                       .delay = message.delay,
                                       .sent_at = message.sent_at,
                                       .id = message.id},
                                      home.shard.now(), *open));
    co_await home.shard.committed();
    // Polls are woken after the commit: a message that could still be lost must not be handed out.
    if (QueueShard::Open* still = home.find(key); still && !still->waiters.empty()) home.wake(*still);
    co_return sent;
  });
}

Task<Result<std::vector<Message>, Refusal>> Queues::receive(std::string key, ReceiveOptions options) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<std::vector<Message>, Refusal>> {
    std::int64_t deadline = -1;
    for (;;) {
      QueueShard::Open* open = home.find(key);
      if (!open) co_return Err(Refusal::kNoSuchQueue);
      if (deadline >= 0 && options.abandoned && options.abandoned->load()) {
        home.wake(*open);  // whoever waits next is meant
        co_return std::vector<Message>{};
      }
      std::vector<Leased> exhausted;
      auto leased = open->queue.receive({.count_max = options.count_max, .lease = options.lease, .attempt = options.attempt}, home.shard.now(),
                                        *open, exhausted);
      if (!exhausted.empty())
        move_exhausted(key, open->queue.settings().dead_letter_queue, std::move(exhausted)).detach();
      if (!leased) co_return Err(leased.error());
      const std::int64_t now = io::monotonic_micros();
      if (deadline < 0) deadline = now + options.wait.value_or(open->queue.settings().wait).count();
      if (!leased->empty() || now >= deadline || stopping_) {
        std::vector<Message> messages;
        messages.reserve(leased->size());
        for (const Leased& one : *leased) messages.push_back(to_message(home, one));
        co_await home.shard.committed();
        co_return messages;
      }
      Later<bool> woken;
      open->waiters.push_back(&woken);
      home.wake(*open);  // arms the timer for the next lease or delay that ends
      // A long poll is the client's own patience, so it follows real time.
      const auto timer = home.shard.reactor().after(Duration(deadline - now), [&] { woken.set(false); });
      co_await woken;
      home.shard.reactor().cancel(timer);
      if (QueueShard::Open* still = home.find(key)) std::erase(still->waiters, &woken);
    }
  });
}

// Copies first and removes afterwards: a crash in between duplicates, it never loses.
Task<void> Queues::move_exhausted(std::string key, std::string target, std::vector<Leased> exhausted) {
  QueueShard& home = shard_of(key);
  std::vector<NewMessage> messages;
  std::vector<Handle> handles;
  for (const Leased& one : exhausted) {
    std::string payload = home.shard.journal().read(one.payload);
    // The lease that set the message aside is not one that somebody received.
    messages.push_back({.payload = mark_ ? mark_(key, std::move(payload), one.receive_count - 1) : std::move(payload),
                        .group = one.group, .dedup_id = std::to_string(one.sequence) + key,
                        .sent_at = one.sent_at});
    handles.push_back(handle_of(one));
  }
  const auto sent = co_await send(std::move(target), std::move(messages));
  if (!sent) {
    // Without its dead letter queue the message stays where it is.
    std::vector<std::pair<Handle, Duration>> changes;
    for (const Handle& handle : handles) changes.emplace_back(handle, 0s);
    static_cast<void>(co_await change_lease(key, std::move(changes)));
    co_return;
  }
  static_cast<void>(co_await remove(std::move(key), std::move(handles)));
}

Task<Result<std::vector<Result<void, Refusal>>, Refusal>> Queues::remove(std::string key, std::vector<Handle> handles) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<std::vector<Result<void, Refusal>>, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    std::vector<Result<void, Refusal>> out;
    for (const Handle& handle : handles) out.push_back(open->queue.remove(handle, home.shard.now(), *open));
    if (!open->waiters.empty()) home.wake(*open);  // a FIFO group may have become free
    co_await home.shard.committed();
    co_return out;
  });
}

Task<Result<std::vector<Result<void, Refusal>>, Refusal>> Queues::change_lease(
    std::string key, std::vector<std::pair<Handle, Duration>> changes) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<std::vector<Result<void, Refusal>>, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    std::vector<Result<void, Refusal>> out;
    for (const auto& [handle, after] : changes)
      out.push_back(open->queue.change_lease(handle, after, home.shard.now(), *open));
    if (!open->waiters.empty()) home.wake(*open);
    co_await home.shard.committed();
    co_return out;
  });
}

Task<Result<void, Refusal>> Queues::purge(std::string key) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<void, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    CO_TRY(open->queue.purge(home.shard.now(), *open));
    co_await home.shard.committed();
    co_return Result<void, Refusal>();
  });
}

Task<Result<std::vector<Message>, Refusal>> Queues::peek(std::string key, std::uint32_t count_max) {
  QueueShard& home = shard_of(key);
  co_return co_await store::on(home.shard, [&]() -> Task<Result<std::vector<Message>, Refusal>> {
    QueueShard::Open* open = home.find(key);
    if (!open) co_return Err(Refusal::kNoSuchQueue);
    std::vector<Leased> exhausted;
    const auto seen = CO_TRY(open->queue.receive({.count_max = count_max, .peek = true}, home.shard.now(), *open, exhausted));
    std::vector<Message> messages;
    for (const Leased& one : seen) messages.push_back(to_message(home, one));
    co_return messages;
  });
}

void Queues::stop_waiting() {
  stopping_ = true;
  for (const auto& home : shards_) home->shard.reactor().post([shard = home.get()] { shard->wake_all(); });
}

}  // namespace reef::queue
