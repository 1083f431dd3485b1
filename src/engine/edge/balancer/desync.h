// How far a request's head departs from the standard, and what is made of it: parsers that disagree about where a request
// ends let attackers smuggle one inside another. Pure functions on bytes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/http1.h"

namespace reef::edge {

enum class DesyncMode { kMonitor, kDefensive, kStrictest };

enum class DesyncClass { kCompliant, kAcceptable, kAmbiguous, kSevere };

struct DesyncVerdict {
  DesyncClass of = DesyncClass::kCompliant;
  std::string_view reason;   // "BothTeClPresent"; empty when compliant
};
std::string_view name_of(DesyncClass of);

// Whether the request goes on, and whether its connections end with it.
bool is_blocked(DesyncClass of, DesyncMode mode);
inline bool ends_connections(DesyncClass of) { return of >= DesyncClass::kAmbiguous; }

// Of a head that wire::parse_request_head took.
DesyncVerdict classify(std::string_view bytes, const wire::Http1Head& head);

// A head that it refused, read more leniently. `bytes` goes up to the empty line and includes it. `clean` is what can be
// forwarded in its stead, unless it is beyond repair: fields that cannot be passed on safely are left out, of two framings the
// chunked one stays.
struct Repaired {
  DesyncVerdict verdict;
  std::optional<std::string> clean;
};
Repaired repair(std::string_view bytes);

}  // namespace reef::edge
