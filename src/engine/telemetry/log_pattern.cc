#include "engine/telemetry/log_pattern.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "wire/json.h"

namespace reef::telemetry {
namespace {
using wire::Json;
constexpr int kDepthMax = 32;
}  // namespace

struct LogPattern::Node {
  enum class Kind { kTerms, kAnd, kOr, kCompare, kIsNull, kNotExists } kind = Kind::kTerms;
  std::vector<std::string> all, none, any;   // terms
  std::vector<std::unique_ptr<Node>> children;
  std::vector<std::string> path;             // selector: members and element numbers
  std::string op, text;                      // comparison
  std::optional<double> number;

  bool test_terms(std::string_view line) const {
    const auto has = [&](const std::string& term) { return line.find(term) != std::string_view::npos; };
    return std::all_of(all.begin(), all.end(), has) && std::none_of(none.begin(), none.end(), has) &&
           (any.empty() || std::any_of(any.begin(), any.end(), has));
  }

  const Json* select(const Json& json) const {
    const Json* at = &json;
    for (const std::string& step : path) {
      const auto index = parse_int<std::size_t>(step);
      at = at->is_array() && index && *index < at->size() ? &at->at(*index) : at->find(step);
      if (!at) return nullptr;
    }
    return at;
  }

  bool test(const Json& json) const {
    switch (kind) {
      case Kind::kAnd: return std::all_of(children.begin(), children.end(), [&](const auto& c) { return c->test(json); });
      case Kind::kOr: return std::any_of(children.begin(), children.end(), [&](const auto& c) { return c->test(json); });
      case Kind::kNotExists: return select(json) == nullptr;
      case Kind::kIsNull: {
        const Json* value = select(json);
        return value && value->is_null();
      }
      case Kind::kCompare: return compare(select(json));
      case Kind::kTerms: break;
    }
    return false;
  }

  bool compare(const Json* value) const {
    if (!value) return false;
    if (number && value->is_number()) {
      const double v = value->as_double().value_or(0);
      if (op == "=") return v == *number;
      if (op == "!=") return v != *number;
      if (op == "<") return v < *number;
      if (op == ">") return v > *number;
      if (op == "<=") return v <= *number;
      return v >= *number;
    }
    const auto actual = value->scalar_text();
    if (!actual) return op == "!=";
    const bool same = matches_wildcard(text, *actual);
    return op == "=" ? same : op == "!=" && !same;
  }
};

namespace {

using Node = LogPattern::Node;

// "{ $.a.b[0] = "x" && ($.c > 1 || $.d IS NULL) }" without the braces.
class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text) {}

  Result<std::unique_ptr<Node>, std::string> parse() {
    auto root = TRY(parse_or(0));
    skip();
    if (!text_.empty()) return Err("unexpected '" + std::string(text_.substr(0, 10)) + "' in the filter pattern");
    return root;
  }

