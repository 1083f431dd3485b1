#include "engine/edge/mesh/histogram.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

TEST(Histogram, PercentilesWithinAStep) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.add(i);
  EXPECT_NEAR(static_cast<double>(histogram.percentile(0.5)), 500, 65);
  EXPECT_NEAR(static_cast<double>(histogram.percentile(0.99)), 990, 125);
  EXPECT_EQ(Histogram().percentile(0.5), 0);
}

TEST(Histogram, SmallAndHuge) {
  Histogram histogram;
  histogram.add(3);
  EXPECT_EQ(histogram.percentile(0.5), 3);
  histogram.add(std::int64_t{1} << 60);
  EXPECT_GT(histogram.percentile(1.0), 60'000'000);
}

}  // namespace
}  // namespace reef::edge::mesh
