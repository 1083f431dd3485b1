#include "engine/naming/choose.h"

#include <gtest/gtest.h>

#include <map>

namespace reef::naming {
namespace {

TEST(Choose, WeightsAreKept) {
  const Candidate candidates[] = {{.weight = 90}, {.weight = 10}, {.weight = 0}};
  SeededRandom random(1);
  std::map<int, int> seen;
  for (int i = 0; i < 10'000; ++i) ++seen[choose(Policy::kWeighted, candidates, {}, random).index[0]];
  EXPECT_NEAR(seen[0], 9000, 200);
  EXPECT_NEAR(seen[1], 1000, 200);
  EXPECT_EQ(seen[2], 0);
}

TEST(Choose, ZeroWeightsStepInWhenTheOthersAreUnhealthy) {
  const Candidate candidates[] = {{.weight = 5, .healthy = false}, {.weight = 0}};
  SeededRandom random(1);
  EXPECT_EQ(choose(Policy::kWeighted, candidates, {}, random).index[0], 1);
  const Candidate none[] = {{.weight = 5, .healthy = false}, {.weight = 0, .healthy = false}};
  EXPECT_EQ(choose(Policy::kWeighted, none, {}, random).index[0], 0);
}

TEST(Choose, FailoverPrefersThePrimaryWhenBothAreDown) {
  SeededRandom random(1);
  const auto chosen = [&](bool primary, bool secondary) {
    const Candidate candidates[] = {{.is_primary = false, .healthy = secondary}, {.is_primary = true, .healthy = primary}};
    return choose(Policy::kFailover, candidates, {}, random).index[0];
  };
  EXPECT_EQ(chosen(true, true), 1);
  EXPECT_EQ(chosen(false, true), 0);
  EXPECT_EQ(chosen(false, false), 1);
}

TEST(Choose, EightOfManyValues) {
  std::vector<Candidate> candidates(20);
  SeededRandom random(1);
  const auto chosen = choose(Policy::kMultivalue, candidates, {}, random);
  EXPECT_EQ(chosen.count, 8u);
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(chosen.index[i], chosen.index[j]);
}

TEST(Choose, TheNearestHealthyRegion) {
  SeededRandom random(1);
  const Asker asker{.region = "eu-central-1", .location = {}};
  Candidate candidates[] = {{.region = "us-east-1"}, {.region = "eu-west-1"}, {.region = "ap-southeast-2"}};
  EXPECT_EQ(choose(Policy::kLatency, candidates, asker, random).index[0], 1);
  candidates[1].healthy = false;
  EXPECT_EQ(choose(Policy::kLatency, candidates, asker, random).index[0], 0);
}

TEST(Choose, TheSmallestPlaceThatFits) {
  SeededRandom random(1);
  const Location everywhere{.country = "*"}, europe{.continent = "EU"}, germany{.country = "DE"};
  const Asker asker{.region = "eu-central-1", .location = location_of_region("eu-central-1")};
  Candidate candidates[] = {{.location = &everywhere}, {.location = &europe}, {.location = &germany}};
  EXPECT_EQ(choose(Policy::kGeolocation, candidates, asker, random).index[0], 2);
  candidates[2].healthy = false;
  EXPECT_EQ(choose(Policy::kGeolocation, candidates, asker, random).index[0], 1);
  const Asker american{.region = "us-east-1", .location = location_of_region("us-east-1")};
  EXPECT_EQ(choose(Policy::kGeolocation, candidates, american, random).index[0], 0);
  EXPECT_EQ(choose(Policy::kGeolocation, std::span(candidates).subspan(1, 1), american, random).count, 0u);
}

}  // namespace
}  // namespace reef::naming
