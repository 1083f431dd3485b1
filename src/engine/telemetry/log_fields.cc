// Patterns of fields between spaces. What stands in double quotes or square brackets is one field of the line.
#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"
#include "engine/telemetry/log_comparison.h"
#include "engine/telemetry/log_form.h"

namespace reef::telemetry {
namespace {

constexpr std::size_t kFieldsMax = 1000;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r\n"), line.size()));
    if (line.empty() || out.size() > kFieldsMax) return out;
    const char closing = line[0] == '"' ? '"' : line[0] == '[' ? ']' : '\0';
    const auto closed = closing ? line.find(closing, 1) : std::string_view::npos;
    const bool is_enclosed = closed != std::string_view::npos;
    const auto end = is_enclosed ? closed : std::min(line.find_first_of(" \t\r\n"), line.size());
    out.push_back(is_enclosed ? line.substr(1, end - 1) : line.substr(0, end));
    line.remove_prefix(std::min(end + (is_enclosed ? 1 : 0), line.size()));
  }
}

struct Field {
  std::vector<std::vector<LogComparison>> any_of_all;  // none: whatever the field holds

  bool holds(std::string_view value) const {
    const auto number = parse_double(value);
    return any_of_all.empty() || std::ranges::any_of(any_of_all, [&](const auto& all) {
             return std::ranges::all_of(all, [&](const LogComparison& one) { return one.holds(value, number); });
           });
  }
};

class Fields final : public LogPattern::Form {
 public:
  bool matches(std::string_view line) const override {
    const auto values = fields_of(line);
    const std::size_t before = rest_.value_or(fields_.size()), after = fields_.size() - before;
    if (rest_ ? values.size() < fields_.size() : values.size() != fields_.size()) return false;
    for (std::size_t i = 0; i < before; ++i)
      if (!fields_[i].holds(values[i])) return false;
    for (std::size_t i = 0; i < after; ++i)
      if (!fields_[before + i].holds(values[values.size() - after + i])) return false;
    return true;
  }

  std::vector<Field> fields_;
  std::optional<std::size_t> rest_;   // where "..." stands
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  LogForm parse() {
    auto out = std::make_unique<Fields>();
    do {
      if (take("...")) {
        if (out->rest_) return Err(std::string("... may stand once in the filter pattern"));
        out->rest_ = out->fields_.size();
        continue;
      }
      if (out->fields_.size() >= kFieldsMax) return Err(std::string("too many fields in the filter pattern"));
      out->fields_.push_back(TRY(field()));
    } while (take(","));
    skip();
    if (!text_.empty()) return Err("unexpected '" + std::string(text_.substr(0, 10)) + "' in the filter pattern");
    return out;
  }

 private:
  void skip() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t"), text_.size())); }
  bool take(std::string_view word) {
    skip();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  std::string_view name() {
    skip();
    const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$' || c == '.' || c == '@'; };
    const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text_, is_name) - text_.begin());
    const std::string_view out = text_.substr(0, end);
    text_.remove_prefix(end);
    skip();
    return out;
  }

  Result<Field, std::string> field() {
    Field out;
    const std::string_view called = name();
    if (text_.empty() || text_[0] == ',') return out;
    out.any_of_all.emplace_back().push_back(TRY(LogComparison::take(text_, " \t,&|")));
    for (;;) {
      const bool also = take("&&");
      if (!also && !take("||")) return out;
      if (const std::string_view again = name(); again != called)
        return Err("the conditions of one field have to be about that field in the filter pattern: '" + std::string(again) + "' is not '" + std::string(called) + "'");
      if (!also) out.any_of_all.emplace_back();
      out.any_of_all.back().push_back(TRY(LogComparison::take(text_, " \t,&|")));
    }
  }

  std::string_view text_;
};

}  // namespace

LogForm parse_log_fields(std::string_view text) { return Parser(text).parse(); }

}  // namespace reef::telemetry
