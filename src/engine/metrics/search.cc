#include "engine/metrics/search.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::metrics {
namespace {

using Kind = SearchTerm::Kind;

constexpr int kDepthMax = 32;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text), whole_(text) {}

  Result<MetricSearch, MathError> run() {
    MetricSearch out;
    skip_space();
    if (take('{')) {
      MetricSearch::Schema schema;
      bool is_first = true;
      do {
        const auto name = read_word(",}");
        if (!name || name->text.empty()) return Err(fault("a metric schema needs names"));
        if (is_first) schema.space = name->text;
        else schema.dimensions.insert(name->text);
        is_first = false;
      } while (take(','));
      if (!take('}')) return Err(fault("a metric schema ends with }"));
      out.schema = std::move(schema);
      skip_space();
    }
    if (!rest_.empty()) out.term = TRY(read_any("", 0));
    if (!rest_.empty()) return Err(fault(fmt::format("unexpected text at column {}", whole_.size() - rest_.size() + 1)));
    return out;
  }

 private:
  MathError fault(std::string_view what) const { return math_error(fmt::format("Invalid SEARCH expression: {}", what)); }
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }
  // OR, AND and NOT are words in capitals.
  bool take_operator(std::string_view name) {
    skip_space();
    if (!rest_.starts_with(name)) return false;
    const char next = rest_.size() > name.size() ? rest_[name.size()] : ' ';
    if (next != ' ' && next != '(' && next != '\t' && next != '\n') return false;
    rest_.remove_prefix(name.size());
    skip_space();
    return true;
  }

  struct Word {
    std::string text;
    bool is_quoted = false;
  };
  std::optional<Word> read_word(std::string_view ends) {
    skip_space();
    Word word;
    if (rest_.starts_with('"')) {
      std::size_t at = 1;
      for (; at < rest_.size() && rest_[at] != '"'; ++at) {
        if (rest_[at] == '\\' && at + 1 < rest_.size()) ++at;
        word.text += rest_[at];
      }
      if (at >= rest_.size()) return std::nullopt;
      rest_.remove_prefix(at + 1);
      word.is_quoted = true;
      return word;
    }
    const std::size_t end = std::min(rest_.find_first_of(std::string(ends) + " \t\n"), rest_.size());
    word.text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

  // `property`: of the group that it stands in, "MetricName=(a OR b)".
  Result<SearchTerm, MathError> read_any(const std::string& property, int depth) {
    SearchTerm out{.kind = Kind::kAny};
    do out.parts.push_back(TRY(read_all(property, depth)));
    while (take_operator("OR"));
    return out;
  }
  Result<SearchTerm, MathError> read_all(const std::string& property, int depth) {
    SearchTerm out{.kind = Kind::kAll};
    for (;;) {
      take_operator("AND");
      skip_space();
      if (rest_.empty() || rest_.front() == ')' || starts_with_or()) break;
      out.parts.push_back(TRY(read_one(property, depth)));
    }
    if (out.parts.empty()) return Err(fault("a search term is missing"));
    return out;
  }
  bool starts_with_or() const { return rest_ == "OR" || rest_.starts_with("OR ") || rest_.starts_with("OR("); }

  Result<SearchTerm, MathError> read_one(const std::string& property, int depth) {
    if (depth > kDepthMax) return Err(fault("it is nested too deeply"));
    if (take_operator("NOT")) {
      SearchTerm out{.kind = Kind::kNot};
      out.parts.push_back(TRY(read_one(property, depth + 1)));
      return out;
    }
    if (take('(')) {
      SearchTerm out = TRY(read_any(property, depth + 1));
      if (!take(')')) return Err(fault("a parenthesis is not closed"));
      return out;
    }
    const auto word = read_word("()=");
    if (!word || (word->text.empty() && !word->is_quoted)) return Err(fault("a quote is not closed, or a search term is missing"));
    if (!take('=')) return SearchTerm{.kind = Kind::kWord, .property = property, .text = word->text, .is_exact = word->is_quoted};
    if (word->text.starts_with(":aws.")) return Err(MathError{fmt::format("SEARCH by {} is not supported by this version of Atoll.", word->text), true});
    if (rest_.starts_with('(')) return read_one(word->text, depth + 1);
    const auto value = read_word("()=");
    if (!value) return Err(fault("a quote is not closed"));
    return SearchTerm{.kind = Kind::kWord, .property = word->text, .text = value->text, .is_exact = value->is_quoted};
  }

  std::string_view rest_, whole_;
};

