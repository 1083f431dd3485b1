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

bool is_full(const Target& target, const GroupSettings& settings) {
  return settings.target_requests_max > 0 && target.outstanding.load(std::memory_order_relaxed) >= settings.target_requests_max;
}
bool is_ejected(const Target& target, Time now) { return target.ejected_until.load(std::memory_order_relaxed) > to_micros(now); }

// Those that the guards leave, in turn. When all are ejected they are asked after all: some answer is better than none.
const std::shared_ptr<Target>* choose_guarded(LoopGroup& group, std::uint64_t sticky, Time now, std::uint64_t random) {
  const auto& targets = group.targets->usable;
  const GroupSettings& settings = *group.settings;
  const std::shared_ptr<Target>* best = nullptr;
  const std::size_t from = settings.algorithm == Algorithm::kRoundRobin ? group.cursor++ : static_cast<std::size_t>(random >> 8);
  for (const bool takes_ejected : {false, true}) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto& target = targets[(from + i) % targets.size()];
      if (is_full(*target, settings) || (!takes_ejected && is_ejected(*target, now))) continue;
      if (target->key == sticky) return &target;
      if (!best || (settings.algorithm == Algorithm::kLeastOutstanding && target->outstanding.load(std::memory_order_relaxed) < (*best)->outstanding.load(std::memory_order_relaxed))) best = &target;
      if (sticky == 0 && settings.algorithm != Algorithm::kLeastOutstanding) return best;
    }
    if (best) return best;
  }
  return nullptr;
}

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

void note_outcome(const LoopGroup& group, Target& target, bool failed, Time now) {
  const GroupSettings& settings = *group.settings;
  if (settings.outlier_failures <= 0) return;
  if (!failed) {
    target.failures_in_row.store(0, std::memory_order_relaxed);
    if (!is_ejected(target, now)) target.ejections.store(0, std::memory_order_relaxed);
    return;
  }
  if (target.failures_in_row.fetch_add(1, std::memory_order_relaxed) + 1 < static_cast<std::uint32_t>(settings.outlier_failures) || is_ejected(target, now)) return;
  const auto& targets = group.targets->usable;
  const auto out = static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), [&](const auto& other) { return is_ejected(*other, now); }));
  if ((out + 1) * 100 > targets.size() * static_cast<std::size_t>(settings.outlier_percent_max)) return;
  constexpr std::uint32_t kTimesMax = 10;
  const std::uint32_t times = std::min(target.ejections.fetch_add(1, std::memory_order_relaxed) + 1, kTimesMax);
  target.failures_in_row.store(0, std::memory_order_relaxed);
  target.ejected_until.store(to_micros(now + settings.outlier_ejection * times), std::memory_order_relaxed);
}

const std::shared_ptr<Target>* choose_target(LoopGroup& group, std::uint64_t sticky, Time now, std::uint64_t random) {
  const auto& targets = group.targets->usable;
  const std::size_t count = targets.size();
  if (count == 0) return nullptr;
  if (group.settings->is_guarded()) return choose_guarded(group, sticky, now, random);
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
