#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/metrics/math.h"

namespace reef::metrics {
namespace {

using Kind = MathNode::Kind;

// Reads by precedence: OR, AND, comparisons, + -, * /, unary -, ^.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<MathNode, MathError> parse() {
    MathNode root = TRY(any(0));
    skip_space();
    if (at_ < text_.size()) return Err(fault());
    return root;
  }

 private:
  struct Level {
    std::initializer_list<std::string_view> operators;
  };
  static constexpr std::size_t kLevels = 5;
  static std::initializer_list<std::string_view> operators(std::size_t level) {
    static constexpr std::initializer_list<std::string_view> kOr = {"OR", "||"}, kAnd = {"AND", "&&"}, kSum = {"+", "-"}, kProduct = {"*", "/"};
    static constexpr std::initializer_list<std::string_view> kCompare = {"==", "!=", "<=", ">=", "<", ">"};
    switch (level) {
      case 0: return kOr;
      case 1: return kAnd;
      case 2: return kCompare;
      case 3: return kSum;
      default: return kProduct;
    }
  }

  Result<MathNode, MathError> any(std::size_t level) {
    if (level == kLevels) return unary();
    if (level == 0 && ++depth_ > kMathDepthMax) return Err(math_error("The expression is nested too deeply"));
    MathNode left = TRY(any(level + 1));
    for (std::string_view op = take_operator(level); !op.empty(); op = take_operator(level)) {
      if (++nodes_ > kNodesMax) return Err(math_error("The expression is too long"));
      MathNode right = TRY(any(level + 1));
      MathNode both{.kind = Kind::kBinary, .text = std::string(op == "||" ? "OR" : op == "&&" ? "AND" : op)};
      both.parts.push_back(std::move(left));
      both.parts.push_back(std::move(right));
      left = std::move(both);
    }
    if (level == 0) --depth_;
    return left;
  }

  Result<MathNode, MathError> unary() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '-') {
      ++at_;
      if (++depth_ > kMathDepthMax) return Err(math_error("The expression is nested too deeply"));
      MathNode node{.kind = Kind::kNegate};
      node.parts.push_back(TRY(unary()));
      --depth_;
      return node;
    }
    MathNode base = TRY(primary());
    skip_space();
    if (at_ >= text_.size() || text_[at_] != '^') return base;
    ++at_;
    if (++depth_ > kMathDepthMax) return Err(math_error("The expression is nested too deeply"));
    MathNode power{.kind = Kind::kBinary, .text = "^"};
    power.parts.push_back(std::move(base));
    power.parts.push_back(TRY(unary()));
    --depth_;
    return power;
  }

  Result<MathNode, MathError> primary() {
    skip_space();
    if (at_ >= text_.size()) return Err(fault());
    const char c = text_[at_];
    if (c == '(') {
      ++at_;
      MathNode inner = TRY(any(0));
      if (!take(')')) return Err(fault());
      return inner;
    }
    if (c == '[') {
      ++at_;
      MathNode list{.kind = Kind::kList};
      TRY(arguments(list, ']'));
      return list;
    }
    if (c == '"' || c == '\'') return text_literal(c);
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return number();
    if (std::isalpha(static_cast<unsigned char>(c)) || c == '_') return name();
    return Err(fault());
  }

  Result<void, MathError> arguments(MathNode& into, char close) {
    if (take(close)) return {};
    do {
      into.parts.push_back(TRY(any(0)));
    } while (take(','));
    if (!take(close)) return Err(fault());
    return {};
  }

  Result<MathNode, MathError> text_literal(char quote) {
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return Err(fault());
    MathNode node{.kind = Kind::kText, .text = std::string(text_.substr(at_ + 1, end - at_ - 1))};
    at_ = end + 1;
    return node;
  }

  Result<MathNode, MathError> number() {
    std::size_t end = at_;
    while (end < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[end])) || text_[end] == '.')) ++end;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) ++exponent;
      if (exponent < text_.size() && std::isdigit(static_cast<unsigned char>(text_[exponent]))) {
        while (exponent < text_.size() && std::isdigit(static_cast<unsigned char>(text_[exponent]))) ++exponent;
        end = exponent;
      }
    }
    const auto value = parse_double(text_.substr(at_, end - at_));
    if (!value) return Err(fault());
    at_ = end;
    return MathNode{.kind = Kind::kNumber, .number = *value};
  }

  Result<MathNode, MathError> name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    MathNode node{.kind = Kind::kName, .text = std::string(text_.substr(begin, at_ - begin))};
    if (!take('(')) return node;
    if (is_unsupported_math_function(node.text))
      return Err(MathError{fmt::format("{} is not supported by this version of Atoll", node.text), true});
    if (!is_math_function(node.text)) return Err(math_error(fmt::format("Unknown function: {}", node.text)));
    node.kind = Kind::kCall;
    TRY(arguments(node, ')'));
    return node;
  }

  std::string_view take_operator(std::size_t level) {
    skip_space();
    for (const std::string_view op : operators(level)) {
      if (!text_.substr(at_).starts_with(op)) continue;
      const bool is_word = std::isalpha(static_cast<unsigned char>(op[0])) != 0;
      if (is_word && at_ + op.size() < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_ + op.size()])) || text_[at_ + op.size()] == '_')) continue;
      at_ += op.size();
      return op;
    }
    return {};
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  MathError fault() const { return math_error(fmt::format("Syntax error at column {}", at_ + 1)); }

  static constexpr std::size_t kNodesMax = 2048;
  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0, nodes_ = 0;
};

}  // namespace

MathError math_error(std::string message) { return {std::move(message), false}; }

Result<MathNode, MathError> parse_math(std::string_view text) {
  if (text.size() >= 6 && equals_ignoring_case(trim(text).substr(0, 6), "select"))
    return Err(MathError{"Metrics Insights queries (SELECT) are not supported by this version of Atoll", true});
  return Parser(text).parse();
}

void collect_names(const MathNode& node, std::set<std::string>& names) {
  if (node.kind == Kind::kName && !node.text.empty() && std::islower(static_cast<unsigned char>(node.text[0]))) names.insert(node.text);
  for (const MathNode& part : node.parts) collect_names(part, names);
}

bool uses_all_metrics(const MathNode& node) {
  if (node.kind == Kind::kCall && node.text == "METRICS") return true;
  return std::any_of(node.parts.begin(), node.parts.end(), [](const MathNode& part) { return uses_all_metrics(part); });
}

bool uses_search(const MathNode& node) {
  if (node.kind == Kind::kCall && node.text == "SEARCH") return true;
  return std::any_of(node.parts.begin(), node.parts.end(), [](const MathNode& part) { return uses_search(part); });
}

}  // namespace reef::metrics
