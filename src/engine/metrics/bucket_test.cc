#include "engine/metrics/bucket.h"

#include <gtest/gtest.h>

namespace reef::metrics {
namespace {

TEST(Bucket, ASingleValueNeedsNoList) {
  Bucket bucket;
  bucket.add(5, 3);
  EXPECT_EQ(bucket.values, nullptr);
  EXPECT_EQ(bucket.distribution()->percentile(0.5), 5);
  bucket.add(7, 1);
  EXPECT_EQ(bucket.distribution()->total(), 4);
  EXPECT_EQ(bucket.summary.sum, 22);
}

TEST(Bucket, AStatisticSetHidesItsValues) {
  Bucket bucket;
  bucket.add(5, 1);
  bucket.add(Summary{.count = 2, .sum = 7, .min = 3, .max = 4});
  EXPECT_TRUE(bucket.is_hidden);
  EXPECT_FALSE(bucket.distribution());
  EXPECT_EQ(bucket.summary.min, 3);
  Bucket known;
  known.add(Summary{.count = 2, .sum = 8, .min = 4, .max = 4});  // all the same: known
  EXPECT_TRUE(known.distribution());
  known.merge(bucket);
  EXPECT_FALSE(known.distribution());
  EXPECT_EQ(known.summary.count, 5);
}

TEST(Bucket, IsStoredAndMergedByInterval) {
  std::vector<Bucket> seconds;
  for (int i = 0; i < 120; ++i) {
    bucket_at(seconds, 600 + i).add(i, 1);
    bucket_at(seconds, 600 + i).add(i + 0.5, 1);
  }
  const auto read = decode_buckets(encode_buckets(seconds));
  ASSERT_TRUE(read);
  std::vector<Bucket> minutes;
  merge_buckets(minutes, *read, 60);
  ASSERT_EQ(minutes.size(), 2u);
  EXPECT_EQ(minutes[0].second, 600);
  EXPECT_EQ(minutes[1].summary.count, 120);
  EXPECT_EQ(minutes[1].summary.max, 119.5);
  const std::string bytes = encode_buckets(seconds);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) EXPECT_FALSE(decode_buckets(std::string_view(bytes).substr(0, cut)));
}

}  // namespace
}  // namespace reef::metrics
