#include "engine/edge/mesh/pool.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

TEST(Pool, TurnsAwayWhatFindsNoPlaceToWait) {
  Pool pool;
  pool.set_policy({.in_use_max = 1, .pending_max = 1});
  EXPECT_EQ(pool.enter(), Admission::kNow);
  EXPECT_EQ(pool.enter(), Admission::kWaits);
  EXPECT_EQ(pool.enter(), Admission::kRefused);
  EXPECT_TRUE(pool.leave());   // the one that waited goes on
  EXPECT_EQ(pool.in_use(), 1u);
  EXPECT_FALSE(pool.leave());
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_EQ(pool.refused(), 1u);
}

TEST(Pool, ASmallerLimitLetsNobodyIn) {
  Pool pool;
  pool.set_policy({.in_use_max = 2, .pending_max = 5});
  EXPECT_EQ(pool.enter(), Admission::kNow);
  EXPECT_EQ(pool.enter(), Admission::kNow);
  EXPECT_EQ(pool.enter(), Admission::kWaits);
  pool.set_policy({.in_use_max = 1, .pending_max = 5});
  EXPECT_FALSE(pool.leave());
  EXPECT_TRUE(pool.leave());
}

}  // namespace
}  // namespace reef::edge::mesh
