// Steps that several operations share: finding, publishing, paging, waiting for the store.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/store/shard.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

// The function that a request names, which must exist; else the error's message is `absent`, or the usual one.
Reply<std::pair<FunctionName, StoredFunction>> find_function(Lambda& lambda, const std::string& text, const std::optional<std::string>& qualifier, const Call& call,
                                                             const std::string& absent = {});
// The configuration behind a qualifier: $LATEST, a version or an alias.
Reply<StoredVersion> find_version(Lambda& lambda, const FunctionName& name, const StoredFunction& function);

// Freezes $LATEST as the next version, unless nothing changed since the last one. The caller stores `function`.
model::FunctionConfiguration publish(Lambda& lambda, const FunctionName& name, StoredFunction& function, const std::optional<std::string>& description);

Reply<void> check_revision(const std::optional<std::string>& wanted, const std::string& current, std::string_view ask = "GetFunction/GetAlias");
std::string new_revision();

// Everything that was written is stored.
inline auto stored() { return store::Shard::control().committed(); }

// One page of `all`: markers are positions.
template <class T>
std::vector<T> page(std::vector<T> all, const std::optional<std::string>& marker, std::optional<std::int32_t> items_max,
                    std::int32_t items_default, std::optional<std::string>& next) {
  const std::size_t begin = marker ? std::min<std::size_t>(parse_int<std::size_t>(*marker).value_or(0), all.size()) : 0;
  const auto count = static_cast<std::size_t>(std::clamp(items_max.value_or(items_default), 1, items_default));
  const std::size_t end = std::min(all.size(), begin + count);
  if (end < all.size()) next = std::to_string(end);
  return std::vector<T>(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(begin)), std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(end)));
}

}  // namespace reef::service::lambda
