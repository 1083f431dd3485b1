#include "engine/edge/balancer/target.h"

#include <algorithm>
#include <climits>

namespace reef::edge {
namespace {

// Larger groups are sampled: the best of a few at random is nearly as good as the best of all, at a fixed cost.
constexpr std::size_t kScanMax = 32, kSamples = 8;
// What an anomalous target still gets, so that its recovery is noticed.
constexpr double kAnomalousShare = 0.05;

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}
double unit(std::uint64_t random) { return static_cast<double>(random >> 11) * 0x1.0p-53; }

// How much of its share a target that became healthy lately gets: rises linearly, never quite nothing.
double ramp(const Target& target, Duration slow_start, Time now) {
  const std::int64_t since = target.healthy_since.load(std::memory_order_relaxed);
  const std::int64_t age = to_micros(now) - since;
  if (since == 0 || age >= slow_start.count()) return 1;
  return std::max(0.02, static_cast<double>(std::max<std::int64_t>(age, 0)) / static_cast<double>(slow_start.count()));
}

std::size_t least_outstanding(const std::vector<std::shared_ptr<Target>>& targets, std::uint64_t random) {
  const std::size_t count = targets.size();
  const bool all = count <= kScanMax;
  std::size_t best = 0, ties = 0;
  int least = INT_MAX;
  for (std::size_t i = 0, n = all ? count : kSamples; i < n; ++i) {
    const std::size_t at = all ? i : mix(random + i) % count;
    const int outstanding = targets[at]->outstanding.load(std::memory_order_relaxed);
    if (outstanding > least) continue;
    // Among equals each is as likely as the others.
    ties = outstanding < least ? 1 : ties + 1;
    least = outstanding;
    if (mix(random ^ (i * 0x9E3779B97F4A7C15ull)) % ties == 0) best = at;
  }
  return best;
}

}  // namespace

bool fails_open(const GroupSettings& settings, std::size_t healthy, std::size_t registered) {
  return healthy < static_cast<std::size_t>(settings.healthy_count_min) || healthy * 100 < registered * static_cast<std::size_t>(settings.healthy_percent_min);
}

const std::shared_ptr<Target>* choose_target(LoopGroup& group, std::uint64_t sticky, Time now, std::uint64_t random) {
  const auto& targets = group.targets->usable;
  const std::size_t count = targets.size();
  if (count == 0) return nullptr;
  if (sticky != 0)
    for (const auto& target : targets)
      if (target->key == sticky) return &target;
  const GroupSettings& settings = *group.settings;
  if (settings.algorithm == Algorithm::kLeastOutstanding) return &targets[least_outstanding(targets, random)];
  const bool ramps = settings.slow_start.count() > 0, mitigates = settings.mitigates_anomalies;
  const bool at_random = settings.algorithm == Algorithm::kWeightedRandom;
  const std::shared_ptr<Target>* chosen = nullptr;
  // A target with a reduced share is passed over with the rest of the probability; after one round, whoever is next.
  for (std::size_t tries = 0; tries <= count; ++tries) {
    chosen = &targets[at_random ? mix(random + tries) % count : group.cursor++ % count];
    double share = ramps ? ramp(**chosen, settings.slow_start, now) : 1;
    if (mitigates && (*chosen)->is_anomalous.load(std::memory_order_relaxed)) share *= kAnomalousShare;
    if (share >= 1 || unit(mix(random ^ (tries * 0x9E3779B97F4A7C15ull))) < share) break;
  }
  return chosen;
}

}  // namespace reef::edge
