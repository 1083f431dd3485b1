#include "engine/metrics/series.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/metrics/batch.h"

namespace reef::metrics {
namespace {

MetricId metric(std::string name) { return {.scope = "0/r", .space = "App", .name = std::move(name), .dimensions = {{"a", "1"}}}; }

double total(const Series& series, std::int64_t from, std::int64_t to, std::int64_t period) {
  std::vector<Bucket> buckets;
  SeriesStore::collect(series, from, to, period, buckets);
  double sum = 0;
  for (const Bucket& bucket : buckets) sum += bucket.summary.sum;
  return sum;
}

TEST(Series, CollectsByPeriod) {
  SeriesStore store;
  store.define(1, metric("m"), Unit::kCount);
  for (int i = 0; i < 180; ++i) store.add(1, 0, 6000 + i, Summary{1, 1, 1, 1});
  store.add(1, 1, 6000, Summary{1, 100, 100, 100});
  const Series& series = *store.find(metric("m").key(), Unit::kCount);
  std::vector<Bucket> minutes;
  SeriesStore::collect(series, 6000, 6180, 60, minutes);
  ASSERT_EQ(minutes.size(), 3u);
  EXPECT_EQ(minutes[0].summary.sum, 160);
  EXPECT_EQ(total(series, 6000, 6180, 10), 180);  // minutes are too coarse for ten seconds
  EXPECT_EQ(total(series, 6030, 6090, 60), 60);
  EXPECT_EQ(store.find(metric("m").key(), Unit::kBytes), nullptr);
}

TEST(Series, WhatIsFlushedLeavesMemory) {
  SeriesStore store;
  store.define(1, metric("m"), Unit::kNone);
  for (int i = 0; i < 10; ++i) store.add(1, 0, 1'000'000 + i, Summary{1, 1, 1, 1});
  store.add(1, 1, 1'000'000 + 3600, Summary{1, 5, 5, 5});
  const std::size_t before = store.hot_bytes();
  // The seconds are old: they leave as minutes.
  const std::vector<Part> parts = store.flush(7, 1'000'000 + 60, 1'000'000 + 60, 1, 1);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].tier, 1);
  EXPECT_EQ(parts[0].number, 7u);
  double sum = 0;
  for (const Bucket& bucket : *decode_buckets(parts[0].buckets)) sum += bucket.summary.sum;
  EXPECT_EQ(sum, 10);
  EXPECT_LT(store.hot_bytes(), before);
  const Series& series = *store.find(metric("m").key(), Unit::kNone);
  EXPECT_EQ(total(series, 0, 2'000'000, 60), 5);
  EXPECT_GT(series.parts_until, 1'000'000);
  store.forget(1);
  EXPECT_EQ(store.find(metric("m").key()), nullptr);
  EXPECT_EQ(store.hot_bytes(), 0u);
}

// Recovery relies on it: the same records give the same state and the same parts.
TEST(Series, IsDeterministicAndSurvivesACheckpoint) {
  SeededRandom random(3);
  SeriesStore a, b;
  for (SeriesStore* store : {&a, &b})
    for (SeriesId id = 1; id <= 5; ++id) store->define(id, metric("m" + std::to_string(id)), Unit::kNone);
  for (int round = 0; round < 50; ++round) {
    Batch batch;
    for (int i = 0; i < 20; ++i) {
      const auto id = static_cast<SeriesId>(random.below(5) + 1);
      const auto second = static_cast<std::int64_t>(500'000 + random.below(20'000));
      if (random.below(3) == 0) batch.add(id, 0, second, random.unit());
      else if (random.below(2) == 0) batch.add(id, 1, second, {{random.unit(), 1}, {random.unit(), 2}});
      else batch.add(id, 1, second, Summary{3, 6, 1, 4});
    }
    for (SeriesStore* store : {&a, &b}) {
      ByteReader in(batch.bytes().substr(1));
      ASSERT_TRUE(apply_points(in, *store));
    }
    if (round == 25) {  // one of them is recovered from a checkpoint
      std::string bytes;
      ByteWriter out(bytes);
      b.save(out);
      SeriesStore recovered;
      ByteReader in(bytes);
      ASSERT_TRUE(recovered.load(in));
      b = std::move(recovered);
    }
  }
  const auto parts_a = a.flush(1, 510'000, 505'000, 1, 5), parts_b = b.flush(1, 510'000, 505'000, 1, 5);
  ASSERT_EQ(parts_a.size(), parts_b.size());
  for (std::size_t i = 0; i < parts_a.size(); ++i) EXPECT_EQ(parts_a[i].buckets, parts_b[i].buckets);
  EXPECT_EQ(a.hot_bytes(), b.hot_bytes());
}

TEST(Batch, CutBytesAreRefused) {
  Batch batch;
  batch.add(1, 0, 1000, 5);
  batch.add(1, 1, 1000, {{1, 1}, {2, 2}});
  for (std::size_t size = 2; size < batch.bytes().size(); ++size) {
    SeriesStore store;
    store.define(1, metric("m"), Unit::kNone);
    ByteReader in(batch.bytes().substr(1, size - 1));
    if (!apply_points(in, store)) continue;
    EXPECT_EQ(store.find(metric("m").key())->last_second, 1000);  // a whole record
  }
}

}  // namespace
}  // namespace reef::metrics
