#include "engine/naming/choose.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace reef::naming {
namespace {

// Where the regions are, near enough to tell which is closest.
struct Region {
  std::string_view name, continent, country;
  double latitude, longitude;
};
constexpr Region kRegions[] = {
    {"us-east-1", "NA", "US", 38.9, -77.4},      {"us-east-2", "NA", "US", 40.0, -83.0},      {"us-west-1", "NA", "US", 37.4, -121.9},
    {"us-west-2", "NA", "US", 45.8, -119.7},     {"ca-central-1", "NA", "CA", 45.5, -73.6},   {"ca-west-1", "NA", "CA", 51.0, -114.1},
    {"mx-central-1", "NA", "MX", 20.6, -100.4},  {"sa-east-1", "SA", "BR", -23.5, -46.6},     {"eu-west-1", "EU", "IE", 53.3, -6.3},
    {"eu-west-2", "EU", "GB", 51.5, -0.1},       {"eu-west-3", "EU", "FR", 48.9, 2.4},        {"eu-central-1", "EU", "DE", 50.1, 8.7},
    {"eu-central-2", "EU", "CH", 47.4, 8.5},     {"eu-north-1", "EU", "SE", 59.3, 18.1},      {"eu-south-1", "EU", "IT", 45.5, 9.2},
    {"eu-south-2", "EU", "ES", 41.6, -0.9},      {"il-central-1", "AS", "IL", 32.1, 34.8},    {"me-south-1", "AS", "BH", 26.1, 50.6},
    {"me-central-1", "AS", "AE", 24.5, 54.4},    {"af-south-1", "AF", "ZA", -33.9, 18.4},     {"ap-south-1", "AS", "IN", 19.1, 72.9},
    {"ap-south-2", "AS", "IN", 17.4, 78.5},      {"ap-southeast-1", "AS", "SG", 1.4, 103.8},  {"ap-southeast-2", "OC", "AU", -33.9, 151.2},
    {"ap-southeast-3", "AS", "ID", -6.2, 106.8}, {"ap-southeast-4", "OC", "AU", -37.8, 145.0}, {"ap-southeast-5", "AS", "MY", 3.1, 101.7},
    {"ap-southeast-6", "OC", "NZ", -36.8, 174.8}, {"ap-southeast-7", "AS", "TH", 13.8, 100.5}, {"ap-northeast-1", "AS", "JP", 35.7, 139.7},
    {"ap-northeast-2", "AS", "KR", 37.6, 127.0}, {"ap-northeast-3", "AS", "JP", 34.7, 135.5}, {"ap-east-1", "AS", "HK", 22.3, 114.2},
    {"ap-east-2", "AS", "TW", 25.0, 121.5},      {"cn-north-1", "AS", "CN", 39.9, 116.4},     {"cn-northwest-1", "AS", "CN", 37.5, 105.2},
    {"us-gov-east-1", "NA", "US", 40.0, -83.0},  {"us-gov-west-1", "NA", "US", 45.8, -119.7}};

const Region* region_named(std::string_view name) {
  for (const Region& region : kRegions)
    if (region.name == name) return &region;
  return nullptr;
}

// One of the indexes by weight; equally likely when all weights are zero.
std::size_t draw(std::span<const Candidate> candidates, std::span<const std::uint16_t> among, Random& random) {
  std::uint64_t total = 0;
  for (const std::uint16_t i : among) total += candidates[i].weight;
  if (total == 0) return among[random.below(among.size())];
  std::uint64_t at = random.below(total);
  for (const std::uint16_t i : among) {
    if (at < candidates[i].weight) return i;
    at -= candidates[i].weight;
  }
  return among.back();
}

constexpr std::size_t kCandidatesMax = 512;

// The candidates that pass, as indexes.
template <class Passes>
std::span<const std::uint16_t> select(std::span<const Candidate> candidates, std::uint16_t (&buffer)[kCandidatesMax], Passes passes) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < candidates.size() && i < kCandidatesMax; ++i)
    if (passes(candidates[i])) buffer[count++] = static_cast<std::uint16_t>(i);
  return {buffer, count};
}

Chosen choose_weighted(std::span<const Candidate> candidates, Random& random) {
  std::uint16_t buffer[kCandidatesMax];
  Chosen out;
  auto among = select(candidates, buffer, [](const Candidate& c) { return c.healthy && c.weight > 0; });
  // Sets of weight zero answer only when all others are unhealthy; when nothing is healthy, everything is.
  if (among.empty()) among = select(candidates, buffer, [](const Candidate& c) { return c.healthy; });
  if (among.empty()) among = select(candidates, buffer, [](const Candidate& c) { return c.weight > 0; });
  if (among.empty()) among = select(candidates, buffer, [](const Candidate&) { return true; });
  if (!among.empty()) out.add(draw(candidates, among, random));
  return out;
}

