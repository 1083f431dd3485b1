// The lexer and what the three expression parsers share: tokens, paths, and AWS's syntax error texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/table/expression.h"

namespace reef::table {

// Bounds of one expression.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-expression-parameters
constexpr std::size_t kExpressionBytesMax = 4096;
constexpr int kOperatorsMax = 300;
constexpr int kInOperandsMax = 100;
constexpr std::size_t kPathStepsMax = 32;
constexpr int kParenthesesMax = 200;  // nesting; bounds our recursion

struct Token {
  enum class Kind : std::uint8_t { kEnd, kWord, kNumber, kName, kValue, kSymbol };
  Kind kind = Kind::kEnd;
  std::string_view text;  // "#name" and ":value" with their sign
  std::size_t offset = 0;
};

std::vector<Token> read_tokens(std::string_view text);

// The first fault of each sort; which of them is reported is the parser's business.
struct Faults {
  std::string parentheses, unknown_function, misused_function, reserved, section, name, value, undefined /* first of both */, operand,
      distinct, function, path_overlap, path_conflict, condition, limit;
  static void set(std::string& fault, std::string text) {
    if (fault.empty()) fault = std::move(text);
  }
};

class ExpressionReader {
 public:
  ExpressionReader(std::string_view text, Placeholders& placeholders);

 protected:
  const Token& token() const { return tokens_[at_]; }
  const Token& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool is_symbol(std::string_view symbol) const {
    return token().kind == Token::Kind::kSymbol && token().text == symbol;
  }
  bool is_word(std::string_view word) const;  // regardless of case
  bool take_symbol(std::string_view symbol);
  bool take_word(std::string_view word);
  // Records a syntax error at the current token, once; false, so that parsers can return it.
  bool fail();
  bool expect_symbol(std::string_view symbol) { return take_symbol(symbol) || fail(); }

  // a.b[0].#c. `reserved_words` are refused as names too, but not those that `is_keyword` knows.
  bool read_path(Path& out);
  // The ".b[0]" that may follow.
  bool read_path_steps(Path& out);
  // ":x"; the operand's value stays null when it is not defined.
  bool read_value(Operand& out);
  virtual bool is_keyword() const = 0;  // the current word belongs to the grammar
  void count_operator();
  // The text of a syntax or size fault, or "".
  const std::string& syntax_fault() const { return syntax_; }

  ~ExpressionReader() = default;

  Placeholders& placeholders_;
  Faults faults_;
  int depth_ = 0;

 private:
  bool read_path_name(Path& out);
  void report_undefined(std::string& fault, const char* what);  // of the current token
  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int operators_ = 0;
  std::string syntax_;
};

// Records a fault for the first pair of `paths` that overlap or contradict each other.
void check_paths(const std::vector<const Path*>& paths, Faults& faults);

// The kind of an operand that needs no item to be known; nothing for paths.
std::optional<AttributeKind> known_kind(const Operand& operand);

}  // namespace reef::table
