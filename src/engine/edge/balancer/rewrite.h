// Transforms of a rule: what a target is asked instead of what the client asked for.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/pattern.h"
#include "base/result.h"

namespace reef::edge {

struct Rewrite {
  std::shared_ptr<const Pattern> pattern;
  std::string replacement;   // "$1" is what the first group captured
};
struct Rewrites {
  std::optional<Rewrite> host;   // of the host, without its port
  std::optional<Rewrite> url;    // of the path and the query: "/a?b=c"
};

// Nothing in a member where nothing matched: that part stays as the client sent it.
struct Rewritten {
  std::optional<std::string> host, target;
};
// Fails when something matched, but what it became is no host or no path.
Result<Rewritten, Failure> rewrite(const Rewrites& rewrites, std::string_view host, std::string_view target);

}  // namespace reef::edge