Chosen choose_failover(std::span<const Candidate> candidates) {
  Chosen out;
  std::size_t primary = candidates.size(), secondary = candidates.size();
  for (std::size_t i = 0; i < candidates.size(); ++i) (candidates[i].is_primary ? primary : secondary) = i;
  if (primary == candidates.size()) primary = secondary;
  if (secondary == candidates.size()) secondary = primary;
  if (primary < candidates.size()) out.add(!candidates[primary].healthy && candidates[secondary].healthy ? secondary : primary);
  return out;
}

// Up to eight healthy ones, at random.
Chosen choose_multivalue(std::span<const Candidate> candidates, Random& random) {
  std::uint16_t buffer[kCandidatesMax];
  Chosen out;
  auto among = select(candidates, buffer, [](const Candidate& c) { return c.healthy; });
  if (among.empty()) among = select(candidates, buffer, [](const Candidate&) { return true; });
  std::size_t left = among.size();
  while (left > 0 && out.count < kChosenMax) {
    const std::size_t at = random.below(left);
    out.add(buffer[at]);
    buffer[at] = buffer[--left];
  }
  return out;
}

Chosen choose_nearest(std::span<const Candidate> candidates, const Asker& asker) {
  Chosen out;
  std::size_t best = candidates.size();
  std::uint32_t best_distance = UINT32_MAX;
  for (const bool any : {false, true}) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!any && !candidates[i].healthy) continue;
      const std::uint32_t distance = distance_between(asker.region, candidates[i].region);
      if (best == candidates.size() || distance < best_distance) best = i, best_distance = distance;
    }
    if (best < candidates.size()) break;
  }
  if (best < candidates.size()) out.add(best);
  return out;
}

// The smallest place that holds the asker: subdivision, country, continent, everywhere. An unhealthy set gives way to
// the next larger place.
Chosen choose_by_place(std::span<const Candidate> candidates, const Asker& asker) {
  const Location& from = asker.location;
  const auto rank = [&](const Location& place) {
    if (place.country == "*") return 1;
    if (!place.subdivision.empty()) return place.country == from.country && place.subdivision == from.subdivision ? 4 : 0;
    if (!place.country.empty()) return place.country == from.country ? 3 : 0;
    return !place.continent.empty() && place.continent == from.continent ? 2 : 0;
  };
  Chosen out;
  for (const bool any : {false, true}) {
    int best = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (any || candidates[i].healthy)
        if (const int one = rank(*candidates[i].location); one > best) best = one, at = i;
    if (best > 0) {
      out.add(at);
      break;
    }
  }
  return out;
}

}  // namespace

bool is_region(std::string_view region) { return region_named(region) != nullptr; }

Location location_of_region(std::string_view region) {
  const Region* found = region_named(region);
  if (!found) found = &kRegions[0];
  return {.continent = std::string(found->continent), .country = std::string(found->country), .subdivision = ""};
}

std::uint32_t distance_between(std::string_view region, std::string_view other) {
  if (region == other) return 0;
  const Region *a = region_named(region), *b = region_named(other);
  if (!a || !b) return 100'000;
  constexpr double kRadians = std::numbers::pi / 180;
  const double cosine = std::sin(a->latitude * kRadians) * std::sin(b->latitude * kRadians) +
                        std::cos(a->latitude * kRadians) * std::cos(b->latitude * kRadians) * std::cos((a->longitude - b->longitude) * kRadians);
  return static_cast<std::uint32_t>(std::acos(std::clamp(cosine, -1.0, 1.0)) * 6371.0);
}

Chosen choose(Policy policy, std::span<const Candidate> candidates, const Asker& asker, Random& random) {
  switch (policy) {
    case Policy::kSimple: {
      Chosen out;
      if (!candidates.empty()) out.add(0);
      return out;
    }
    case Policy::kWeighted: return choose_weighted(candidates, random);
    case Policy::kFailover: return choose_failover(candidates);
    case Policy::kMultivalue: return choose_multivalue(candidates, random);
    case Policy::kLatency: return choose_nearest(candidates, asker);
    case Policy::kGeolocation: return choose_by_place(candidates, asker);
  }
  return {};
}

}  // namespace reef::naming
