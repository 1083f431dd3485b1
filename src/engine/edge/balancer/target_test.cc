#include "engine/edge/balancer/target.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace reef::edge {
namespace {

LoopGroup group_of(std::size_t count, Algorithm algorithm = Algorithm::kRoundRobin) {
  auto settings = std::make_shared<GroupSettings>();
  settings->algorithm = algorithm;
  auto set = std::make_shared<TargetSet>();
  for (std::size_t i = 0; i < count; ++i) set->usable.push_back(std::make_shared<Target>(std::to_string(i), "127.0.0.1", 8000 + static_cast<int>(i), 1));
  return {.settings = settings, .targets = set};
}
GroupSettings& settings_of(LoopGroup& group) { return const_cast<GroupSettings&>(*group.settings); }

std::map<std::string, int> spread(LoopGroup& group, int requests, Time now = from_micros(0)) {
  SeededRandom random(1);
  std::map<std::string, int> out;
  for (int i = 0; i < requests; ++i) ++out[(*choose_target(group, 0, now, random.next()))->id];
  return out;
}

TEST(Target, RoundRobinIsEven) {
  auto group = group_of(3);
  for (const auto& [id, count] : spread(group, 300)) EXPECT_EQ(count, 100) << id;
  auto empty = group_of(0);
  EXPECT_EQ(choose_target(empty, 0, from_micros(0), 1), nullptr);
}

TEST(Target, LeastOutstandingAvoidsTheBusy) {
  auto group = group_of(3, Algorithm::kLeastOutstanding);
  group.targets->usable[0]->outstanding = 5;
  auto counts = spread(group, 1000);
  EXPECT_EQ(counts["0"], 0);
  EXPECT_NEAR(counts["1"], 500, 60);
  auto large = group_of(1000, Algorithm::kLeastOutstanding);
  for (const auto& target : large.targets->usable) target->outstanding = target->id == "7" ? 0 : 3;
  EXPECT_GT(spread(large, 10'000)["7"], 40);
}

TEST(Target, SlowStartRampsUp) {
  auto group = group_of(2);
  settings_of(group).slow_start = 100s;
  group.targets->usable[1]->healthy_since = to_micros(from_micros(0) + 1000s);
  auto counts = spread(group, 1000, from_micros(0) + 1010s);   // a tenth of the way
  EXPECT_GT(counts["1"], 40);
  EXPECT_LT(counts["1"], 160);
  counts = spread(group, 1000, from_micros(0) + 1100s);
  EXPECT_EQ(counts["1"], 500);
}

TEST(Target, AnomalousTargetsGetLittle) {
  auto group = group_of(4, Algorithm::kWeightedRandom);
  settings_of(group).mitigates_anomalies = true;
  group.targets->usable[2]->is_anomalous = true;
  auto counts = spread(group, 4000);
  EXPECT_LT(counts["2"], 150);
  EXPECT_GT(counts["2"], 5);
  EXPECT_GT(counts["1"], 1000);
}

TEST(Target, StickyRequestsStayUntilTheirTargetIsGone) {
  auto group = group_of(3);
  const std::uint64_t key = group.targets->usable[2]->key;
  for (int i = 0; i < 5; ++i) EXPECT_EQ((*choose_target(group, key, from_micros(0), 1))->id, "2");
  EXPECT_NE(choose_target(group, 12345, from_micros(0), 1), nullptr);
}

TEST(Target, AllGetTrafficWhenTooFewAreHealthy) {
  GroupSettings settings;
  EXPECT_TRUE(fails_open(settings, 0, 4));
  EXPECT_FALSE(fails_open(settings, 1, 4));
  settings.healthy_count_min = 2;
  EXPECT_TRUE(fails_open(settings, 1, 4));
  settings.healthy_percent_min = 75;
  EXPECT_TRUE(fails_open(settings, 2, 4));
  EXPECT_FALSE(fails_open(settings, 3, 4));
}

}  // namespace
namespace {
LoopGroup guarded(GroupSettings settings, int count) {
  LoopGroup group;
  group.settings = std::make_shared<const GroupSettings>(std::move(settings));
  auto set = std::make_shared<TargetSet>();
  for (int i = 0; i < count; ++i) set->usable.push_back(std::make_shared<Target>("t" + std::to_string(i), "127.0.0.1", 80 + i, 1));
  group.targets = std::move(set);
  return group;
}
}  // namespace

TEST(Outliers, AreLeftOutForAWhileAndLongerEachTime) {
  LoopGroup group = guarded({.outlier_failures = 3, .outlier_ejection = 10s}, 4);
  Target& bad = *group.targets->usable[1];
  Time now = from_seconds(1000);
  const auto is_asked = [&] {
    for (int i = 0; i < 8; ++i)
      if (choose_target(group, 0, now, 0)->get() == &bad) return true;
    return false;
  };
  note_outcome(group, bad, true, now), note_outcome(group, bad, true, now), note_outcome(group, bad, false, now);
  note_outcome(group, bad, true, now), note_outcome(group, bad, true, now);
  EXPECT_TRUE(is_asked());   // a success broke the row
  note_outcome(group, bad, true, now);
  EXPECT_FALSE(is_asked());
  EXPECT_NE(choose_target(group, bad.key, now, 0)->get(), &bad);   // nor by its cookie
  now += 10s;
  EXPECT_TRUE(is_asked());
  for (int i = 0; i < 3; ++i) note_outcome(group, bad, true, now);
  now += 19s;
  EXPECT_FALSE(is_asked());
  now += 1s;
  EXPECT_TRUE(is_asked());
}

TEST(Outliers, NeverTakeMoreThanTheirShare) {
  LoopGroup group = guarded({.outlier_failures = 1, .outlier_percent_max = 50}, 4);
  const Time now = from_seconds(1000);
  for (const auto& target : group.targets->usable) note_outcome(group, *target, true, now);
  int out = 0;
  for (const auto& target : group.targets->usable) out += target->ejected_until > to_micros(now);
  EXPECT_EQ(out, 2);
}

TEST(Breaker, AFullTargetGetsNoMore) {
  LoopGroup group = guarded({.target_requests_max = 2}, 2);
  group.targets->usable[0]->outstanding = 2;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(choose_target(group, 0, Time{}, 0)->get(), group.targets->usable[1].get());
  group.targets->usable[1]->outstanding = 2;
  EXPECT_EQ(choose_target(group, 0, Time{}, 0), nullptr);
}

}  // namespace reef::edge
