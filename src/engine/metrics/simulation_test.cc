// Metrics on a machine that crashes at any point, against a map of data points: none that was acknowledged is lost and
// none counted twice, in memory, on the way to disk and there, at each resolution for as long as it is kept.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "engine/metrics/metrics.h"
#include "engine/store/simulation.h"

namespace reef::metrics {
namespace {

constexpr int kMetrics = 3;

struct Points {
  std::map<std::pair<int, std::int64_t>, double> fine, coarse;  // sums by metric and second
  double total = 0;
};

class MetricsSimulation {
 public:
  explicit MetricsSimulation(std::uint64_t seed)
      : machine_(seed, 1, [this](store::SimulatedKv& kv) { metrics_ = std::make_unique<Metrics>(kv); }), random_(machine_.random()) {
    metrics_->start();
  }
  ~MetricsSimulation() {
    finish();
    metrics_.reset();
  }

  void go(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      switch (random_.below(12)) {
        case 0: case 1: case 2: case 3: case 4: put(); break;
        case 5: case 6: tick(); break;
        case 7:  // as a timer does: within a tick
          machine_.shard(0).reactor().post([this, count = 1 + random_.below(3)] { metrics_->sweep(machine_.now(), count); });
          break;
        case 8: pass_time(); break;
        case 9: if (random_.below(3) == 0) finish(), check(); break;
        case 10: if (random_.below(6) == 0) finish(), machine_.checkpoint(0); break;
        case 11: if (random_.below(3) == 0) crash(); break;
      }
    }
    finish();
    check();
  }

 private:
  struct Asked {
    std::vector<std::tuple<int, std::int64_t, bool>> points;  // metric, second, fine; each counts 1
    std::optional<Task<void>> task;
  };
  std::int64_t seconds() const { return to_seconds(machine_.now()); }
  static MetricId name(int metric) { return {.scope = "0/r", .space = "App", .name = "m" + std::to_string(metric), .dimensions = {}}; }

  static Task<void> commit() { co_await store::Shard::control().committed(); }
  void put() {
    Asked asked;
    std::vector<MetricId> names;
    std::vector<DataPoint> points;
    for (int i = 0; i < kMetrics; ++i) names.push_back(name(i));
    for (auto n = 1 + random_.below(3); n > 0; --n) {
      const auto metric = static_cast<int>(random_.below(kMetrics));
      const std::int64_t second = seconds() - static_cast<std::int64_t>(random_.below(random_.below(3) ? 600 : 6 * 3600));
      const bool is_fine = random_.below(2);
      DataPoint point{.metric = &names[static_cast<std::size_t>(metric)], .unit = random_.below(2) ? Unit::kCount : Unit::kNone, .second = second, .is_fine = is_fine, .set = {}, .values = {{1, 1}}};
      if (random_.below(3) == 0) {
        point.values.clear();
        point.set = Summary{.count = 1, .sum = 1, .min = 1, .max = 1};
      }
      points.push_back(std::move(point));
      asked.points.emplace_back(metric, second, is_fine && second > seconds() - kTiers[0].retention);
    }
    ASSERT_TRUE(metrics_->put(points, machine_.now()));
    asked.task.emplace(commit());
    asked_.push_back(std::move(asked));
  }
  void apply(const Asked& asked) {
    for (const auto& [metric, second, is_fine] : asked.points) {
      if (is_fine) points_.fine[{metric, second}] += 1;
      points_.coarse[{metric, second}] += 1;
      points_.total += 1;
    }
  }
  void collect() {
    while (!asked_.empty() && asked_.front().task->done()) {
      apply(asked_.front());
      asked_.erase(asked_.begin());
    }
  }
  void tick() {
    machine_.step();
    collect();
  }
  void finish() {
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(asked_, [](const Asked& one) { return one.task->done(); }); }));
    collect();
  }
  void pass_time() {
    machine_.advance(random_.below(4) ? Duration(std::chrono::minutes(random_.below(100))) : Duration(std::chrono::hours(random_.below(60))));
    for (auto n = random_.below(6); n > 0; --n) tick();
  }
  void crash() {
    machine_.crash_soon();
    while (!machine_.has_crashed()) {
      collect();
      machine_.step();
    }
    std::vector<Asked> unknown = std::exchange(asked_, {});
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(unknown, [](const Asked& one) { return one.task->done(); }); }));
    machine_.restart();
    metrics_->start();
    // Of what was not answered the first ones were done: calls are stored in their order, each as a whole.
    double found = 0;
    for (int i = 0; i < kMetrics; ++i) found += total(i);
    for (const Asked& asked : unknown)
      if (points_.total < found) apply(asked);
    ASSERT_EQ(points_.total, found);
    check();
  }

  double sum(int metric, std::int64_t from, std::int64_t to, std::int64_t period) {
    double out = 0;
    for (const Bucket& bucket : metrics_->read(name(metric), std::nullopt, from, to, period)) out += bucket.summary.sum;
    return out;
  }
  double total(int metric) { return sum(metric, (seconds() - 400 * kDay) / 3600 * 3600, seconds() + 1, 3600); }
  static double expected(const std::map<std::pair<int, std::int64_t>, double>& points, int metric, std::int64_t from, std::int64_t to) {
    double out = 0;
    for (auto at = points.lower_bound({metric, from}); at != points.end() && at->first < std::pair{metric, to}; ++at) out += at->second;
    return out;
  }
  void check() {
    if (testing::Test::HasFailure() || !asked_.empty()) return;
    const std::int64_t now = seconds();
    for (int metric = 0; metric < kMetrics; ++metric) {
      ASSERT_EQ(total(metric), expected(points_.coarse, metric, 0, now + 1)) << "of metric " << metric;
      // At each resolution, a window of what it still keeps.
      for (const auto& [period, keeps] : {std::pair{std::int64_t{60}, 14 * kDay}, {std::int64_t{300}, 60 * kDay}}) {
        const std::int64_t from = (now - static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(keeps)))) / period * period;
        const std::int64_t to = from + period * static_cast<std::int64_t>(random_.below(400));
        ASSERT_EQ(sum(metric, from, to, period), expected(points_.coarse, metric, from, to)) << "period " << period;
      }
      const std::int64_t from = now - static_cast<std::int64_t>(random_.below(10'000)), to = from + static_cast<std::int64_t>(random_.below(10'000));
      ASSERT_EQ(sum(metric, from, to, 1), expected(points_.fine, metric, from, to));
    }
  }

  std::unique_ptr<Metrics> metrics_;
  store::SimulatedMachine machine_;
  Random& random_;
  Points points_;
  std::vector<Asked> asked_;
};

TEST(MetricsSimulation, SurvivesCrashesAtAnyPoint) {
  log::set_level(log::Level::kError);  // torn tails are no news here
  const store::SimulationSeeds seeds(15);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    MetricsSimulation(seed).go(400);
  }
}

}  // namespace
}  // namespace reef::metrics