// "CPUUtilization/i-0abc" is cpu, utilization, i, 0, abc: words end where letters, digits, and lower and upper case meet.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) out.push_back(to_lower(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!is_letter(c) && !is_digit(c) && static_cast<unsigned char>(c) < 0x80) {
      end_word();
      continue;
    }
    if (!word.empty()) {
      const char before = word.back();
      const bool begins_word = is_upper(c) && (!is_upper(before) || (i + 1 < text.size() && is_letter(text[i + 1]) && !is_upper(text[i + 1])));
      if (begins_word || is_digit(c) != is_digit(before)) end_word();
    }
    word += c;
  }
  end_word();
  return out;
}

bool has_words(std::string_view value, const std::string& text) {
  if (equals_ignoring_case(value, text)) return true;
  const std::vector<std::string> in = words_of(value), wanted = words_of(text);
  if (!wanted.empty() && std::search(in.begin(), in.end(), wanted.begin(), wanted.end()) != in.end()) return true;
  // "cpuutilization": as it is written between marks, whatever its capitals.
  const std::string lower = to_lower(value), one = to_lower(text);
  for (std::size_t at = lower.find(one); !one.empty() && at != lower.npos; at = lower.find(one, at + 1)) {
    const bool begins = at == 0 || (!is_letter(lower[at - 1]) && !is_digit(lower[at - 1]));
    const std::size_t end = at + one.size();
    if (begins && (end == lower.size() || (!is_letter(lower[end]) && !is_digit(lower[end])))) return true;
  }
  return false;
}

bool holds(const SearchTerm& term, const MetricId& metric) {
  const auto part = [&](const SearchTerm& one) { return holds(one, metric); };
  switch (term.kind) {
    case Kind::kAll: return std::all_of(term.parts.begin(), term.parts.end(), part);
    case Kind::kAny: return std::any_of(term.parts.begin(), term.parts.end(), part);
    case Kind::kNot: return !holds(term.parts.front(), metric);
    case Kind::kWord: break;
  }
  const auto fits = [&](std::string_view value) { return term.is_exact ? value == term.text : has_words(value, term.text); };
  if (term.property == "Namespace") return fits(metric.space);
  if (term.property == "MetricName") return fits(metric.name);
  if (!term.property.empty())
    return std::any_of(metric.dimensions.begin(), metric.dimensions.end(), [&](const auto& one) { return one.first == term.property && fits(one.second); });
  return fits(metric.space) || fits(metric.name) ||
         std::any_of(metric.dimensions.begin(), metric.dimensions.end(), [&](const auto& one) { return fits(one.first) || fits(one.second); });
}

}  // namespace

Result<MetricSearch, MathError> parse_search(std::string_view text) {
  if (text.size() > kSearchCharactersMax) return Err(math_error(fmt::format("Invalid SEARCH expression: it has more than {} characters", kSearchCharactersMax)));
  return Parser(text).run();
}

bool matches(const MetricSearch& search, const MetricId& metric) {
  if (search.schema) {
    if (metric.space != search.schema->space || metric.dimensions.size() != search.schema->dimensions.size()) return false;
    for (const auto& [name, value] : metric.dimensions)
      if (!search.schema->dimensions.contains(name)) return false;
  }
  return holds(search.term, metric);
}

}  // namespace reef::metrics
