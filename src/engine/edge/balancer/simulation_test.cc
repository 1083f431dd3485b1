// A target group under random checks, traffic and failures, against what AWS says of thresholds, draining, stickiness and
// the guards: a state changes when its run of answers is full and not before, and a request goes where it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/random.h"
#include "engine/edge/balancer/target.h"
#include "engine/store/simulation.h"

namespace reef::edge {
namespace {

// A target's health said in other words: the state, and the answers that count since it was entered or reset.
class HealthModel {
 public:
  HealthState state = HealthState::kUnused;
  void begin(bool enabled) {
    state = enabled ? HealthState::kInitial : HealthState::kUnavailable;
    answers_.clear();
  }
  void reset() { answers_.clear(); }
  void answer(bool passed, bool counts, const HealthSettings& settings) {
    if (!passed && !counts) return;
    answers_.push_back(passed);
    const auto last = [&](int count, bool wanted) {
      return static_cast<int>(answers_.size()) >= count && std::all_of(answers_.end() - count, answers_.end(), [&](bool one) { return one == wanted; });
    };
    if (passed && (state == HealthState::kInitial || last(settings.healthy_threshold, true))) state = HealthState::kHealthy;
    if (!passed && last(settings.unhealthy_threshold, false)) state = HealthState::kUnhealthy;
  }

