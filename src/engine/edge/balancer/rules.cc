#include "engine/edge/balancer/rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "engine/edge/balancer/literal_ends.h"

namespace reef::edge {
namespace {

constexpr std::string_view kWild = "*?";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool is_exact(std::string_view pattern) { return pattern.find_first_of(kWild) == std::string_view::npos; }
std::string_view literal_prefix(std::string_view pattern) { return pattern.substr(0, pattern.find_first_of(kWild)); }
std::string reversed_literal_suffix(std::string_view pattern) {
  const auto wild = pattern.find_last_of(kWild);
  std::string out(pattern.substr(wild == std::string_view::npos ? 0 : wild + 1));
  std::reverse(out.begin(), out.end());
  return to_lower(out);
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return matches_wildcard_any_case(pattern, text); });
}

bool any_matches(const RuleExpressions& expressions, std::string_view text) {
  return std::any_of(expressions.begin(), expressions.end(), [&](const RuleExpression& expression) { return expression.pattern->matches(text); });
}

// Under what a rule is found: the keys of its first condition on hosts or on paths. "=" begins a whole host, "~" the end of
// one, reversed.
std::vector<std::string> host_keys(const RuleConditions& rule) {
  std::vector<std::string> out;
  if (!rule.hosts.empty())
    for (const std::string& host : rule.hosts[0]) out.push_back(is_exact(host) ? "=" + to_lower(host) : "~" + reversed_literal_suffix(host));
  else if (!rule.host_expressions.empty())
    for (const RuleExpression& expression : rule.host_expressions[0]) {
      std::string suffix = to_lower(literal_ends(expression.text).suffix);
      std::reverse(suffix.begin(), suffix.end());
      out.push_back("~" + suffix);
    }
  return out;
}
std::vector<std::string> path_keys(const RuleConditions& rule) {
  std::vector<std::string> out;
  if (!rule.paths.empty())
    for (const std::string& path : rule.paths[0]) out.emplace_back(literal_prefix(path));
  else if (!rule.path_expressions.empty())
    for (const RuleExpression& expression : rule.path_expressions[0]) out.push_back(literal_ends(expression.text).prefix);
  return out;
}

bool meets_query(const std::vector<RuleConditions::QueryPair>& wanted, std::string_view query) {
  for (const std::string_view pair : split(query, '&')) {
    const auto equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    for (const auto& want : wanted)
      if ((want.key.empty() || matches_wildcard_any_case(want.key, key)) && matches_wildcard_any_case(want.value, value)) return true;
  }
  return false;
}

}  // namespace

