#include "engine/metrics/composite_rule.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::metrics {
namespace {

using Kind = CompositeRule::Kind;
constexpr std::size_t kDepthMax = 64, kPartsMax = 500;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<CompositeRule, std::string> parse() {
    CompositeRule rule = TRY(any(Kind::kOr));
    skip_space();
    if (at_ < text_.size()) return Err(fault());
    return rule;
  }

 private:
  using Outcome = Result<CompositeRule, std::string>;

  // OR binds weakest, then AND, then NOT.
  Outcome any(Kind kind) {
    if (++depth_ > 2 * kDepthMax) return Err(std::string("the expression is nested too deeply"));
    CompositeRule first = TRY(kind == Kind::kOr ? any(Kind::kAnd) : negation());
    CompositeRule all{.kind = kind};
    while (take_word(kind == Kind::kOr ? "OR" : "AND")) {
      if (all.parts.empty()) all.parts.push_back(std::move(first));
      all.parts.push_back(TRY(kind == Kind::kOr ? any(Kind::kAnd) : negation()));
    }
    --depth_;
    return all.parts.empty() ? std::move(first) : std::move(all);
  }

  Outcome negation() {
    if (!take_word("NOT")) return primary();
    if (++depth_ > 2 * kDepthMax) return Err(std::string("the expression is nested too deeply"));
    CompositeRule rule{.kind = Kind::kNot};
    rule.parts.push_back(TRY(negation()));
    --depth_;
    return rule;
  }

  Outcome primary() {
    if (take('(')) {
      CompositeRule inner = TRY(any(Kind::kOr));
      if (!take(')')) return Err(fault());
      return inner;
    }
    if (take_word("TRUE")) return CompositeRule{.kind = Kind::kTrue};
    if (take_word("FALSE")) return CompositeRule{.kind = Kind::kFalse};
    if (take_word("AT_LEAST")) return at_least();
    for (const AlarmState state : {AlarmState::kAlarm, AlarmState::kOk, AlarmState::kInsufficientData}) {
      if (!take_word(alarm_state_name(state))) continue;
      CompositeRule rule{.kind = Kind::kState, .state = state};
      if (!take('(')) return Err(fault());
      rule.alarms.push_back(TRY(name(")")));
      if (!take(')')) return Err(fault());
      if (++alarms_ > kPartsMax) return Err(std::string("the expression names too many alarms"));
      return rule;
    }
    return Err(fault());
  }

  // AT_LEAST(2, ALARM, (a, b, c)), AT_LEAST(50%, NOT OK, (a, b))
  Outcome at_least() {
    CompositeRule rule{.kind = Kind::kAtLeast};
    if (!take('(')) return Err(fault());
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    const auto number = parse_int<std::uint32_t>(text_.substr(begin, at_ - begin));
    if (!number || *number == 0) return Err(fault());
    rule.least = *number;
    rule.is_percent = take('%');
    if (!take(',')) return Err(fault());
    rule.is_negated = take_word("NOT");
    bool has_state = false;
    for (const AlarmState state : {AlarmState::kAlarm, AlarmState::kOk, AlarmState::kInsufficientData})
      if (!has_state && take_word(alarm_state_name(state))) {
        rule.state = state;
        has_state = true;
      }
    if (!has_state || !take(',') || !take('(')) return Err(fault());
    do {
      rule.alarms.push_back(TRY(name(",)")));
      if (++alarms_ > kPartsMax) return Err(std::string("the expression names too many alarms"));
    } while (take(','));
    if (!take(')') || !take(')')) return Err(fault());
    return rule;
  }

  // Quoted, with backslashes before quotes; or plain up to one of `ends`.
  Result<std::string, std::string> name(std::string_view ends) {
    skip_space();
    std::string out;
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const char quote = text_[at_++];
      for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        out += text_[at_];
      }
      if (at_ >= text_.size()) return Err(fault());
      ++at_;
    } else {
      while (at_ < text_.size() && ends.find(text_[at_]) == std::string_view::npos) out += text_[at_++];
      out = std::string(trim(out));
    }
    if (out.empty()) return Err(fault());
    return out;
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
  bool take_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_')) return false;
    at_ = end;
    return true;
  }
  std::string fault() const { return fmt::format("syntax error at position {}", at_ + 1); }

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0, alarms_ = 0;
};

}  // namespace

Result<CompositeRule, std::string> parse_composite_rule(std::string_view text) { return Parser(text).parse(); }

bool evaluate_composite_rule(const CompositeRule& rule, const std::function<std::optional<AlarmState>(const std::string&)>& state_of) {
  const auto holds = [&](const CompositeRule& part) { return evaluate_composite_rule(part, state_of); };
  switch (rule.kind) {
    case Kind::kTrue: return true;
    case Kind::kFalse: return false;
    case Kind::kState: return state_of(rule.alarms[0]) == rule.state;
    case Kind::kNot: return !holds(rule.parts[0]);
    case Kind::kAnd: return std::all_of(rule.parts.begin(), rule.parts.end(), holds);
    case Kind::kOr: return std::any_of(rule.parts.begin(), rule.parts.end(), holds);
    case Kind::kAtLeast: {
      const auto matching = std::count_if(rule.alarms.begin(), rule.alarms.end(), [&](const std::string& alarm) { return (state_of(alarm) == rule.state) != rule.is_negated; });
      const double needed = rule.is_percent ? rule.least / 100 * static_cast<double>(rule.alarms.size()) : rule.least;
      return static_cast<double>(matching) >= needed;
    }
  }
  return false;
}

void collect_alarms(const CompositeRule& rule, std::vector<std::string>& alarms) {
  alarms.insert(alarms.end(), rule.alarms.begin(), rule.alarms.end());
  for (const CompositeRule& part : rule.parts) collect_alarms(part, alarms);
}

}  // namespace reef::metrics
