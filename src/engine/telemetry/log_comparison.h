// One comparison of a log pattern: what a field or a member of JSON is compared with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/pattern.h"
#include "base/result.h"

namespace reef::telemetry {

// A regular expression of log patterns, without the % around it: letters, digits, :_#=@/;,- and the operators
// ^$?[]{}|\*+. are what it may be made of. It may match anywhere.
Result<Pattern, std::string> parse_log_regex(std::string_view text);

struct LogComparison {
  enum class Op { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  Op op = Op::kEqual;
  std::string text;                // with * for anything, unless it was quoted in full
  std::optional<double> number;    // when the text is one
  std::optional<Pattern> regex;

  // Takes an operator and its operand off the front of `text`. `ends` are the characters that end an operand without quotes.
  static Result<LogComparison, std::string> take(std::string_view& text, std::string_view ends);

  // A value as it is written in the line, and as a number if it is one.
  bool holds(std::string_view value, std::optional<double> as_number) const;
};

}  // namespace reef::telemetry
