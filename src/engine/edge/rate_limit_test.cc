#include "engine/edge/rate_limit.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

int taken(RateLimit& limit, Time now, double rate, double burst, int tries) {
  int out = 0;
  for (int i = 0; i < tries; ++i) out += limit.take(now, rate, burst) ? 1 : 0;
  return out;
}

TEST(RateLimit, GivesTheBurstAtOnceAndTheRateAfter) {
  RateLimit limit;
  const Time start = from_seconds(1'000);
  EXPECT_EQ(taken(limit, start, 10, 5, 100), 5);
  EXPECT_EQ(taken(limit, start + 100ms, 10, 5, 100), 1);
  EXPECT_EQ(taken(limit, start + 350ms, 10, 5, 100), 2);
  EXPECT_EQ(taken(limit, start + 60s, 10, 5, 100), 5);   // no more than the burst, however long nobody came
}

TEST(RateLimit, KeepsTheRateOverTime) {
  RateLimit limit;
  int passed = 0;
  for (int i = 0; i < 10'000; ++i) passed += limit.take(from_seconds(1'000) + std::chrono::milliseconds(i), 100, 1) ? 1 : 0;
  EXPECT_EQ(passed, 1'000);
}

TEST(RateLimit, OfNothingLetsNothingPass) {
  RateLimit limit;
  EXPECT_FALSE(limit.take(from_seconds(1), 0, 10));
  EXPECT_FALSE(limit.take(from_seconds(1), 10, 0));
}

TEST(RateLimit, StartsAnewWhenTheClockWentBack) {
  RateLimit limit;
  EXPECT_EQ(taken(limit, from_seconds(1'000), 10, 5, 100), 5);
  EXPECT_EQ(taken(limit, from_seconds(900), 10, 5, 100), 5);
  EXPECT_EQ(taken(limit, from_seconds(901), 10, 5, 100), 5);
}

}  // namespace
}  // namespace reef::edge
