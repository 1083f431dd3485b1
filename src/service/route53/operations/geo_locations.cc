// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListGeoLocations.html and GetGeoLocation.
#include <algorithm>

#include "base/text.h"
#include "service/route53/geo.h"
#include "service/route53/route53.h"

namespace reef::service::route53::operations {
namespace {

model::GeoLocationDetails details_of(const Place& place) {
  const auto given = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
  return {.continent_code = given(place.continent), .continent_name = given(place.continent_name), .country_code = given(place.country),
          .country_name = given(place.country_name), .subdivision_code = given(place.subdivision), .subdivision_name = given(place.subdivision_name)};
}

}  // namespace

Task<Reply<model::GetGeoLocationOutput>> GetGeoLocation(Route53&, const model::GetGeoLocationInput& in, const Call&) {
  const std::string continent = in.continent_code.value_or(""), country = in.country_code.value_or(""), subdivision = in.subdivision_code.value_or("");
  const Place* place = find_place(continent, continent.empty() && country.empty() ? "*" : country, subdivision);
  if (!place) co_return Err(aws::Error(errors::kNoSuchGeoLocation, "The geolocation that you specified is not supported."));
  co_return model::GetGeoLocationOutput{.geo_location_details = details_of(*place)};
}

Task<Reply<model::ListGeoLocationsOutput>> ListGeoLocations(Route53&, const model::ListGeoLocationsInput& in, const Call&) {
  const auto given = in.max_items ? parse_int<std::size_t>(*in.max_items) : std::optional<std::size_t>(100);
  if (!given || *given == 0) co_return Err(aws::Error(errors::kInvalidInput, "The maxitems parameter must be a number of 1 or more."));
  const auto& all = places();
  auto at = all.begin();
  if (in.start_continent_code || in.start_country_code || in.start_subdivision_code) {
    const Place* start = find_place(in.start_continent_code.value_or(""), in.start_country_code.value_or(""), in.start_subdivision_code.value_or(""));
    if (!start) co_return Err(aws::Error(errors::kInvalidInput, "The place to start from is not known."));
    at = all.begin() + (start - all.data());
  }
  model::ListGeoLocationsOutput out;
  out.max_items = std::to_string(*given);
  for (; at != all.end() && out.geo_location_details_list.size() < *given; ++at) out.geo_location_details_list.push_back(details_of(*at));
  if (at != all.end()) {
    out.is_truncated = true;
    const auto next = details_of(*at);
    out.next_continent_code = next.continent_code;
    out.next_country_code = next.country_code;
    out.next_subdivision_code = next.subdivision_code;
  }
  co_return out;
}

}  // namespace reef::service::route53::operations
