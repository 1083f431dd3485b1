#include "aws/protocol/uri_router.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "wire/form.h"

namespace reef::aws {
namespace {

struct Candidate {
  const OperationModel* operation;
  std::vector<std::string_view> labels;                                // by position of the path's label segments
  std::vector<std::pair<std::string_view, std::string_view>> fixed;    // query parameters in the URI
  std::vector<std::string_view> required_query;
  std::vector<std::string> required_headers;                           // lower case
  bool greedy = false;
};

// How well a candidate fits: -1 not at all. More fixed and required parts win.
int score(const Candidate& candidate, const wire::Form& query, const std::function<bool(std::string_view)>& has_header) {
  int points = 0, found = 0, lacking = 0;
  for (const auto& [key, value] : candidate.fixed) {
    const wire::FormField* field = query.find(key);
    if (!field || (!value.empty() && field->value != value)) return -1;
    points += 1000;
  }
  for (const std::string_view name : candidate.required_query) ++(query.find(name) ? found : lacking);
  if (has_header)
    for (const std::string& name : candidate.required_headers) ++(has_header(name) ? found : lacking);
  // A request that lacks something required may still be meant: the handler then says what it lacks. But any
  // candidate that lacks nothing is more likely. Old names of an operation are modelled beside the new ones: the
  // served one is meant.
  points += lacking ? 2 * (8 - std::min(lacking, 7)) : 20 + 20 * found;
  return points + candidate.operation->is_served;
}

}  // namespace

struct UriRouter::Node {
  std::vector<std::pair<std::string_view, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> label;
  std::vector<std::pair<std::string_view, Candidate>> ends;    // by method
  std::vector<std::pair<std::string_view, Candidate>> greedy;  // the last segment takes the rest of the path

  Node& literal(std::string_view text) {
    for (auto& [name, node] : literals)
      if (name == text) return *node;
    literals.emplace_back(text, std::make_unique<Node>());
    return *literals.back().second;
  }
};

UriRouter::~UriRouter() = default;
UriRouter::UriRouter(UriRouter&&) noexcept = default;

UriRouter::UriRouter(const ServiceModel& service) : root_(std::make_unique<Node>()) {
  for (std::uint32_t i = 0; i < service.operation_count; ++i) {
    const OperationModel& operation = service.operations[i];
    std::string_view uri = operation.uri;
    Candidate candidate{.operation = &operation};
    if (const std::size_t mark = uri.find('?'); mark != std::string_view::npos) {
      for (const std::string_view part : split(uri.substr(mark + 1), '&')) {
        const std::size_t equals = part.find('=');
        candidate.fixed.emplace_back(part.substr(0, equals),
                                     equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
      }
      uri = uri.substr(0, mark);
    }
    for (std::uint32_t m = 0; operation.input && m < operation.input->member_count; ++m) {
      const Member& member = operation.input->members[m];
      if (!member.required) continue;
      if (member.location == Location::kQuery) candidate.required_query.emplace_back(member.wire_name);
      if (member.location == Location::kHeader) candidate.required_headers.push_back(to_lower(member.wire_name));
    }
    Node* node = root_.get();
    for (std::string_view segment : split(uri, '/')) {
      if (segment.empty()) continue;
      if (!segment.starts_with('{')) {
        node = &node->literal(segment);
        continue;
      }
      segment = segment.substr(1, segment.size() - 2);
      if (segment.ends_with('+')) {
        candidate.labels.push_back(segment.substr(0, segment.size() - 1));
        candidate.greedy = true;
        break;
      }
      candidate.labels.push_back(segment);
      if (!node->label) node->label = std::make_unique<Node>();
      node = node->label.get();
    }
    (candidate.greedy ? node->greedy : node->ends).emplace_back(operation.method, std::move(candidate));
  }
}

namespace {

struct Search {
  std::string_view method;
  const wire::Form& query;
  const std::function<bool(std::string_view)>& has_header;
  std::vector<std::string_view> values;  // label segments on the way here
  const Candidate* best = nullptr;
  int best_score = -1;
  std::vector<std::string_view> best_values;

  void consider(const std::vector<std::pair<std::string_view, Candidate>>& ends) {
    for (const auto& [wanted, candidate] : ends) {
      if (wanted != method) continue;
      const int points = score(candidate, query, has_header);
      if (points <= best_score) continue;
      best = &candidate, best_score = points, best_values = values;
    }
  }
};

// `rest` starts after the slash of the current segment.
template <class Node>
bool walk(const Node& node, std::string_view rest, Search& search) {
  if (rest.empty()) {
    search.consider(node.ends);
    return search.best != nullptr;
  }
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  const std::string_view after = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  for (const auto& [name, child] : node.literals)
    if (name == segment && walk(*child, after, search)) return true;
  // A greedy label beats a label whose subtree has nothing for the rest; S3 keys may have empty segments.
  if (node.label && !segment.empty()) {
    search.values.push_back(segment);
    if (walk(*node.label, after, search)) return true;
    search.values.pop_back();
  }
  if (!node.greedy.empty()) {
    search.values.push_back(rest);
    search.consider(node.greedy);
    if (search.best) return true;
    search.values.pop_back();
  }
  return false;
}

}  // namespace

std::optional<RouteMatch> UriRouter::match(std::string_view method, std::string_view path, std::string_view query,
                                           const std::function<bool(std::string_view)>& has_header) const {
  const wire::Form form(query);
  Search search{.method = method, .query = form, .has_header = has_header};
  if (path.starts_with('/')) path.remove_prefix(1);
  if (!walk(*root_, path, search)) return std::nullopt;
  RouteMatch out{.operation = search.best->operation, .labels = {}};
  for (std::size_t i = 0; i < search.best->labels.size() && i < search.best_values.size(); ++i)
    out.labels.values.emplace_back(search.best->labels[i], percent_decode(search.best_values[i]));
  return out;
}

std::optional<RouteMatch> UriRouter::match(const http::Request& request) const {
  return match(request.method, request.path, request.query,
               [&](std::string_view name) { return request.has_header(name); });
}

}  // namespace reef::aws
