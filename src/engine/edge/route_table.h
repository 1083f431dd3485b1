// Finds the route of a request among many: by method and path template ("/orders/{id}", "/files/{rest+}"). A lookup
// costs the path's length, however many routes there are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace reef::edge {

struct RouteMatch {
  std::uint32_t route;  // the number it was added with
  std::vector<std::pair<std::string, std::string>> parameters;  // percent-decoded
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  // `method` is "ANY" for all. A later route with the same method and template replaces the earlier one.
  void add(std::string_view method, std::string_view path_template, std::uint32_t route);
  // What takes the rest ("$default").
  void set_default(std::uint32_t route) { default_ = route; }

  // Literals win over {parameters}, those over {greedy+}; the method itself wins over ANY within a template.
  std::optional<RouteMatch> match(std::string_view method, std::string_view path) const;
  // Methods that some route of that path has, in order; for telling a wrong method from a wrong path.
  std::vector<std::string> methods_of(std::string_view path) const;

 private:
  struct Node;
  const std::uint32_t* find(const Node& node, const std::vector<std::string_view>& parts, std::size_t at, std::string_view method,
                            std::vector<std::pair<std::string, std::string>>& parameters) const;
  void collect(const Node& node, const std::vector<std::string_view>& parts, std::size_t at, std::vector<std::string>& out) const;
  std::unique_ptr<Node> root_;
  std::optional<std::uint32_t> default_;
};

}  // namespace reef::edge
