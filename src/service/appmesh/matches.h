// What the match members of routes and gateway routes have in common.
#pragma once

#include <optional>

#include "base/text.h"
#include "engine/edge/mesh/plan.h"

namespace reef::service::appmesh {

template <class Method>
edge::mesh::TextMatch method_match(const std::optional<Method>& method, bool invert) {
  using Kind = edge::mesh::TextMatch::Kind;
  edge::mesh::TextMatch out;
  if (method && method->exact) out = {.kind = Kind::kExact, .text = *method->exact};
  else if (method && method->prefix) out = {.kind = Kind::kPrefix, .text = *method->prefix};
  else if (method && method->suffix) out = {.kind = Kind::kSuffix, .text = *method->suffix};
  else if (method && method->regex) out = {.kind = Kind::kRegex, .text = *method->regex};
  else if (method && method->range) out = {.kind = Kind::kRange, .text = {}, .from = method->range->start, .to = method->range->end};
  out.negated = invert;
  return out;
}

template <class Headers>
void add_headers(edge::mesh::RouteMatch& match, const std::optional<Headers>& headers) {
  if (!headers) return;
  for (const auto& header : *headers) match.headers.emplace_back(to_lower(header.name), method_match(header.match, header.invert.value_or(false)));
}

}  // namespace reef::service::appmesh
