// Which of the record sets of one name and type answer: Route 53's routing policies as a pure function of what is
// healthy, who asks and chance.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "engine/naming/record_set.h"

namespace reef::naming {

constexpr std::size_t kChosenMax = 8;  // of a multivalue answer

// Who asks, as far as it is known.
struct Asker {
  std::string region = "us-east-1";
  Location location{.continent = "NA", .country = "US", .subdivision = ""};
};
// Where somebody in that AWS region is.
Location location_of_region(std::string_view region);
bool is_region(std::string_view region);
// Kilometres on the globe between two AWS regions; a large number when one is not known.
std::uint32_t distance_between(std::string_view region, std::string_view other);

// What the choice depends on, of one record set.
struct Candidate {
  std::uint32_t weight = 0;
  bool is_primary = false;
  bool healthy = true;
  std::string_view region;
  const Location* location = nullptr;
};

struct Chosen {
  std::uint16_t index[kChosenMax];
  std::size_t count = 0;
  void add(std::size_t i) { index[count++] = static_cast<std::uint16_t>(i); }
};
// Nothing is chosen only when no geolocation fits.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
Chosen choose(Policy policy, std::span<const Candidate> candidates, const Asker& asker, Random& random);

}  // namespace reef::naming
