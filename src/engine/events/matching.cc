#include <algorithm>

#include "base/text.h"
#include "engine/events/address.h"
#include "engine/events/pattern.h"

namespace reef::events {
namespace {

// `*` is any text, `\*` and `\\` stand for themselves. Greedy with one point of return: no more than |pattern| * |text|.
bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, after_star = std::string_view::npos, retry = 0;
  while (true) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      retry = t;
      continue;
    }
    const std::size_t width = p < pattern.size() && pattern[p] == '\\' ? 2 : 1;
    if (t < text.size() && p + width <= pattern.size() && pattern[p + width - 1] == text[t]) {
      p += width;
      ++t;
      continue;
    }
    if (t == text.size() && p == pattern.size()) return true;
    if (after_star == std::string_view::npos || retry >= text.size()) return false;
    p = after_star;
    t = ++retry;
  }
}

bool is_same_number(const Test& test, const Value& value) {
  if (test.number != value.number) return false;
  // Beyond what a double holds only the same digits are the same number.
  return (test.text.size() <= 16 && value.text.size() <= 16) || test.text == value.text || test.text.size() != value.text.size();
}

}  // namespace

bool Test::passes(const Value& value) const {
  switch (kind) {
    case TestKind::kExact:
      if (value_kind != value.kind) return false;
      return value_kind == ValueKind::kNumber ? is_same_number(*this, value) : text == value.text;
    case TestKind::kPrefix: return value.kind == ValueKind::kString && value.text.starts_with(text);
    case TestKind::kSuffix: return value.kind == ValueKind::kString && value.text.ends_with(text);
    case TestKind::kPrefixIgnoreCase:
      return value.kind == ValueKind::kString && value.text.size() >= text.size() && equals_ignoring_case(value.text.substr(0, text.size()), text);
    case TestKind::kSuffixIgnoreCase:
      return value.kind == ValueKind::kString && value.text.size() >= text.size() && equals_ignoring_case(value.text.substr(value.text.size() - text.size()), text);
    case TestKind::kIgnoreCase: return value.kind == ValueKind::kString && equals_ignoring_case(value.text, text);
    case TestKind::kWildcard: return value.kind == ValueKind::kString && wildcard_matches(text, value.text);
    case TestKind::kRange:
      return value.kind == ValueKind::kNumber && (low_open ? value.number > low : value.number >= low) && (high_open ? value.number < high : value.number <= high);
    case TestKind::kAddress: {
      if (value.kind != ValueKind::kString) return false;
      const std::string bytes = address_bytes(value.text);
      return bytes.size() == address_low.size() && !bytes.empty() && bytes >= address_low && bytes <= address_high;
    }
    case TestKind::kExists: return true;
    case TestKind::kAbsent: return false;
    case TestKind::kAnythingBut: return std::none_of(others.begin(), others.end(), [&](const Test& other) { return other.passes(value); });
  }
  return false;
}

}  // namespace reef::events
