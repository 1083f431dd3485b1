#include "engine/telemetry/log_comparison.h"

#include <algorithm>

#include "base/text.h"

namespace reef::telemetry {

Result<Pattern, std::string> parse_log_regex(std::string_view text) {
  constexpr std::string_view kSymbols = ":_#=@/;,-^$?[]{}|\\*+.";
  const auto fits = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kSymbols.find(c) != std::string_view::npos; };
  if (text.empty()) return Err(std::string("the regular expression of the filter pattern is empty"));
  if (const auto bad = std::ranges::find_if_not(text, fits); bad != text.end()) return Err(std::string("Invalid character(s) in term '") + *bad + "'");
  auto compiled = Pattern::compile(std::string(text), {.whole = false});
  if (!compiled) return Err("Invalid regular expression '%" + std::string(text) + "%': " + compiled.error().message);
  return *std::move(compiled);
}

Result<LogComparison, std::string> LogComparison::take(std::string_view& text, std::string_view ends) {
  constexpr std::pair<std::string_view, Op> kOps[] = {{"!=", Op::kNotEqual}, {"<=", Op::kLessEqual}, {">=", Op::kGreaterEqual},
                                                      {"=", Op::kEqual},     {"<", Op::kLess},       {">", Op::kGreater}};
  LogComparison out;
  const auto op = std::ranges::find_if(kOps, [&](const auto& one) { return text.starts_with(one.first); });
  if (op == std::end(kOps)) return Err(std::string("missing comparison in the filter pattern"));
  out.op = op->second;
  text.remove_prefix(op->first.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const bool is_equality = out.op == Op::kEqual || out.op == Op::kNotEqual;
  if (!text.empty() && (text[0] == '"' || text[0] == '%')) {
    const char mark = text[0];
    const auto end = text.find(mark, 1);
    if (end == std::string_view::npos) return Err(std::string("missing ") + mark + " in the filter pattern");
    out.text = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (mark == '%') out.regex = TRY(parse_log_regex(out.text));
    if (!is_equality) return Err(std::string("only numbers can be compared with <, <=, > and >= in the filter pattern"));
    return out;
  }
  const auto end = std::min(text.find_first_of(ends), text.size());
  out.text = trim(text.substr(0, end));
  text.remove_prefix(end);
  out.number = parse_double(out.text);
  if (out.text.empty()) return Err(std::string("missing value in the filter pattern"));
  if (!is_equality && !out.number) return Err(std::string("only numbers can be compared with <, <=, > and >= in the filter pattern"));
  return out;
}

bool LogComparison::holds(std::string_view value, std::optional<double> as_number) const {
  if (number && as_number) {
    switch (op) {
      case Op::kEqual: return *as_number == *number;
      case Op::kNotEqual: return *as_number != *number;
      case Op::kLess: return *as_number < *number;
      case Op::kLessEqual: return *as_number <= *number;
      case Op::kGreater: return *as_number > *number;
      case Op::kGreaterEqual: return *as_number >= *number;
    }
  }
  const bool same = regex ? regex->matches(value) : matches_wildcard(text, value);
  return op == Op::kEqual ? same : op == Op::kNotEqual && !same;
}

}  // namespace reef::telemetry
