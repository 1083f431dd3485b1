// Patterns over lines that are JSON: comparisons of what selectors name.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "engine/telemetry/log_comparison.h"
#include "engine/telemetry/log_form.h"
#include "wire/json.h"

namespace reef::telemetry {
namespace {

using wire::Json;
constexpr int kDepthMax = 32;

struct Node {
  enum class Kind { kAnd, kOr, kCompare, kIsNull, kIsTrue, kIsFalse, kExists, kNotExists } kind = Kind::kAnd;
  std::vector<Node> children;
  std::vector<std::string> path;   // members and element numbers; "*" in brackets: any element
  LogComparison comparison;

  bool test(const Json& json) const {
    switch (kind) {
      case Kind::kAnd: return std::ranges::all_of(children, [&](const Node& c) { return c.test(json); });
      case Kind::kOr: return std::ranges::any_of(children, [&](const Node& c) { return c.test(json); });
      default: return test_value(json, 0);
    }
  }

 private:
  bool test_value(const Json& at, std::size_t step) const {
    if (step == path.size()) return test_found(at);
    if (path[step] == "*" && at.is_array())
      return std::ranges::any_of(at.as_array(), [&](const Json& element) { return test_value(element, step + 1); });
    const auto index = parse_int<std::size_t>(path[step]);
    const Json* const next = at.is_array() && index ? (*index < at.size() ? &at.at(*index) : nullptr) : at.find(path[step]);
    return next ? test_value(*next, step + 1) : kind == Kind::kNotExists;
  }

  bool test_found(const Json& value) const {
    switch (kind) {
      case Kind::kIsNull: return value.is_null();
      case Kind::kIsTrue: return value.is_bool() && value.as_bool();
      case Kind::kIsFalse: return value.is_bool() && !value.as_bool();
      case Kind::kExists: return true;
      case Kind::kCompare: {
        const auto text = value.scalar_text();
        return text ? comparison.holds(*text, value.is_number() ? value.as_double() : std::nullopt) : comparison.op == LogComparison::Op::kNotEqual;
      }
      default: return false;
    }
  }
};

class Selector final : public LogPattern::Form {
 public:
  explicit Selector(Node root) : root_(std::move(root)) {}
  bool matches(std::string_view line) const override {
    const auto json = Json::parse(line);
    return json && root_.test(*json);
  }

 private:
  Node root_;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  LogForm parse() {
    Node root = TRY(list(0, "||", Node::Kind::kOr));
    skip();
    if (!text_.empty()) return Err("unexpected '" + std::string(text_.substr(0, 10)) + "' in the filter pattern");
    return std::make_unique<Selector>(std::move(root));
  }

 private:
  void skip() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool take(std::string_view word) {
    skip();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  Result<Node, std::string> list(int depth, std::string_view joiner, Node::Kind kind) {
    if (depth > kDepthMax) return Err(std::string("the filter pattern is nested too deeply"));
    Node out;
    out.kind = kind;
    do out.children.push_back(kind == Node::Kind::kOr ? TRY(list(depth + 1, "&&", Node::Kind::kAnd)) : TRY(test(depth + 1)));
    while (take(joiner));
    return out;
  }

  Result<Node, std::string> test(int depth) {
    if (take("(")) {
      Node inner = TRY(list(depth + 1, "||", Node::Kind::kOr));
      if (!take(")")) return Err(std::string("missing ) in the filter pattern"));
      return inner;
    }
    if (!take("$")) return Err(std::string("a selector must start with $ in the filter pattern"));
    Node out;
    out.path = TRY(path());
    if (out.path.empty()) return Err(std::string("empty selector in the filter pattern"));
    constexpr std::pair<std::string_view, Node::Kind> kWords[] = {{"NULL", Node::Kind::kIsNull}, {"TRUE", Node::Kind::kIsTrue}, {"FALSE", Node::Kind::kIsFalse}};
    if (take("IS ")) {
      for (const auto& [word, kind] : kWords)
        if (take(word)) return out.kind = kind, std::move(out);
      return Err(std::string("IS takes NULL, TRUE or FALSE in the filter pattern"));
    }
    if (take("NOT EXISTS")) return out.kind = Node::Kind::kNotExists, std::move(out);
    if (take("EXISTS")) return out.kind = Node::Kind::kExists, std::move(out);
    skip();
    out.kind = Node::Kind::kCompare;
    out.comparison = TRY(LogComparison::take(text_, " \t\r\n)&|"));
    return out;
  }

  // ".a['b c'][0][*]"
  Result<std::vector<std::string>, std::string> path() {
    std::vector<std::string> out;
    while (!text_.empty() && (text_[0] == '.' || text_[0] == '[')) {
      const bool is_bracket = text_[0] == '[';
      text_.remove_prefix(1);
      if (!is_bracket && text_.starts_with('"')) return Err(std::string("Invalid character(s) in term '$.\"'"));
      const auto end = std::min(text_.find_first_of(is_bracket ? "]" : ".[ \t=!<>&|)"), text_.size());
      std::string step(trim(text_.substr(0, end)));
      if (step.size() > 1 && (step.front() == '"' || step.front() == '\'') && step.back() == step.front()) step = step.substr(1, step.size() - 2);
      if (step.empty()) return Err(std::string("empty selector in the filter pattern"));
      out.push_back(std::move(step));
      text_.remove_prefix(std::min(end + (is_bracket ? 1 : 0), text_.size()));
    }
    return out;
  }

  std::string_view text_;
};

}  // namespace

LogForm parse_log_selector(std::string_view text) { return Parser(text).parse(); }

}  // namespace reef::telemetry
