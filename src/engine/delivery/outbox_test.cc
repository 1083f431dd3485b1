#include "engine/delivery/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "engine/store/simulation.h"

namespace reef::delivery {
namespace {

const Time kNow = from_seconds(1'000);
Entry entry(EntryId id, std::string lane) { return {.id = id, .lane = std::move(lane), .payload = "p", .created = kNow}; }

TEST(Outbox, DeliversWhenDueAndForgetsWhatIsDone) {
  Outbox outbox;
  outbox.add(entry(1, "a"), kNow);
  outbox.add(entry(2, "a"), kNow + 5s);
  EXPECT_EQ(outbox.take(kNow), std::vector<EntryId>{1});
  EXPECT_TRUE(outbox.take(kNow).empty());
  EXPECT_EQ(outbox.next_due(), kNow + 5s);
  outbox.done(1);
  EXPECT_EQ(outbox.take(kNow + 5s), std::vector<EntryId>{2});
  outbox.done(2);
  EXPECT_EQ(outbox.size(), 0u);
}

TEST(Outbox, RetriesLaterAndCountsWhatCounts) {
  Outbox outbox;
  outbox.add(entry(1, "a"), kNow);
  outbox.take(kNow);
  outbox.retry(1, 60s, true, kNow);
  EXPECT_TRUE(outbox.take(kNow + 59s).empty());
  EXPECT_EQ(outbox.take(kNow + 60s).size(), 1u);
  outbox.retry(1, 1s, false, kNow + 60s);
  EXPECT_EQ(outbox.find(1)->attempts, 1u);
  EXPECT_EQ(outbox.find(1)->failures_in_row, 2u);
}

TEST(Outbox, ASlowLaneHoldsUpNobody) {
  Outbox outbox({.in_flight_per_lane = 2, .in_flight_max = 3});
  for (EntryId id = 1; id <= 4; ++id) outbox.add(entry(id, "slow"), kNow);
  outbox.add(entry(5, "fast"), kNow);
  const auto taken = outbox.take(kNow);
  EXPECT_EQ(taken.size(), 3u);
  EXPECT_NE(std::find(taken.begin(), taken.end(), 5u), taken.end());
  outbox.done(1);
  EXPECT_EQ(outbox.take(kNow), std::vector<EntryId>{3});
}

TEST(Outbox, DropsALane) {
  Outbox outbox({.in_flight_per_lane = 1});
  for (EntryId id = 1; id <= 3; ++id) outbox.add(entry(id, "a"), kNow);
  outbox.add(entry(4, "b"), kNow + 1s);
  EXPECT_EQ(outbox.take(kNow), std::vector<EntryId>{1});
  EXPECT_EQ(outbox.drop_lane("a"), (std::vector<EntryId>{2, 3}));
  outbox.done(1);
  EXPECT_EQ(outbox.size(), 1u);
}

TEST(Backoff, DoublesUpToItsMost) {
  EXPECT_EQ(backoff(0, 1s, 5min), 1s);
  EXPECT_EQ(backoff(3, 1s, 5min), 8s);
  EXPECT_EQ(backoff(50, 1s, 5min), 5min);
}

// What the store would hold: an entry until it was settled, with its due time and its counted attempts.
struct Durable {
  Entry entry;
  Time due{};
};

void simulate(std::uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  const ChannelLimits limits{.in_flight_per_lane = 3, .in_flight_max = 7};
  Outbox outbox(limits);
  std::map<EntryId, Durable> stored;
  std::map<EntryId, int> delivered;
  std::vector<EntryId> flying;
  Time now = kNow;
  EntryId last = 0;
  const auto take = [&] {
    for (const EntryId id : outbox.take(now)) {
      ASSERT_TRUE(stored.contains(id));
      ASSERT_LE(stored[id].due, now);
      ASSERT_EQ(std::count(flying.begin(), flying.end(), id), 0);
      flying.push_back(id);
    }
    ASSERT_LE(flying.size(), limits.in_flight_max);
    std::map<std::string, std::uint32_t> per_lane;
    for (const EntryId id : flying) ASSERT_LE(++per_lane[stored[id].entry.lane], limits.in_flight_per_lane);
  };
  const auto settle = [&](std::size_t at, bool succeeded) {
    const EntryId id = flying[at];
    flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(at));
    if (succeeded) {
      ++delivered[id];
      stored.erase(id);
      return outbox.done(id);
    }
    const Duration delay = backoff(stored[id].entry.failures_in_row, 1s, 30s);
    outbox.retry(id, delay, true, now);
    stored[id] = {*outbox.find(id), now + delay};
  };
  for (int step = 0; step < 500; ++step) {
    now += Duration(static_cast<std::int64_t>(random.below(3'000'000)));
    switch (random.below(8)) {
      case 0: case 1: case 2: {
        const Time due = now + (random.below(3) ? 0s : 5s);
        const Entry added{.id = ++last, .lane = std::string(1, static_cast<char>('a' + random.below(4))), .payload = "p", .created = now};
        stored[last] = {added, due};
        outbox.add(added, due);
        break;
      }
      case 3: case 4: take(); break;
      case 5: case 6:
        if (!flying.empty()) settle(random.below(flying.size()), random.below(3) != 0);
        break;
      case 7: {  // a crash: what was in flight is attempted again
        if (random.below(6)) break;
        outbox = Outbox(limits);
        flying.clear();
        for (const auto& [id, one] : stored) outbox.add(one.entry, one.due);
        break;
      }
    }
    ASSERT_EQ(outbox.size(), stored.size());
  }
  for (int round = 0; outbox.size() > 0; ++round) {
    ASSERT_LT(round, 10'000) << "it never empties";
    take();
    while (!flying.empty()) settle(0, true);
    if (const auto next = outbox.next_due()) now = std::max(now, *next);
  }
  EXPECT_TRUE(stored.empty());
  for (EntryId id = 1; id <= last; ++id) EXPECT_EQ(delivered[id], 1) << id;
}

TEST(OutboxSimulation, DeliversEverythingOverCrashesAtAnyPoint) {
  const store::SimulationSeeds seeds(50);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) simulate(seed);
}

}  // namespace
}  // namespace reef::delivery