 private:
  std::deque<bool> answers_;
};

void simulate_health(std::uint64_t seed) {
  SeededRandom random(seed);
  const auto settings_at_random = [&] {
    HealthSettings settings;
    settings.interval = std::chrono::seconds(5 + random.below(30));
    settings.healthy_threshold = 2 + static_cast<int>(random.below(4));
    settings.unhealthy_threshold = 2 + static_cast<int>(random.below(3));
    settings.enabled = random.below(8) != 0;
    return settings;
  };
  HealthSettings settings = settings_at_random();
  Time now = from_seconds(1'800'000'000);
  TargetHealth health;
  HealthModel model;
  std::optional<Time> began, counted;
  bool is_running = false, counts = false;
  for (int step = 0; step < 300; ++step) {
    now += Duration(static_cast<std::int64_t>(random.below(4'000'000)));
    switch (random.below(24)) {
      case 0:
        if (health.state() == HealthState::kDraining) break;
        if (health.state() == HealthState::kUnused) {
          health.set_used(true, settings, now);
          model.begin(settings.enabled);
        } else {
          health.set_used(false, settings, now);
          model.state = HealthState::kUnused;
        }
        is_running = false;
        began = counted = std::nullopt;
        break;
      case 1: {
        if (random.below(3)) break;
        const bool was_enabled = settings.enabled;
        settings = settings_at_random();
        health.settings_changed(settings, now);
        is_running = false;
        began = counted = std::nullopt;
        if (model.state == HealthState::kUnused || model.state == HealthState::kDraining) break;
        if (!settings.enabled || !was_enabled) model.begin(settings.enabled);
        else model.reset();
        break;
      }
      case 2:
        if (random.below(20)) break;
        health.start_draining();
        model.state = HealthState::kDraining;
        break;
      default:
        if (is_running) {
          is_running = false;
          const bool passed = random.below(8) < (seed % 3 == 0 ? 6 : 3);
          const HealthState before = health.state();
          const bool changed = health.finished({.kind = passed ? CheckResult::Kind::kAnswer : CheckResult::Kind::kTimeout, .status = 200, .passed = passed}, settings, now);
          if (model.state != HealthState::kDraining && model.state != HealthState::kUnused && settings.enabled) model.answer(passed, counts, settings);
          ASSERT_TRUE(changed || health.state() == before);
          break;
        }
        if (!health.is_checked() || health.next_check() > now) break;
        // Between checks lies an interval, but for the first ones of a new target, which do not count.
        if (began && model.state != HealthState::kInitial && model.state != HealthState::kDraining) ASSERT_GE(now - *began, settings.interval);
        counts = !counted || now >= *counted + settings.interval;
        if (counts) counted = now;
        began = now;
        is_running = true;
        health.began(settings, now);
        ASSERT_GT(health.next_check(), now);
        break;
    }
    ASSERT_EQ(name_of(health.state()), name_of(model.state)) << "step " << step;
  }
}

// Who is out and until when, by the words of the policy.
struct OutModel {
  int in_row = 0, times = 0;
  Time until{};
};

void simulate_traffic(std::uint64_t seed) {
  SeededRandom random(seed);
  GroupSettings settings;
  settings.algorithm = static_cast<Algorithm>(random.below(3));
  settings.outlier_failures = static_cast<int>(random.below(4));
  settings.outlier_ejection = 10s;
  settings.outlier_percent_max = 34 + static_cast<int>(random.below(60));
  settings.target_requests_max = random.below(2) ? 2 : 0;
  LoopGroup group{.settings = std::make_shared<GroupSettings>(settings)};
  std::vector<std::shared_ptr<Target>> all;
  for (int i = 0; i < 6; ++i) all.push_back(std::make_shared<Target>("i-" + std::to_string(i), "10.0.0.1", 80 + i, 1));
  std::map<Target*, OutModel> out;
  std::vector<std::shared_ptr<Target>> busy;
  Time now = from_seconds(1'800'000'000);
  const auto is_out = [&](const std::shared_ptr<Target>& target) { return out[target.get()].until > now; };
  const auto is_full = [&](const std::shared_ptr<Target>& target) { return settings.target_requests_max > 0 && target->outstanding >= settings.target_requests_max; };
  for (int step = 0; step < 400; ++step) {
    now += Duration(static_cast<std::int64_t>(random.below(2'000'000)));
    if (step % 20 == 0) {  // targets come and go, or change their health
      auto set = std::make_shared<TargetSet>();
      for (const auto& target : all)
        if (random.below(4)) set->usable.push_back(target);
      group.targets = set;
    }
    const auto& usable = group.targets->usable;
    if (!busy.empty() && random.below(2)) {  // one is answered
      const auto at = busy.begin() + static_cast<std::ptrdiff_t>(random.below(busy.size()));
      const std::shared_ptr<Target> target = *at;
      busy.erase(at);
      --target->outstanding;
      const bool failed = random.below(3) == 0;
      note_outcome(group, *target, failed, now);
      if (settings.outlier_failures == 0) continue;
      OutModel& one = out[target.get()];
      if (!failed) {
        one.in_row = 0;
        if (one.until <= now) one.times = 0;
      } else if (++one.in_row >= settings.outlier_failures && one.until <= now) {
        const auto others = static_cast<std::size_t>(std::ranges::count_if(usable, is_out));
        if ((others + 1) * 100 <= usable.size() * static_cast<std::size_t>(settings.outlier_percent_max)) {
          one.in_row = 0;
          one.times = std::min(one.times + 1, 10);
          one.until = now + settings.outlier_ejection * one.times;
        }
      }
      ASSERT_EQ(target->ejected_until.load() > to_micros(now), one.until > now);
      continue;
    }
    const std::shared_ptr<Target> wanted = random.below(2) ? all[random.below(all.size())] : nullptr;
    const auto* chosen = choose_target(group, wanted ? wanted->key : 0, now, random.next());
    const bool any_free = std::ranges::any_of(usable, [&](const auto& target) { return !is_full(target); });
    ASSERT_EQ(chosen != nullptr, any_free);
    if (!chosen) continue;
    ASSERT_TRUE(std::ranges::find(usable, *chosen) != usable.end());
    ASSERT_FALSE(is_full(*chosen));
    const bool any_in = std::ranges::any_of(usable, [&](const auto& target) { return !is_full(target) && !is_out(target); });
    if (any_in) ASSERT_FALSE(is_out(*chosen));
    // A request with a cookie goes back to its target as long as that may be asked.
    if (wanted && std::ranges::find(usable, wanted) != usable.end() && !is_full(wanted) && !is_out(wanted)) ASSERT_EQ(*chosen, wanted);
    else if (settings.algorithm == Algorithm::kLeastOutstanding && *chosen != wanted)
      for (const auto& target : usable)
        if (!is_full(target) && is_out(target) == is_out(*chosen)) ASSERT_LE((*chosen)->outstanding, target->outstanding);
    busy.push_back(*chosen);
    ++(*chosen)->outstanding;
  }
}

template <class F>
void each_seed(std::uint64_t usual, F simulate) {
  const store::SimulationSeeds seeds(usual);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    simulate(seed);
  }
}

TEST(BalancerSimulation, HealthFollowsItsThresholds) { each_seed(400, simulate_health); }
TEST(BalancerSimulation, RequestsGoWhereTheyMay) { each_seed(300, simulate_traffic); }

}  // namespace
}  // namespace reef::edge
