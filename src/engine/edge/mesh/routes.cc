#include "engine/edge/mesh/routes.h"

#include <map>

#include "base/pattern.h"
#include "base/text.h"

namespace reef::edge::mesh {
namespace {

// Matching takes room and time with the length of the text; nothing that routes is longer than this.
constexpr std::size_t kPatternTextMax = 4096;

bool has_query(std::string_view query, std::string_view name, std::string_view value) {
  for (const std::string_view pair : split(query, '&')) {
    const auto equals = pair.find('=');
    const std::string_view given = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    if (pair.substr(0, equals) == name && given == value) return true;
  }
  return false;
}

}  // namespace

struct Routes::Patterns {
  std::map<std::string, Pattern> by_text;
  void add(const TextMatch& match) {
    if (match.kind != TextMatch::Kind::kRegex) return;
    // One that is wrong is met by nothing.
    if (auto pattern = Pattern::compile(match.text)) by_text.try_emplace(match.text, *std::move(pattern));
  }
};

Result<void, Failure> check_pattern(const std::string& pattern) {
  TRY(Pattern::compile(pattern));
  return {};
}

Routes::Routes(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    auto& patterns = patterns_.emplace_back(std::make_unique<Patterns>());
    if (route.match.path) patterns->add(*route.match.path);
    if (route.match.host) patterns->add(*route.match.host);
    for (const auto& [name, match] : route.match.headers) patterns->add(match);
  }
}

Routes::~Routes() = default;

bool Routes::meets_text(std::size_t index, const TextMatch& match, std::string_view text) const {
  bool met = false;
  switch (match.kind) {
    case TextMatch::Kind::kPresent: met = true; break;
    case TextMatch::Kind::kExact: met = text == match.text; break;
    case TextMatch::Kind::kPrefix: met = text.starts_with(match.text); break;
    case TextMatch::Kind::kSuffix: met = text.ends_with(match.text); break;
    case TextMatch::Kind::kRange: {
      const auto number = parse_int(text);
      met = number && *number >= match.from && *number < match.to;
      break;
    }
    case TextMatch::Kind::kRegex: {
      const auto found = patterns_[index]->by_text.find(match.text);
      if (found == patterns_[index]->by_text.end() || text.size() > kPatternTextMax) return false;
      met = found->second.matches(text);
      break;
    }
  }
  return met;
}

bool Routes::meets(std::size_t index, const RouteRequest& request) const {
  const RouteMatch& match = routes_[index].match;
  if (match.port != 0 && request.port != 0 && match.port != request.port) return false;
  if (!match.method.empty() && match.method != request.method) return false;
  if (!match.scheme.empty() && match.scheme != request.scheme) return false;
  if (match.path && meets_text(index, *match.path, request.path) == match.path->negated) return false;
  if (match.host && meets_text(index, *match.host, request.host) == match.host->negated) return false;
  if (!match.grpc_service.empty()) {
    // "/package.Service/Method"
    const std::string_view path = request.path.substr(std::min<std::size_t>(1, request.path.size()));
    const auto slash = path.find('/');
    if (slash == std::string_view::npos || path.substr(0, slash) != match.grpc_service) return false;
    if (!match.grpc_method.empty() && path.substr(slash + 1) != match.grpc_method) return false;
  }
  for (const auto& [name, wanted] : match.headers) {
    const bool met = request.any_header(name, [&](std::string_view value) { return meets_text(index, wanted, value); });
    if (met == wanted.negated) return false;
  }
  for (const auto& [name, value] : match.queries)
    if (!has_query(request.query, name, value)) return false;
  return true;
}

const Route* Routes::find(const RouteRequest& request) const {
  for (std::size_t i = 0; i < routes_.size(); ++i)
    if (routes_[i].protocol != Protocol::kTcp && meets(i, request)) return &routes_[i];
  return nullptr;
}

const Route* Routes::find_tcp(int port) const {
  for (const Route& route : routes_)
    if (route.protocol == Protocol::kTcp && (route.match.port == 0 || route.match.port == port)) return &route;
  return nullptr;
}

const WeightedNode* choose_node(const std::vector<WeightedNode>& nodes, std::uint64_t random) {
  std::uint64_t sum = 0;
  for (const WeightedNode& node : nodes) sum += node.weight;
  if (sum == 0) return nullptr;
  std::uint64_t left = random % sum;
  for (const WeightedNode& node : nodes) {
    if (left < node.weight) return &node;
    left -= node.weight;
  }
  return nullptr;
}

}  // namespace reef::edge::mesh