bool matches_wildcard_any_case(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<AddressBlock, Failure> AddressBlock::parse(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  AddressBlock out;
  if (::inet_pton(AF_INET, address.c_str(), out.bytes_) == 1) out.family_ = AF_INET;
  else if (::inet_pton(AF_INET6, address.c_str(), out.bytes_) == 1) out.family_ = AF_INET6;
  const int most = out.family_ == AF_INET ? 32 : 128;
  const auto bits = slash == std::string_view::npos ? std::optional<int>(most) : parse_int<int>(text.substr(slash + 1));
  if (out.family_ == 0 || !bits || *bits < 0 || *bits > most) return Err(Failure{"'" + std::string(text) + "' is not a CIDR block"});
  out.bits_ = *bits;
  return out;
}

bool AddressBlock::contains(std::string_view address) const {
  unsigned char bytes[16] = {};
  char text[64];
  if (address.size() >= sizeof text) return false;
  text[address.copy(text, sizeof text - 1)] = 0;
  if (::inet_pton(family_, text, bytes) != 1) return false;
  const int whole = bits_ / 8, rest = bits_ % 8;
  if (std::memcmp(bytes, bytes_, static_cast<std::size_t>(whole)) != 0) return false;
  return rest == 0 || ((bytes[whole] ^ bytes_[whole]) >> (8 - rest)) == 0;
}

bool meets(const RuleConditions& conditions, const RuleRequest& request) {
  for (const auto& values : conditions.methods)
    if (std::find(values.begin(), values.end(), request.method) == values.end()) return false;
  for (const auto& values : conditions.hosts)
    if (!any_matches(values, request.host)) return false;
  for (const auto& values : conditions.paths)
    if (std::none_of(values.begin(), values.end(), [&](const std::string& pattern) { return matches_wildcard(pattern, request.path); })) return false;
  for (const RuleExpressions& expressions : conditions.host_expressions)
    if (!any_matches(expressions, request.host)) return false;
  for (const RuleExpressions& expressions : conditions.path_expressions)
    if (!any_matches(expressions, request.path)) return false;
  for (const auto& values : conditions.queries)
    if (!meets_query(values, request.query)) return false;
  for (const auto& header : conditions.headers)
    if (!request.any_header(header.name, [&](std::string_view value) { return any_matches(header.values, value) || any_matches(header.expressions, value); })) return false;
  for (const auto& blocks : conditions.sources)
    if (std::none_of(blocks.begin(), blocks.end(), [&](const AddressBlock& block) { return block.contains(request.source); })) return false;
  return true;
}

// A radix tree: every bucket whose key is a prefix of a text is met on one walk along it.
struct RuleIndex::Prefixes {
  struct Node {
    std::string edge;
    Bucket bucket;
    std::vector<std::unique_ptr<Node>> children;  // by the first character of their edge
    Node* child(char c) const {
      const auto found = std::lower_bound(children.begin(), children.end(), c, [](const auto& node, char first) { return node->edge[0] < first; });
      return found != children.end() && (*found)->edge[0] == c ? found->get() : nullptr;
    }
    void adopt(std::unique_ptr<Node> node) {
      const auto at = std::lower_bound(children.begin(), children.end(), node->edge[0], [](const auto& other, char first) { return other->edge[0] < first; });
      children.insert(at, std::move(node));
    }
  };
  Node root;

  Bucket& at(std::string_view key) {
    Node* node = &root;
    while (!key.empty()) {
      Node* next = node->child(key[0]);
      if (!next) {
        auto leaf = std::make_unique<Node>();
        leaf->edge = key;
        Node* made = leaf.get();
        node->adopt(std::move(leaf));
        return made->bucket;
      }
      std::size_t same = 0;
      while (same < key.size() && same < next->edge.size() && key[same] == next->edge[same]) ++same;
      if (same < next->edge.size()) {
        auto lower_half = std::make_unique<Node>();
        lower_half->edge = next->edge.substr(same);
        lower_half->bucket = std::exchange(next->bucket, {});
        lower_half->children = std::exchange(next->children, {});
        next->edge.resize(same);
        next->adopt(std::move(lower_half));
      }
      key.remove_prefix(same);
      node = next;
    }
    return node->bucket;
  }
  template <class Visit>
  void walk(std::string_view text, const Visit& visit) const {
    const Node* node = &root;
    for (;;) {
      if (!node->bucket.empty()) visit(node->bucket);
      if (text.empty()) return;
      node = node->child(text[0]);
      if (!node || !text.starts_with(node->edge)) return;
      text.remove_prefix(node->edge.size());
    }
  }
};

RuleIndex::~RuleIndex() = default;
RuleIndex::RuleIndex(RuleIndex&&) noexcept = default;
RuleIndex& RuleIndex::operator=(RuleIndex&&) noexcept = default;

RuleIndex::RuleIndex(std::vector<RuleConditions> rules)
    : rules_(std::move(rules)), host_ends_(std::make_unique<Prefixes>()), paths_(std::make_unique<Prefixes>()) {
  // A rule goes where fewer others are: under its hosts or under its paths.
  TextMap<std::size_t> by_host, by_path;
  for (const RuleConditions& rule : rules_) {
    for (const std::string& key : host_keys(rule)) ++by_host[key];
    for (const std::string& key : path_keys(rule)) ++by_path[key];
  }
  const auto crowd = [](const std::vector<std::string>& keys, const TextMap<std::size_t>& counts) {
    std::size_t out = keys.empty() ? SIZE_MAX : 0;
    for (const std::string& key : keys) out = std::max(out, counts.find(key)->second);
    return out;
  };
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    const std::vector<std::string> hosts = host_keys(rules_[i]), paths = path_keys(rules_[i]);
    const std::size_t host_crowd = crowd(hosts, by_host), path_crowd = crowd(paths, by_path);
    const auto put = [i](Bucket& bucket) {
      if (bucket.empty() || bucket.back() != i) bucket.push_back(i);
    };
    if (hosts.empty() && paths.empty()) others_.push_back(i);
    else if (host_crowd <= path_crowd) {
      for (const std::string& key : hosts) put(key[0] == '=' ? hosts_[key.substr(1)] : host_ends_->at(std::string_view(key).substr(1)));
    } else {
      for (const std::string& key : paths) put(paths_->at(key));
    }
  }
}

void RuleIndex::scan(const Bucket& bucket, const RuleRequest& request, std::size_t& best) const {
  for (const std::uint32_t rule : bucket) {
    if (rule >= best) return;
    if (meets(rules_[rule], request)) {
      best = rule;
      return;
    }
  }
}

std::size_t RuleIndex::find(const RuleRequest& request) const {
  std::size_t best = kNone;
  if (rules_.empty()) return best;
  // Host names longer than DNS allows match nothing exact.
  char host[256];
  if (request.host.size() <= sizeof host) {
    std::transform(request.host.begin(), request.host.end(), host, lower);
    const std::string_view lowered(host, request.host.size());
    if (!hosts_.empty())
      if (const auto found = hosts_.find(lowered); found != hosts_.end()) scan(found->second, request, best);
    std::reverse(host, host + lowered.size());
    host_ends_->walk(lowered, [&](const Bucket& bucket) { scan(bucket, request, best); });
  }
  paths_->walk(request.path, [&](const Bucket& bucket) { scan(bucket, request, best); });
  scan(others_, request, best);
  return best;
}

}  // namespace reef::edge
