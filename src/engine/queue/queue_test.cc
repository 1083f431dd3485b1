#include "engine/queue/queue.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "engine/store/simulation.h"

namespace reef::queue {
namespace {

// Keeps every record, as a journal would.
struct Recorder final : Effects {
  store::RecordRef record(std::string_view bytes) override {
    records.emplace_back(bytes);
    return {.segment = 1, .offset = static_cast<std::uint32_t>(records.size() - 1) * 1000,
            .size = static_cast<std::uint32_t>(bytes.size())};
  }
  // The payload of a message, whose reference counts from the record's start.
  std::string payload(store::RecordRef at) const {
    const std::string& bytes = records[at.offset / 1000];
    return bytes.substr(at.offset % 1000, at.size);
  }
  std::vector<std::string> records;
};

Handle handle_of(const Leased& leased) {
  return {.slot = leased.slot, .lease_number = leased.lease_number, .sequence = leased.sequence};
}

class QueueTest : public testing::Test {
 protected:
  std::vector<Leased> take(Queue& queue, std::uint32_t count = 10, std::optional<Duration> lease = {}) {
    auto got = queue.receive({.count_max = count, .lease = lease}, now_, effects_, exhausted_);
    EXPECT_TRUE(got.has_value());
    return got ? *got : std::vector<Leased>{};
  }
  std::string bodies(const std::vector<Leased>& messages) {
    std::string out;
    for (const Leased& message : messages) out += effects_.payload(message.payload) + " ";
    return out;
  }
  Recorder effects_;
  Time now_ = from_seconds(1'800'000'000);
  std::vector<Leased> exhausted_;
};

TEST_F(QueueTest, HidesAMessageUntilItsLeaseEnds) {
  Queue queue(1, {});
  queue.send({.payload = "a"}, now_, effects_);
  const auto first = take(queue);
  ASSERT_EQ(bodies(first), "a ");
  EXPECT_TRUE(take(queue).empty());
  now_ += 29s;
  EXPECT_TRUE(take(queue).empty());
  now_ += 1s;
  const auto second = take(queue);
  ASSERT_EQ(bodies(second), "a ");
  EXPECT_EQ(second[0].receive_count, 2u);
  EXPECT_EQ(second[0].first_received_at, first[0].first_received_at);
  // Any handle that was given out for a message of a standard queue removes it.
  EXPECT_TRUE(queue.remove(handle_of(first[0]), now_, effects_).has_value());
  EXPECT_EQ(queue.remove(handle_of(second[0]), now_, effects_).error(), Refusal::kNoSuchMessage);
}

TEST_F(QueueTest, DelaysAndLeaseChangesFollowTheClock) {
  Queue queue(1, {.delay = 5s});
  queue.send({.payload = "late"}, now_, effects_);
  queue.send({.payload = "now", .delay = 0s}, now_, effects_);
  const auto first = take(queue);
  EXPECT_EQ(bodies(first), "now ");
  EXPECT_EQ(queue.counts().delayed, 1u);
  EXPECT_EQ(*queue.next_visible(), now_ + 5s);
  EXPECT_TRUE(queue.change_lease(handle_of(first[0]), 0s, now_, effects_).has_value());
  // An old handle may hide a message that waits again.
  EXPECT_TRUE(queue.change_lease(handle_of(first[0]), 5s, now_, effects_).has_value());
  EXPECT_TRUE(take(queue).empty());
  now_ += 5s;
  EXPECT_EQ(take(queue).size(), 2u);
}

TEST_F(QueueTest, ForgetsMessagesOlderThanTheRetention) {
  Queue queue(1, {.retention = 60s});
  queue.send({.payload = "old"}, now_, effects_);
  now_ += 50s;
  queue.send({.payload = "new"}, now_, effects_);
  now_ += 11s;
  EXPECT_EQ(bodies(take(queue)), "new ");
}

TEST_F(QueueTest, SetsAsideWhatWasReceivedTooOften) {
  Queue queue(1, {.lease = 1s, .dead_letter_queue = "dlq", .receives_max = 2});
  queue.send({.payload = "poison"}, now_, effects_);
  for (int i = 0; i < 2; ++i, now_ += 1s) EXPECT_EQ(take(queue).size(), 1u);
  EXPECT_TRUE(take(queue).empty());
  ASSERT_EQ(exhausted_.size(), 1u);
  EXPECT_TRUE(queue.remove(handle_of(exhausted_[0]), now_, effects_).has_value());
}

TEST_F(QueueTest, FifoKeepsOrderWithinAGroupAndLocksIt) {
  Queue queue(1, {.is_fifo = true});
  int id = 0;
  for (const char* payload : {"a1", "a2", "b1", "a3"})
    queue.send({.payload = payload, .group = std::string_view(payload, 1), .dedup_id = std::to_string(++id)}, now_, effects_);
  const auto first = take(queue, 2);
  EXPECT_EQ(bodies(first), "a1 a2 ");
  EXPECT_EQ(bodies(take(queue)), "b1 ");  // a is locked
  EXPECT_TRUE(queue.remove(handle_of(first[0]), now_, effects_).has_value());
  EXPECT_TRUE(take(queue).empty());
  now_ += 30s;
  EXPECT_EQ(queue.remove(handle_of(first[1]), now_, effects_).error(), Refusal::kHandleExpired);
  EXPECT_EQ(bodies(take(queue)), "a2 a3 b1 ");
}

TEST_F(QueueTest, AMessageWhoseLeaseEndedComesBeforeNewerOnes) {
  Queue queue(1, {.lease = 3s});
  for (const char* payload : {"a", "b"}) queue.send({.payload = payload}, now_, effects_);
  EXPECT_EQ(bodies(take(queue)), "a b ");
  queue.send({.payload = "c"}, now_, effects_);
  now_ += 3s;
  EXPECT_EQ(bodies(take(queue)), "a b c ");
}

TEST_F(QueueTest, FifoGroupsTakeTurns) {
  Queue queue(1, {.is_fifo = true});
  int id = 0;
  for (const char* payload : {"a1", "b1", "b2", "c1", "a2"})
    queue.send({.payload = payload, .group = std::string_view(payload, 1), .dedup_id = std::to_string(++id)}, now_, effects_);
  EXPECT_EQ(bodies(take(queue, 3, 0s)), "a1 a2 b1 ");
  const auto all = take(queue);
  EXPECT_EQ(bodies(all), "c1 a1 a2 b1 b2 ");
  EXPECT_EQ(all[0].group, "c");
  // A message that is free again is handed out although a later one of its group is still leased.
  EXPECT_TRUE(queue.change_lease(handle_of(all[1]), 0s, now_, effects_).has_value());
  EXPECT_TRUE(queue.change_lease(handle_of(all[4]), 0s, now_, effects_).has_value());
  const auto again = take(queue);
  EXPECT_EQ(bodies(again), "a1 ");
  EXPECT_EQ(queue.change_lease(handle_of(all[1]), 9s, now_, effects_).error(), Refusal::kNotLeased);
}

TEST_F(QueueTest, APurgeForgetsWhatWasSent) {
  Queue queue(1, {.is_fifo = true});
  queue.send({.payload = "x", .group = "g", .dedup_id = "d"}, now_, effects_);
  EXPECT_TRUE(queue.purge(now_, effects_).has_value());
  EXPECT_FALSE(queue.send({.payload = "y", .group = "g", .dedup_id = "d"}, now_, effects_).is_duplicate);
  EXPECT_EQ(bodies(take(queue)), "y ");
}

TEST_F(QueueTest, FifoDropsDuplicatesForFiveMinutes) {
  Queue queue(1, {.is_fifo = true});
  const Sent first = queue.send({.payload = "x", .group = "g", .dedup_id = "d", .id = "id-1"}, now_, effects_);
  const Sent again = queue.send({.payload = "x", .group = "g", .dedup_id = "d", .id = "id-2"}, now_, effects_);
  EXPECT_TRUE(again.is_duplicate);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(again.original_id, "id-1");
  now_ += Queue::kDedupWindow;
  EXPECT_FALSE(queue.send({.payload = "x", .group = "g", .dedup_id = "d"}, now_, effects_).is_duplicate);
}

TEST_F(QueueTest, PurgesAtMostOnceAMinute) {
  Queue queue(1, {});
  queue.send({.payload = "x"}, now_, effects_);
  EXPECT_TRUE(queue.purge(now_, effects_).has_value());
  EXPECT_TRUE(take(queue).empty());
  EXPECT_EQ(queue.purge(now_ + 59s, effects_).error(), Refusal::kRecentlyPurged);
  EXPECT_TRUE(queue.purge(now_ + 60s, effects_).has_value());
}

// Random commands with crashes at any point: a queue rebuilt from records, or from a save and the records after it,
// behaves as the one that went on; no message is lost or handed out twice at the same time.
void simulate(std::uint64_t seed, bool is_fifo) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  Recorder effects;
  const Settings settings{.lease = 10s, .is_fifo = is_fifo};
  auto queue = std::make_unique<Queue>(1, settings);
  Time now = from_seconds(1'800'000'000);
  std::vector<Leased> leased, exhausted;
  std::set<std::string> alive;
  std::string saved;
  std::size_t saved_at = 0;
  for (int step = 0; step < 400; ++step) {
    now += Duration(static_cast<std::int64_t>(random.below(2'000'000)));
    switch (random.below(8)) {
      case 0: case 1: case 2: {
        const std::string id = std::to_string(step);
        queue->send({.payload = id, .group = std::string(1, static_cast<char>('a' + random.below(3))), .dedup_id = id,
                     .delay = random.below(4) ? 0s : 3s}, now, effects);
        alive.insert(id);
        break;
      }
      case 3: case 4: {
        auto got = queue->receive({.count_max = 1 + static_cast<std::uint32_t>(random.below(4))}, now, effects, exhausted);
        ASSERT_TRUE(got.has_value());
        for (const Leased& one : *got) {
          ASSERT_TRUE(alive.contains(effects.payload(one.payload)));
          leased.push_back(one);
        }
        break;
      }
      case 5:
        if (!leased.empty()) {
          const Leased one = leased[random.below(leased.size())];
          if (queue->remove(handle_of(one), now, effects)) ASSERT_EQ(alive.erase(effects.payload(one.payload)), 1u);
        }
        break;
      case 6:
        if (!leased.empty())
          static_cast<void>(queue->change_lease(handle_of(leased[random.below(leased.size())]), Duration(random.below(20'000'000)), now, effects));
        break;
      case 7: {
        if (random.below(2)) {
          saved.clear();
          queue->save(saved);
          saved_at = effects.records.size();
        }
        auto rebuilt = std::make_unique<Queue>(1, settings);
        ByteReader in(saved);
        if (!saved.empty()) ASSERT_TRUE(rebuilt->load(in));
        for (std::size_t i = saved_at; i < effects.records.size(); ++i)
          ASSERT_TRUE(rebuilt->replay(effects.records[i], {.segment = 1, .offset = static_cast<std::uint32_t>(i) * 1000,
                                                           .size = static_cast<std::uint32_t>(effects.records[i].size())}));
        queue->tick(now, effects);
        rebuilt->tick(now, effects);
        ASSERT_EQ(rebuilt->counts().waiting, queue->counts().waiting);
        ASSERT_EQ(rebuilt->counts().leased, queue->counts().leased);
        ASSERT_EQ(rebuilt->counts().delayed, queue->counts().delayed);
        queue = std::move(rebuilt);
        break;
      }
    }
    const Counts counts = queue->counts();
    ASSERT_EQ(counts.waiting + counts.leased + counts.delayed, alive.size());
  }
  // In the end everything that was not removed comes out, once.
  now += 1h;
  std::set<std::string> out;
  for (int i = 0; i < 1000; ++i) {
    auto got = queue->receive({.count_max = 10}, now, effects, exhausted);
    for (const Leased& one : *got) {
      ASSERT_TRUE(out.insert(effects.payload(one.payload)).second);
      ASSERT_TRUE(queue->remove(handle_of(one), now, effects).has_value());
    }
  }
  EXPECT_EQ(out, alive);
}

TEST(QueueSimulation, SurvivesCrashesAtAnyPoint) {
  const store::SimulationSeeds seeds(60);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) simulate(seed, seed % 2);
}

}  // namespace
TEST_F(QueueTest, AnAttemptAskedAgainGetsTheSameMessages) {
  Queue queue(1, {.is_fifo = true});
  for (const char* id : {"1", "2", "3"}) queue.send({.payload = id, .group = id, .dedup_id = id}, now_, effects_);
  const auto ask = [&](std::string_view attempt) { return *queue.receive({.count_max = 2, .attempt = attempt}, now_, effects_, exhausted_); };
  const auto first = ask("try");
  EXPECT_EQ(bodies(first), "1 2 ");
  now_ += 20s;
  const auto again = ask("try");
  ASSERT_EQ(bodies(again), "1 2 ");
  EXPECT_EQ(again[0].lease_number, first[0].lease_number);
  EXPECT_EQ(again[0].receive_count, 1u);
  // The lease began anew with the second try.
  now_ += 20s;
  EXPECT_EQ(bodies(ask("other")), "3 ");
  EXPECT_TRUE(queue.remove(handle_of(again[0]), now_, effects_).has_value());
  // What was changed since is not given again, and what is leased is not given at all.
  EXPECT_TRUE(ask("try").empty());
  now_ += 30s;
  EXPECT_EQ(bodies(ask("third")), "2 3 ");
  // A name means nothing after its window.
  now_ += ReceiveAttempts::kWindow;
  EXPECT_EQ(bodies(ask("third")), "2 3 ");
  EXPECT_EQ(queue.counts().leased, 2u);
}

}  // namespace reef::queue
