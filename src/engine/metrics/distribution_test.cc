#include "engine/metrics/distribution.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"

namespace reef::metrics {
namespace {

TEST(Distribution, IsExactWhileValuesAreFew) {
  Distribution values;
  for (int i = 1; i <= 9; ++i) values.add(i, 1);
  values.add(100, 91);
  EXPECT_EQ(values.percentile(0), 1);
  EXPECT_EQ(values.percentile(0.5), 100);
  EXPECT_EQ(values.percentile(1), 100);
  EXPECT_EQ(values.count_between(2, 5), 3);
  EXPECT_EQ(values.total(), 100);
}

TEST(Distribution, IsWithinOnePercentWhenValuesAreMany) {
  SeededRandom random(7);
  Distribution values;
  std::vector<double> all;
  for (int i = 0; i < 20'000; ++i) {
    all.push_back(std::exp(random.unit() * 12 - 4));
    values.add(all.back(), 1);
  }
  std::sort(all.begin(), all.end());
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = all[static_cast<std::size_t>(fraction * static_cast<double>(all.size() - 1))];
    EXPECT_NEAR(values.percentile(fraction), exact, exact * 0.0101) << fraction;
  }
  EXPECT_LE(values.entries().size(), Distribution::kClassesMax);
}

TEST(Distribution, IsBoundedWhateverTheSpan) {
  SeededRandom random(8);
  Distribution values;
  for (int i = 0; i < 20'000; ++i) values.add((random.unit() < 0.5 ? -1 : 1) * std::pow(10, random.unit() * 200 - 100), 1);
  EXPECT_LE(values.entries().size(), Distribution::kClassesMax);
  EXPECT_EQ(values.total(), 20'000);
}

TEST(Distribution, MergesAndIsStored) {
  Distribution a, b;
  for (int i = 1; i <= 100; ++i) (i % 2 ? a : b).add(i, 1);
  a.merge(b);
  EXPECT_EQ(a.total(), 100);
  EXPECT_NEAR(a.percentile(0.5), 50, 1.5);
  std::string bytes;
  ByteWriter out(bytes);
  a.append_to(out);
  Distribution read;
  ByteReader in(bytes);
  ASSERT_TRUE(read.read_from(in));
  EXPECT_EQ(read.percentile(0.9), a.percentile(0.9));
  ByteReader cut(std::string_view(bytes).substr(0, bytes.size() - 3));
  EXPECT_FALSE(read.read_from(cut));
}

}  // namespace
}  // namespace reef::metrics
