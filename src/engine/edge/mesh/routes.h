// Finds the route of a request: compiled once, then only read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/edge/balancer/rules.h"
#include "engine/edge/mesh/plan.h"

namespace reef::edge::mesh {

// RuleRequest's `any_header` finds headers; its `source` is not looked at.
struct RouteRequest : RuleRequest {
  std::string_view scheme = "http";
  int port = 0;

 protected:
  ~RouteRequest() = default;
};

class Routes {
 public:
  explicit Routes(std::vector<Route> routes);
  ~Routes();
  // The first that the request meets; nullptr when it meets none.
  const Route* find(const RouteRequest& request) const;
  // The same for a connection of bytes.
  const Route* find_tcp(int port) const;
  const std::vector<Route>& all() const { return routes_; }

 private:
  struct Patterns;
  bool meets(std::size_t index, const RouteRequest& request) const;
  bool meets_text(std::size_t index, const TextMatch& match, std::string_view text) const;
  std::vector<Route> routes_;
  std::vector<std::unique_ptr<Patterns>> patterns_;   // of each route
};

// What is wrong with a regular expression; for whoever takes one from a user.
Result<void, Failure> check_pattern(const std::string& pattern);

// Which of the weighted nodes `random` means; nullptr when none has a weight.
const WeightedNode* choose_node(const std::vector<WeightedNode>& nodes, std::uint64_t random);

}  // namespace reef::edge::mesh
