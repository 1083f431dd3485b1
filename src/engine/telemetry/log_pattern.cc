#include "engine/telemetry/log_pattern.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "engine/telemetry/log_comparison.h"
#include "engine/telemetry/log_form.h"

namespace reef::telemetry {
namespace {

class Regex final : public LogPattern::Form {
 public:
  explicit Regex(Pattern pattern) : pattern_(std::move(pattern)) {}
  bool matches(std::string_view line) const override { return pattern_.matches(line); }

 private:
  Pattern pattern_;
};

class Terms final : public LogPattern::Form {
 public:
  bool matches(std::string_view line) const override {
    const auto has = [&](const std::string& term) { return line.find(term) != std::string_view::npos; };
    // Optional terms mean nothing beside others.
    if (all_.empty() && none_.empty()) return any_.empty() || std::ranges::any_of(any_, has);
    return std::ranges::all_of(all_, has) && std::ranges::none_of(none_, has);
  }

  std::vector<std::string> all_, none_, any_;
};

// A term without quotes: letters, digits and underscores, and what is not ASCII.
bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

Result<std::string, std::string> take_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) {
      out += text[++i];
    } else if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    } else {
      out += text[i];
    }
  }
  return Err(std::string("missing \" in the filter pattern"));
}

LogForm parse_terms(std::string_view text) {
  auto out = std::make_unique<Terms>();
  while (!text.empty()) {
    const char sign = text[0] == '?' || text[0] == '-' ? text[0] : ' ';
    if (sign != ' ') text.remove_prefix(1);
    std::string term;
    if (text.starts_with('"')) {
      term = TRY(take_quoted(text));
    } else {
      const auto end = std::min(text.find_first_of(" \t"), text.size());
      term = text.substr(0, end);
      if (const auto bad = std::ranges::find_if_not(term, is_plain); bad != term.end()) return Err(std::string("Invalid character(s) in term '") + *bad + "'");
      text.remove_prefix(end);
    }
    if (!term.empty()) (sign == '?' ? out->any_ : sign == '-' ? out->none_ : out->all_).push_back(std::move(term));
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  }
  return out;
}

LogForm parse_form(std::string_view text) {
  for (const auto& [opening, closing] : {std::pair{'{', '}'}, {'[', ']'}, {'%', '%'}}) {
    if (!text.starts_with(opening)) continue;
    if (text.size() < 2 || !text.ends_with(closing)) return Err(std::string("If a filter pattern starts with '") + opening + "' it must end with '" + closing + "'");
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (opening == '{') return parse_log_selector(inner);
    if (opening == '[') return parse_log_fields(inner);
    return std::make_unique<Regex>(TRY(parse_log_regex(inner)));
  }
  return parse_terms(text);
}

}  // namespace

LogPattern::LogPattern(std::unique_ptr<Form> form) : form_(std::move(form)) {}
LogPattern::LogPattern(LogPattern&&) noexcept = default;
LogPattern::~LogPattern() = default;

Result<LogPattern, std::string> LogPattern::parse(std::string_view text) { return LogPattern(TRY(parse_form(trim(text)))); }

bool LogPattern::matches(std::string_view line) const { return form_->matches(line); }

}  // namespace reef::telemetry