 private:
  void skip() { text_ = text_.substr(std::min(text_.find_first_not_of(" \t"), text_.size())); }
  bool take(std::string_view word) {
    skip();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  Result<std::unique_ptr<Node>, std::string> parse_or(int depth) { return parse_list(depth, "||", Node::Kind::kOr, true); }
  Result<std::unique_ptr<Node>, std::string> parse_list(int depth, std::string_view joiner, Node::Kind kind, bool is_or) {
    if (depth > kDepthMax) return Err(std::string("the filter pattern is nested too deeply"));
    auto node = std::make_unique<Node>();
    node->kind = kind;
    do {
      auto child = is_or ? TRY(parse_list(depth + 1, "&&", Node::Kind::kAnd, false)) : TRY(parse_test(depth + 1));
      node->children.push_back(std::move(child));
    } while (take(joiner));
    return node;
  }

  Result<std::unique_ptr<Node>, std::string> parse_test(int depth) {
    if (take("(")) {
      auto inner = TRY(parse_or(depth + 1));
      if (!take(")")) return Err(std::string("missing ) in the filter pattern"));
      return inner;
    }
    if (!take("$")) return Err(std::string("a selector must start with $ in the filter pattern"));
    auto node = std::make_unique<Node>();
    while (!text_.empty() && (text_[0] == '.' || text_[0] == '[')) {
      const bool bracket = text_[0] == '[';
      text_.remove_prefix(1);
      const auto end = std::min(text_.find_first_of(bracket ? "]" : ".[ \t=!<>&|)"), text_.size());
      std::string step(text_.substr(0, end));
      if (step.size() > 1 && (step.front() == '"' || step.front() == '\'')) step = step.substr(1, step.size() - 2);
      if (step.empty()) return Err(std::string("empty selector in the filter pattern"));
      node->path.push_back(std::move(step));
      text_.remove_prefix(std::min(end + (bracket ? 1 : 0), text_.size()));
    }
    if (take("IS NULL")) return node->kind = Node::Kind::kIsNull, std::move(node);
    if (take("NOT EXISTS")) return node->kind = Node::Kind::kNotExists, std::move(node);
    node->kind = Node::Kind::kCompare;
    if (take("IS TRUE") || take("IS FALSE")) {
      node->op = "=";
      node->text = text_.data()[-1] == 'E' && text_.data()[-2] == 'U' ? "true" : "false";
      return node;
    }
    for (const std::string_view op : {"!=", "<=", ">=", "=", "<", ">"})
      if (take(op)) {
        node->op = op;
        break;
      }
    if (node->op.empty()) return Err(std::string("missing comparison in the filter pattern"));
    skip();
    if (!text_.empty() && text_[0] == '"') {
      const auto end = text_.find('"', 1);
      if (end == std::string_view::npos) return Err(std::string("missing \" in the filter pattern"));
      node->text = text_.substr(1, end - 1);
      text_.remove_prefix(end + 1);
    } else {
      const auto end = std::min(text_.find_first_of(" \t)&|"), text_.size());
      node->text = text_.substr(0, end);
      node->number = parse_double(node->text);
      text_.remove_prefix(end);
    }
    if (node->text.empty() && !node->number && node->op != "=" && node->op != "!=") return Err(std::string("missing value in the filter pattern"));
    return node;
  }

  std::string_view text_;
};

}  // namespace

LogPattern::LogPattern(std::unique_ptr<Node> root) : root_(std::move(root)) {}
LogPattern::LogPattern(LogPattern&&) noexcept = default;
LogPattern::~LogPattern() = default;

Result<LogPattern, std::string> LogPattern::parse(std::string_view text) {
  text = trim(text);
  if (text.starts_with('{')) {
    if (!text.ends_with('}') || text.size() < 2) return Err(std::string("missing } in the filter pattern"));
    return LogPattern(TRY(SelectorParser(text.substr(1, text.size() - 2)).parse()));
  }
  if (text.starts_with('[')) return Err(std::string("space-delimited filter patterns ([...]) are not supported by this version of Atoll"));
  if (text.starts_with('%')) return Err(std::string("regular expression filter patterns (%...%) are not supported by this version of Atoll"));
  auto node = std::make_unique<Node>();
  while (!text.empty()) {
    const char sign = text[0] == '?' || text[0] == '-' ? text[0] : ' ';
    if (sign != ' ') text.remove_prefix(1);
    std::string term;
    if (!text.empty() && text[0] == '"') {
      const auto end = text.find('"', 1);
      if (end == std::string_view::npos) return Err(std::string("missing \" in the filter pattern"));
      term = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
    } else {
      const auto end = std::min(text.find(' '), text.size());
      term = text.substr(0, end);
      text.remove_prefix(end);
    }
    if (!term.empty()) (sign == '?' ? node->any : sign == '-' ? node->none : node->all).push_back(std::move(term));
    text = text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  }
  return LogPattern(std::move(node));
}

bool LogPattern::matches(std::string_view line) const {
  if (root_->kind == Node::Kind::kTerms) return root_->test_terms(line);
  const auto json = Json::parse(line);
  return json && root_->test(*json);
}

}  // namespace reef::telemetry
