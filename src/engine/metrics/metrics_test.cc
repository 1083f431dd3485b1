#include "engine/metrics/metrics.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "engine/metrics/counters.h"
#include "engine/store/memory_records.h"

namespace reef::metrics {
namespace {

// One process after the other on the same folder and key-value store; a crash is what was not committed.
class MetricsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-metrics-" + make_uuid(thread_random()));
    clock_.freeze();
    kv_ = store::make_memory_kv();
    begin();
  }
  void TearDown() override {
    end();
    std::filesystem::remove_all(folder_);
  }
  void begin() {
    reactor_ = std::make_unique<io::Reactor>(clock_);
    shard_ = std::make_unique<store::Shard>(0, *reactor_);
    shard_->adopt_thread();
    auto journal = *store::Journal::open(folder_, store::Durability::kProcess);
    auto records = std::make_unique<store::MemoryRecords>(journal.get());
    store::Journal& kept = *journal;
    shard_->attach(std::move(journal), std::move(records));
    metrics_ = std::make_unique<Metrics>(*kv_);
    ASSERT_TRUE(kept.recover().has_value());
    metrics_->start();
  }
  void end() {
    metrics_.reset();
    shard_.reset();
    reactor_.reset();
  }
  void tick(int times = 1) {
    for (int i = 0; i < times; ++i) reactor_->run_once(0ms);
  }
  void put(int metric, std::int64_t second, double value, bool is_fine) {
    const MetricId id = name(metric);
    DataPoint point{.metric = &id, .unit = Unit::kCount, .second = second, .is_fine = is_fine, .set = {}, .values = {{value, 1}}};
    ASSERT_TRUE(metrics_->put({point}, clock_.now()));
  }
  static MetricId name(int metric) { return {.scope = "0/r", .space = "App", .name = "m" + std::to_string(metric), .dimensions = {}}; }
  double total(int metric, std::int64_t period = 3600) {
    const std::int64_t now = to_seconds(clock_.now()), from = (now - 460 * kDay) / 3600 * 3600;
    double sum = 0;
    for (const Bucket& bucket : metrics_->read(name(metric), std::nullopt, from, now + 3600, period)) sum += bucket.summary.sum;
    return sum;
  }

  std::filesystem::path folder_;
  io::SystemClock clock_;
  std::unique_ptr<io::Reactor> reactor_;
  std::unique_ptr<store::Shard> shard_;
  std::unique_ptr<store::Kv> kv_;
  std::unique_ptr<Metrics> metrics_;
};

TEST_F(MetricsTest, GetsCoarserWithAge) {
  const std::int64_t now = to_seconds(clock_.now());
  for (int i = 0; i < 100; ++i) put(1, now - i, 1, true);
  tick();
  EXPECT_EQ(total(1, 1), 100);
  const auto age = [&](Duration by) {
    clock_.advance(by);
    for (int i = 0; i < 3; ++i) {
      while (!metrics_->sweep(clock_.now(), 100)) tick(3);
      tick(3);
    }
  };
  age(5h);
  EXPECT_EQ(total(1, 1), 0);
  EXPECT_EQ(total(1, 60), 100);
  age(std::chrono::hours(17 * 24));
  EXPECT_EQ(total(1, 60), 0);
  EXPECT_EQ(total(1, 300), 100);
  age(std::chrono::hours(55 * 24));
  EXPECT_EQ(total(1, 300), 0);
  EXPECT_EQ(total(1, 3600), 100);
  age(std::chrono::hours(460 * 24));
  EXPECT_EQ(total(1, 3600), 0);
  EXPECT_EQ(metrics_->series_count(), 0u);
}

// Whatever is interrupted, no data point is lost or counted twice.
TEST_F(MetricsTest, CrashesLoseNothingThatWasCommitted) {
  SeededRandom random(11);
  double committed[4] = {}, pending[4] = {};
  for (int round = 0; round < 400; ++round) {
    switch (random.below(8)) {
      default: {
        const auto metric = static_cast<int>(random.below(4));
        const auto ago = static_cast<std::int64_t>(random.below(6 * 3600));
        put(metric, to_seconds(clock_.now()) - ago, 1, random.below(2) == 0);
        pending[metric] += 1;
        break;
      }
      case 5: metrics_->sweep(clock_.now(), 2); break;
      case 6: clock_.advance(std::chrono::minutes(random.below(200))); break;
      case 7: {
        if (random.below(4) != 0) break;
        if (random.below(3) == 0) {  // a clean stop keeps everything
          shard_->journal().commit();
          shard_->journal().checkpoint_now();
          for (int i = 0; i < 4; ++i) committed[i] += std::exchange(pending[i], 0);
        }
        end();  // whatever this tick had is gone
        begin();
        std::fill(std::begin(pending), std::end(pending), 0);
        break;
      }
    }
    if (random.below(3) == 0) {
      tick(static_cast<int>(random.below(3)) + 1);
      for (int i = 0; i < 4; ++i) committed[i] += std::exchange(pending[i], 0);
    }
    if (round % 20 != 0) continue;
    tick();
    for (int i = 0; i < 4; ++i) {
      committed[i] += std::exchange(pending[i], 0);
      ASSERT_EQ(total(i), committed[i]) << "round " << round << " metric " << i;
    }
  }
}

TEST_F(MetricsTest, MemoryIsBounded) {
  const std::int64_t now = to_seconds(clock_.now());
  // Some 48 bytes each: far more than fits.
  for (int block = 0; block < 50; ++block) {
    std::vector<MetricId> ids;
    std::vector<DataPoint> points;
    ids.reserve(20'000);
    for (int i = 0; i < 20'000; ++i) {
      ids.push_back(name(i % 100));
      points.push_back({.metric = &ids.back(), .unit = Unit::kCount, .second = now - (50 - block) * 200 + i / 100, .is_fine = true, .set = {}, .values = {{1, 1}}});
    }
    ASSERT_TRUE(metrics_->put(points, clock_.now()));
    tick(8);
  }
  for (int i = 0; i < 20; ++i) tick();
  double sum = 0;
  for (int i = 0; i < 100; ++i) sum += total(i);
  EXPECT_EQ(sum, 1'000'000);
  std::string state;
  metrics_->save(state);
  EXPECT_LT(state.size(), Metrics::kHotBytesMax / 2);
  const auto cursor = kv_->cursor();
  cursor->seek("M");
  EXPECT_TRUE(cursor->valid());
}

TEST_F(MetricsTest, CountersAreCollected) {
  Counters counters(*metrics_);
  for (int i = 0; i < 10; ++i) counters.add({"0", "r", "AWS/SQS", {{"QueueName", "q"}}}, {{"Sent", 1}, {"Size", 5.0 * i, Unit::kBytes}});
  Task<void> collecting = counters.collect();
  while (!collecting.done()) tick();
  const MetricId id{.scope = "0/r", .space = "AWS/SQS", .name = "Size", .dimensions = {{"QueueName", "q"}}};
  const std::int64_t now = to_seconds(clock_.now());
  const auto buckets = metrics_->read(id, Unit::kBytes, now - 120, now + 60, 60);
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_EQ(buckets[0].summary.count, 10);
  EXPECT_EQ(buckets[0].summary.max, 45);
  EXPECT_EQ(buckets[0].distribution()->total(), 10);
}

}  // namespace
}  // namespace reef::metrics
