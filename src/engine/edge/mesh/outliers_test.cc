#include "engine/edge/mesh/outliers.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

Outliers make(OutlierPolicy policy) {
  Outliers out;
  out.set_policy(policy);
  return out;
}

TEST(Outliers, LeavesOutAfterConsecutiveErrors) {
  Outliers outliers = make({.errors_max = 3, .interval = 10s, .base_ejection = 30s});
  const Time now{1000s};
  EXPECT_FALSE(outliers.note("a", true, 2, now));
  EXPECT_FALSE(outliers.note("a", true, 2, now));
  EXPECT_TRUE(outliers.note("a", true, 2, now));
  EXPECT_TRUE(outliers.is_ejected("a", now + 29s));
  EXPECT_FALSE(outliers.is_ejected("a", now + 30s));
}

TEST(Outliers, ASuccessBreaksTheRow) {
  Outliers outliers = make({.errors_max = 2});
  const Time now{1000s};
  outliers.note("a", true, 2, now);
  outliers.note("a", false, 2, now);
  EXPECT_FALSE(outliers.note("a", true, 2, now));
}

TEST(Outliers, ErrorsOfAnotherIntervalDoNotCount) {
  Outliers outliers = make({.errors_max = 2, .interval = 10s});
  const Time now{1000s};
  outliers.note("a", true, 2, now);
  EXPECT_FALSE(outliers.note("a", true, 2, now + 10s));
  EXPECT_TRUE(outliers.note("a", true, 2, now + 11s));
}

TEST(Outliers, EjectionGrowsWithEachTime) {
  Outliers outliers = make({.errors_max = 1, .interval = 10s, .base_ejection = 30s});
  const Time now{1000s};
  EXPECT_TRUE(outliers.note("a", true, 2, now));
  const Time back = now + 30s;
  EXPECT_TRUE(outliers.note("a", true, 2, back));
  EXPECT_TRUE(outliers.is_ejected("a", back + 59s));
  EXPECT_FALSE(outliers.is_ejected("a", back + 60s));
}

TEST(Outliers, NoMoreThanTheShareIsLeftOut) {
  Outliers outliers = make({.errors_max = 1, .ejected_percent_max = 50});
  const Time now{1000s};
  EXPECT_TRUE(outliers.note("a", true, 4, now));
  EXPECT_TRUE(outliers.note("b", true, 4, now));
  EXPECT_FALSE(outliers.note("c", true, 4, now));
  EXPECT_EQ(outliers.ejected(now), 2u);
}

TEST(Outliers, TheOnlyEndpointStays) {
  Outliers outliers = make({.errors_max = 1});
  EXPECT_FALSE(outliers.note("a", true, 1, Time{1000s}));
}

}  // namespace
}  // namespace reef::edge::mesh
