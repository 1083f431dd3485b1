// Small pure functions on text that several layers need.
#pragma once

#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reef {

// Lets maps keyed by std::string be searched with a string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// "a,b,,c" -> {"a","b","","c"}. The views point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
// ASCII only.
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);
bool is_valid_utf8(std::string_view text);
// Appends one code point as UTF-8.
void append_utf8(std::string& out, std::uint32_t code);
// Number of Unicode code points of valid UTF-8.
std::size_t count_code_points(std::string_view text);

// The whole text as a decimal integer; nothing when any of it is not, or when it does not fit.
template <class T = std::int64_t>
std::optional<T> parse_int(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text);
// Shortest text that reads back as the same double; integers without a fraction.
std::string format_double(double value);

// `*` any run, `?` any one character, as in IAM policies.
bool matches_wildcard(std::string_view pattern, std::string_view text);

}  // namespace reef
