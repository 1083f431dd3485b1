// What all Describe operations share: ids, filters and pages.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "service/ec2/state.h"

namespace reef::service::ec2 {

using Filters = std::optional<std::vector<model::Filter>>;
using Values = std::vector<std::string>;

// What `one` has under the filter's name; nothing when there is no such filter.
template <class T>
using ValuesOf = std::function<std::optional<Values>(const T& one, std::string_view name)>;

std::optional<Values> tag_values(const Tags& tags, std::string_view name);  // "tag:Name", "tag-key"
bool matches_any(const Values& have, const std::vector<std::string>& wanted);  // with * and ?
aws::Error unknown_filter(std::string_view name);

template <class T>
Reply<bool> matches(const T& one, const Filters& filters, const ValuesOf<T>& values_of) {
  if (!filters) return true;
  for (const model::Filter& filter : *filters) {
    const std::string name = filter.name.value_or("");
    std::optional<Values> have;
    if constexpr (requires { one.tags; }) have = tag_values(one.tags, name);
    if constexpr (requires { one.tag_set; }) have = tag_values(one.tag_set, name);
    if (!have) have = values_of(one, name);
    if (!have) return Err(unknown_filter(name));
    if (!matches_any(*have, filter.values.value_or(Values{}))) return false;
  }
  return true;
}

// Those that the ids (all must exist) and filters choose, in order of id, one page of them.
template <class T, class In>
Reply<std::vector<T>> choose(const Call& call, const In& in, const std::optional<std::vector<std::string>>& ids, const ValuesOf<T>& values_of,
                             std::optional<std::string>& next_token) {
  std::vector<T> from;
  if (ids && !ids->empty()) {
    for (const std::string& id : *ids) from.push_back(TRY(get<T>(call, id)));
  } else {
    from = all<T>(call);
  }
  std::vector<T> out;
  // An unknown filter is an error even when there is nothing to filter.
  TRY(matches<T>(T{}, in.filters, values_of));
  std::string after;
  if constexpr (requires { in.next_token.value_or(""); }) after = in.next_token.value_or("");
  else after = in.next_token;
  const std::size_t page = in.max_results && *in.max_results > 0 ? static_cast<std::size_t>(*in.max_results) : 1000;
  for (T& one : from) {
    if (!after.empty() && Kind<T>::id(one) <= after) continue;
    if (!TRY(matches<T>(one, in.filters, values_of))) continue;
    if (out.size() == page) {
      next_token = Kind<T>::id(out.back());
      break;
    }
    out.push_back(std::move(one));
  }
  return out;
}

inline Values one_value(const std::optional<std::string>& value) { return value ? Values{*value} : Values{}; }
inline Values one_value(const std::optional<bool>& value) { return {value.value_or(false) ? "true" : "false"}; }

}  // namespace reef::service::ec2
