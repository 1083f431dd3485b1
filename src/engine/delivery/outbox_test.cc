#include "engine/delivery/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace reef::delivery
