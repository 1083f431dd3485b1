#include "engine/edge/route_table.h"

#include <algorithm>

#include "base/encoding.h"

namespace reef::edge {

struct RouteTable::Node {
  TextMap<std::unique_ptr<Node>> literals;
  std::unique_ptr<Node> parameter;
  std::string parameter_name;
  std::map<std::string, std::uint32_t, std::less<>> routes;   // of paths that end here, by method
  std::map<std::string, std::uint32_t, std::less<>> greedy;   // of paths that go on from here in any way
  std::string greedy_name;

  static const std::uint32_t* by_method(const std::map<std::string, std::uint32_t, std::less<>>& routes, std::string_view method) {
    if (const auto exact = routes.find(method); exact != routes.end()) return &exact->second;
    const auto any = routes.find("ANY");
    return any == routes.end() ? nullptr : &any->second;
  }
};

namespace {

// "/a/b" -> {"a", "b"}; a trailing slash does not count.
std::vector<std::string_view> parts_of(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return {};
  return split(path, '/');
}

}  // namespace

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

void RouteTable::add(std::string_view method, std::string_view path_template, std::uint32_t route) {
  Node* node = root_.get();
  for (const std::string_view part : parts_of(path_template)) {
    if (part.starts_with('{') && part.ends_with("+}")) {
      node->greedy_name = part.substr(1, part.size() - 3);
      node->greedy.insert_or_assign(std::string(method), route);
      return;
    }
    if (part.starts_with('{') && part.ends_with('}')) {
      if (!node->parameter) node->parameter = std::make_unique<Node>();
      node->parameter_name = part.substr(1, part.size() - 2);
      node = node->parameter.get();
      continue;
    }
    auto& child = node->literals[std::string(part)];
    if (!child) child = std::make_unique<Node>();
    node = child.get();
  }
  node->routes.insert_or_assign(std::string(method), route);
}

const std::uint32_t* RouteTable::find(const Node& node, const std::vector<std::string_view>& parts, std::size_t at, std::string_view method,
                                      std::vector<std::pair<std::string, std::string>>& parameters) const {
  if (at == parts.size()) {
    if (const auto* route = Node::by_method(node.routes, method)) return route;
  } else {
    if (const auto literal = node.literals.find(parts[at]); literal != node.literals.end())
      if (const auto* route = find(*literal->second, parts, at + 1, method, parameters)) return route;
    if (node.parameter) {
      parameters.emplace_back(node.parameter_name, percent_decode(parts[at]));
      if (const auto* route = find(*node.parameter, parts, at + 1, method, parameters)) return route;
      parameters.pop_back();
    }
    if (const auto* route = Node::by_method(node.greedy, method)) {
      std::string rest;
      for (std::size_t i = at; i < parts.size(); ++i) rest += (i > at ? "/" : "") + percent_decode(parts[i]);
      parameters.emplace_back(node.greedy_name, std::move(rest));
      return route;
    }
  }
  return nullptr;
}

std::optional<RouteMatch> RouteTable::match(std::string_view method, std::string_view path) const {
  RouteMatch out{};
  if (const auto* route = find(*root_, parts_of(path), 0, method, out.parameters)) {
    out.route = *route;
    return out;
  }
  if (!default_) return std::nullopt;
  return RouteMatch{*default_, {}};
}

void RouteTable::collect(const Node& node, const std::vector<std::string_view>& parts, std::size_t at, std::vector<std::string>& out) const {
  if (at == parts.size()) {
    for (const auto& [method, route] : node.routes) out.push_back(method);
    return;
  }
  if (const auto literal = node.literals.find(parts[at]); literal != node.literals.end()) collect(*literal->second, parts, at + 1, out);
  if (node.parameter) collect(*node.parameter, parts, at + 1, out);
  for (const auto& [method, route] : node.greedy) out.push_back(method);
}

std::vector<std::string> RouteTable::methods_of(std::string_view path) const {
  std::vector<std::string> out;
  collect(*root_, parts_of(path), 0, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace reef::edge
