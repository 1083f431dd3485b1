// Outlier detection under random answers, against the words of its policy: who is left out, how long, and never too many.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "engine/edge/mesh/outliers.h"
#include "engine/store/simulation.h"

namespace reef::edge::mesh {
namespace {

struct Model {
  int in_row = 0, times = 0;
  Time began{}, until{};
  bool is_known = false;
};

void simulate(std::uint64_t seed) {
  SeededRandom random(seed);
  OutlierPolicy policy;
  policy.errors_max = static_cast<int>(random.below(4));
  policy.interval = 10s;
  policy.base_ejection = 20s;
  policy.ejected_percent_max = static_cast<int>(random.below(101));
  Outliers outliers;
  outliers.set_policy(policy);
  const std::size_t known = 1 + random.below(6);
  std::map<std::string, Model> models;
  Time now = from_seconds(1'800'000'000);
  std::uint64_t ejections = 0;
  for (int step = 0; step < 500; ++step) {
    now += Duration(static_cast<std::int64_t>(random.below(random.below(40) ? 3'000'000 : 900'000'000)));
    const std::string endpoint = "e" + std::to_string(random.below(known));
    Model& one = models[endpoint];
    if (random.below(50) == 0) {
      outliers.forget(endpoint);
      one = {};
      continue;
    }
    const bool failed = random.below(3) == 0;
    const auto out = static_cast<std::size_t>(std::ranges::count_if(models, [&](const auto& entry) { return entry.second.until > now; }));
    bool is_left_out = false;
    if (policy.errors_max > 0 && !failed) {
      one.in_row = 0;
      if (one.until + 300s < now) one = {};
    } else if (policy.errors_max > 0) {
      // A row of failures counts within one interval, which begins with the first of them.
      if (!one.is_known || now >= one.began + policy.interval) one.began = now, one.in_row = 0;
      one.is_known = true;
      if (one.until <= now && ++one.in_row >= policy.errors_max) {
        one.in_row = 0;
        const std::size_t share = known * static_cast<std::size_t>(policy.ejected_percent_max) / 100;
        const std::size_t most = share > 0 ? share : (policy.ejected_percent_max > 0 && known > 1 ? 1 : 0);
        is_left_out = out < most;
        if (is_left_out) one.until = now + std::min<Duration>(20s * ++one.times, 300s), ++ejections;
      }
    }
    ASSERT_EQ(outliers.note(endpoint, failed, known, now), is_left_out) << "step " << step;
    ASSERT_EQ(outliers.ejections(), ejections);
    for (const auto& [name, model] : models) ASSERT_EQ(outliers.is_ejected(name, now), model.until > now) << name;
    // At least one keeps getting requests, unless all may be left out.
    if (policy.ejected_percent_max < 100) ASSERT_TRUE(outliers.ejected(now) < known || known == 0);
  }
}

TEST(OutlierSimulation, LeavesOutWhoFailsAndNeverTooMany) {
  const store::SimulationSeeds seeds(300);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    simulate(seed);
  }
}

}  // namespace
}  // namespace reef::edge::mesh
