// Cutting lists of ARNs to pages; the token is the last ARN.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "service/ecs/ecs.h"

namespace reef::service::ecs::operations {

template <class Output>
Reply<Output> cut_page(std::vector<std::string> all, const std::optional<std::string>& token, std::optional<std::int32_t> limit,
                       std::optional<std::vector<std::string>> Output::*list) {
  const auto after = token ? base64url_decode(*token) : std::string();
  if (!after) return Err(aws::Error(errors::kInvalidParameterException, "Invalid token"));
  const auto start = after->empty() ? all.begin() : std::find(all.begin(), all.end(), *after);
  if (start == all.end() && !after->empty()) return Err(aws::Error(errors::kInvalidParameterException, "Invalid token"));
  all.erase(all.begin(), after->empty() ? start : start + 1);
  const auto size = static_cast<std::size_t>(std::clamp(limit.value_or(100), 1, 100));
  Output out;
  if (all.size() > size) {
    all.resize(size);
    out.next_token = base64url_encode(all.back());
  }
  out.*list = std::move(all);
  return out;
}

inline auto committed() { return store::Shard::control().committed(); }

}  // namespace reef::service::ecs::operations
