// Pages and filters of Cloud Map's lists.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/text.h"
#include "service/servicediscovery/cloud_map.h"

namespace reef::service::servicediscovery {

// Cuts a list to the page that NextToken and MaxResults ask for; the token is where the next one begins.
template <class T>
Reply<std::optional<std::string>> cut(std::vector<T>& all, const std::optional<std::string>& token, const std::optional<std::int32_t>& max) {
  std::size_t from = 0;
  if (token) {
    const auto at = parse_int<std::size_t>(base64url_decode(*token).value_or(""));
    if (!at || *at > all.size()) return Err(aws::Error(errors::kInvalidInput, "The NextToken is not valid."));
    from = *at;
  }
  const std::size_t size = static_cast<std::size_t>(max.value_or(100));
  const std::size_t to = std::min(all.size(), from + size);
  std::optional<std::string> next;
  if (to < all.size()) next = base64url_encode(std::to_string(to));
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(to), all.end());
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  return next;
}

template <class Filter>
bool matches(const Filter& filter, std::string_view value) {
  if (filter.condition == "BEGINS_WITH") return std::any_of(filter.values.begin(), filter.values.end(), [&](const std::string& one) { return value.starts_with(one); });
  if (filter.condition == "BETWEEN") return filter.values.size() == 2 && value >= filter.values[0] && value <= filter.values[1];
  return std::find(filter.values.begin(), filter.values.end(), value) != filter.values.end();
}

}  // namespace reef::service::servicediscovery
