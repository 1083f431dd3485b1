// Alarms over metrics that come late, sparsely and at random, against what AWS's documentation promises of every alarm, whatever its rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "engine/metrics/alarm.h"
#include "engine/store/simulation.h"

namespace reef::metrics {
namespace {

constexpr std::int64_t kPeriod = 60;

class AlarmSimulation {
 public:
  explicit AlarmSimulation(std::uint64_t seed) : random_(seed) {
    rule_.comparison = static_cast<Comparison>(random_.below(4));
    rule_.threshold = static_cast<double>(random_.below(5));
    rule_.evaluation_periods = static_cast<std::int32_t>(1 + random_.below(6));
    rule_.datapoints_to_alarm = static_cast<std::int32_t>(1 + random_.below(static_cast<std::uint64_t>(rule_.evaluation_periods)));
    rule_.missing = static_cast<MissingData>(random_.below(4));
    if (random_.below(4) == 0) rule_.samples_needed = 3;
    sparseness_ = random_.below(4);
  }

  void go(int periods) {
    for (int i = 0; i < periods && !testing::Test::HasFailure(); ++i) {
      now_ += kPeriod;
      if (random_.below(4) >= sparseness_) put(now_);
      // Some data points come when their period is long over.
      if (random_.below(5) == 0) put(now_ - kPeriod * static_cast<std::int64_t>(random_.below(4)));
      const auto points = seen();
      const AlarmVerdict verdict = evaluate_alarm(rule_, points, state_);
      check(points, verdict);
      check_one_worse(points, verdict);
      state_ = verdict.state;
    }
  }

 private:
  using Points = std::vector<std::optional<AlarmPoint>>;

  void put(std::int64_t second) { series_[second] = {.second = second, .value = static_cast<double>(random_.below(6)), .samples = static_cast<double>(1 + random_.below(6))}; }

  Points seen() const {
    Points out;
    for (std::int32_t i = 0; i < evaluation_range(rule_); ++i) {
      const auto found = series_.find(now_ - i * kPeriod);
      out.push_back(found == series_.end() ? std::nullopt : std::optional(found->second));
    }
    return out;
  }

  // The newest N that are there.
  std::vector<AlarmPoint> newest(const Points& points) const {
    std::vector<AlarmPoint> out;
    for (const auto& point : points)
      if (point && out.size() < static_cast<std::size_t>(rule_.evaluation_periods)) out.push_back(*point);
    return out;
  }

  void check(const Points& points, const AlarmVerdict& verdict) const {
    const auto real = newest(points);
    const auto breaching = std::count_if(real.begin(), real.end(), [&](const AlarmPoint& point) { return is_breaching(rule_, point.value); });
    const bool is_complete = real.size() == static_cast<std::size_t>(rule_.evaluation_periods);
    const bool is_thin = std::any_of(real.begin(), real.end(), [&](const AlarmPoint& point) { return point.samples < rule_.samples_needed; });
    const AlarmState state = verdict.state;
    if (is_thin) {
      EXPECT_EQ(state, state_) << "a percentile of too few samples changed the state";
      return;
    }
    if (breaching >= rule_.datapoints_to_alarm) EXPECT_EQ(state, AlarmState::kAlarm) << "M of N are breaching";
    if (is_complete && breaching < rule_.datapoints_to_alarm) EXPECT_EQ(state, AlarmState::kOk) << "all N are there and fewer than M are breaching";
    if (state == AlarmState::kInsufficientData && state_ != state) EXPECT_EQ(rule_.missing, MissingData::kMissing) << "only missing data that stays missing is insufficient";
    if (real.empty() && rule_.missing == MissingData::kIgnore) EXPECT_EQ(state, state_) << "nothing came, and that is to be ignored";
    if (real.empty() && rule_.missing == MissingData::kBreaching) EXPECT_EQ(state, AlarmState::kAlarm);
    if (real.empty() && rule_.missing == MissingData::kNotBreaching) EXPECT_EQ(state, AlarmState::kOk);
    if (breaching == 0 && !real.empty() && rule_.missing != MissingData::kBreaching) EXPECT_EQ(state, AlarmState::kOk) << "nothing is breaching";
    if (state != state_) EXPECT_FALSE(verdict.reason.empty());
    // Complete data leaves nothing to treat: every treatment says the same.
    if (!is_complete) return;
    for (const MissingData treatment : {MissingData::kMissing, MissingData::kIgnore, MissingData::kBreaching, MissingData::kNotBreaching}) {
      AlarmRule other = rule_;
      other.missing = treatment;
      EXPECT_EQ(evaluate_alarm(other, points, state_).state, state);
    }
  }

  // One more breaching data point never ends an alarm.
  void check_one_worse(Points points, const AlarmVerdict& verdict) {
    if (verdict.state != AlarmState::kAlarm) return;
    std::optional<AlarmPoint>& point = points[random_.below(points.size())];
    if (!point) return;
    for (const double value : {-1.0, 0.0, 9.0})
      if (is_breaching(rule_, value)) point->value = value;
    EXPECT_EQ(evaluate_alarm(rule_, points, state_).state, AlarmState::kAlarm);
  }

  SeededRandom random_;
  AlarmRule rule_;
  std::uint64_t sparseness_ = 0;
  std::int64_t now_ = 1'800'000'000;
  std::map<std::int64_t, AlarmPoint> series_;
  AlarmState state_ = AlarmState::kInsufficientData;
};

TEST(AlarmSimulation, KeepsItsPromises) {
  for (auto [seed, end] = store::SimulationSeeds(100); seed < end && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    AlarmSimulation(seed).go(200);
  }
}

}  // namespace
}  // namespace reef::metrics
