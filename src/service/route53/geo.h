// The places of geolocation records.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reef::service::route53 {

struct Place {
  std::string continent, continent_name, country, country_name, subdivision, subdivision_name;
};
// In the order of ListGeoLocations: continents, the default, countries, each followed by its subdivisions.
const std::vector<Place>& places();
const Place* find_place(std::string_view continent, std::string_view country, std::string_view subdivision);

}  // namespace reef::service::route53
