// The literal text that everything a regular expression matches begins or ends with, by which rules with expressions are
// found without trying them all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::edge {

struct LiteralEnds {
  std::string prefix;   // of "^/api/v1/.*": "/api/v1/"; empty when there is none that is certain
  std::string suffix;   // of ".*\.example\.com$": ".example.com"
};
LiteralEnds literal_ends(std::string_view expression);

// Refuses what a load balancer's expressions may not use: look-around, references back, atomic groups, possessive
// quantifiers, subroutines, recursion and Unicode classes. The failure names it.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
Result<void, Failure> check_expression_features(std::string_view expression);

}  // namespace reef::edge
