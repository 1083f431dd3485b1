#include "engine/metrics/statistic.h"

#include <gtest/gtest.h>

namespace reef::metrics {
namespace {

std::optional<double> of(std::string_view name, const Bucket& bucket) {
  const auto statistic = parse_statistic(name);
  EXPECT_TRUE(statistic) << name;
  return statistic ? compute(*statistic, bucket) : std::nullopt;
}

Bucket one_to_ten() {
  Bucket bucket;
  for (int i = 1; i <= 10; ++i) bucket.add(i, 1);
  return bucket;
}

TEST(Statistic, Plain) {
  const Bucket bucket = one_to_ten();
  EXPECT_EQ(of("Sum", bucket), 55);
  EXPECT_EQ(of("Average", bucket), 5.5);
  EXPECT_EQ(of("SampleCount", bucket), 10);
  EXPECT_EQ(of("Minimum", bucket), 1);
  EXPECT_EQ(of("Maximum", bucket), 10);
}

TEST(Statistic, TrimmedOnes) {
  const Bucket bucket = one_to_ten();
  EXPECT_EQ(of("tm80", bucket), 4.5);
  EXPECT_EQ(of("TM(10%:90%)", bucket), 5.5);
  EXPECT_EQ(of("TS(:50%)", bucket), 15);
  EXPECT_EQ(of("TC(2:5)", bucket), 3);
  EXPECT_EQ(of("PR(:3)", bucket), 30);
  EXPECT_EQ(of("IQM", bucket), 5.5);
  EXPECT_NEAR(*of("WM(10%:90%)", bucket), 5.5, 0.01);
  EXPECT_NEAR(*of("p90", bucket), 9.1, 1e-9);
}

TEST(Statistic, WhatIsNone) {
  for (const std::string_view name : {"", "p", "p101", "pr90", "tm", "TM(90%:10%)", "TM(10%:20)", "TM(:)", "PR(10%:)", "Mean", "p99.99999999999"})
    EXPECT_FALSE(parse_statistic(name)) << name;
}

TEST(Statistic, SamplesThatPercentilesNeed) {
  EXPECT_NEAR(parse_statistic("p99")->samples_needed(), 1000, 1e-6);
  EXPECT_NEAR(parse_statistic("p10")->samples_needed(), 100, 1e-6);
  EXPECT_EQ(parse_statistic("Sum")->samples_needed(), 0);
}

}  // namespace
}  // namespace reef::metrics
