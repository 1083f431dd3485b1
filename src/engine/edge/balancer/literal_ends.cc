#include "engine/edge/balancer/literal_ends.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace reef::edge {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Where the class that opens at `at` ends, just after its "]".
std::size_t class_end(std::string_view text, std::size_t at) {
  std::size_t i = at + 1;
  if (i < text.size() && text[i] == '^') ++i;
  if (i < text.size() && text[i] == ']') ++i;
  while (i < text.size() && text[i] != ']') {
    if (text[i] == '\\') ++i;
    else if (text[i] == '[' && i + 1 < text.size() && (text[i + 1] == ':' || text[i + 1] == '.' || text[i + 1] == '=')) {
      const auto close = text.find(std::string{text[i + 1], ']'}, i + 2);
      if (close != std::string_view::npos) i = close + 1;
    }
    ++i;
  }
  return std::min(i + 1, text.size());
}

// Of "{2}", "{2,}" or "{2,5}" at the beginning of the text; 0 when there is none.
std::size_t quantifier_size(std::string_view text) {
  std::size_t i = 1;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > from;
  };
  if (!digits()) return 0;
  if (i < text.size() && text[i] == ',') {
    ++i;
    digits();
  }
  return i < text.size() && text[i] == '}' ? i + 1 : 0;
}

// Whether "[=", "[." and "[:" stand only where class_end reads them as the library does: in "[:alpha:]" and the like.
bool has_plain_classes(std::string_view text) {
  if (text.find("[=") != std::string_view::npos || text.find("[.") != std::string_view::npos) return false;
  for (auto at = text.find("[:"); at != std::string_view::npos; at = text.find("[:", at + 2)) {
    std::size_t i = at + 2;
    if (i < text.size() && text[i] == '^') ++i;
    while (i < text.size() && text[i] >= 'a' && text[i] <= 'z') ++i;
    if (text.substr(i, 2) != ":]") return false;
  }
  return true;
}

// One thing that is matched: a character, or (nothing) something else.
using Items = std::vector<std::optional<char>>;

}  // namespace

LiteralEnds literal_ends(std::string_view text) {
  // Options and verbs change what the rest means.
  if (text.find("(*") != std::string_view::npos || text.find("\\Q") != std::string_view::npos) return {};
  for (auto at = text.find("(?"); at != std::string_view::npos; at = text.find("(?", at + 2))
    if (at + 2 >= text.size() || text[at + 2] != ':') return {};
  if (!has_plain_classes(text)) return {};
  const bool begins = text.starts_with('^');
  bool ends = false;
  if (begins) text.remove_prefix(1);
  Items items;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    ends = false;
    if (c == '\\') {
      // Longer escapes ("\\x41") are not told apart here.
      const bool is_letter = i + 1 < text.size() && is_alphanumeric(text[i + 1]);
      if (i + 1 >= text.size() || (is_letter && std::string_view("dDwWsS").find(text[i + 1]) == std::string_view::npos)) return {};
      items.push_back(is_letter ? std::nullopt : std::optional(text[i + 1]));
      i += 2;
    } else if (c == '[') {
      items.push_back(std::nullopt);
      i = class_end(text, i);
    } else if (c == '(') {
      int depth = 0;
      for (; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == '[') i = class_end(text, i) - 1;
        else if (text[i] == '(') ++depth;
        else if (text[i] == ')' && --depth == 0) break;
      }
      if (i >= text.size()) return {};
      ++i;
      items.push_back(std::nullopt);
    } else if (c == '|') {
      return {};
    } else if (c == '*' || c == '+' || c == '?' || c == '{') {
      if (items.empty()) return {};   // of the "^" itself
      items.back().reset();
      const std::size_t size = c == '{' ? quantifier_size(text.substr(i)) : 1;
      if (size == 0) return {};   // a brace like any other character, whatever follows it
      i += size;
    } else if (c == '$') {
      ends = true;
      if (i + 1 < text.size()) items.push_back(std::nullopt);
      ++i;
    } else {
      items.push_back(c == '.' || c == '^' || c == ')' || static_cast<unsigned char>(c) < 0x20 ? std::nullopt : std::optional(c));
      ++i;
    }
  }
  LiteralEnds out;
  if (begins)
    for (std::size_t i = 0; i < items.size() && items[i]; ++i) out.prefix += *items[i];
  if (ends)
    for (std::size_t i = items.size(); i > 0 && items[i - 1]; --i) out.suffix.insert(out.suffix.begin(), *items[i - 1]);
  return out;
}

Result<void, Failure> check_expression_features(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0', third = i + 2 < text.size() ? text[i + 2] : '\0';
    if (c == '\\') {
      if ((next >= '1' && next <= '9') || next == 'k') return Err(Failure{"backreferences"});
      if (next == 'g') return Err(Failure{"backreferences and subroutines"});
      if (next == 'p' || next == 'P' || next == 'X') return Err(Failure{"Unicode character classes"});
      ++i;
    } else if (c == '[') {
      const std::size_t end = class_end(text, i);
      if (text.substr(i, end - i).find("\\p") != std::string_view::npos || text.substr(i, end - i).find("\\P") != std::string_view::npos) return Err(Failure{"Unicode character classes"});
      i = end - 1;
    } else if (c == '(' && next == '*') {
      return Err(Failure{"control verbs"});
    } else if (c == '(' && next == '?') {
      const char fourth = i + 3 < text.size() ? text[i + 3] : '\0';
      if (third == '=' || third == '!') return Err(Failure{"lookaheads"});
      if (third == '<' && (fourth == '=' || fourth == '!')) return Err(Failure{"lookbehinds"});
      if (third == '>') return Err(Failure{"atomic groups"});
      if (third == 'R' || third == '&' || third == '+' || (third >= '0' && third <= '9') || (third == '-' && fourth >= '0' && fourth <= '9') || (third == 'P' && (fourth == '>' || fourth == '=')))
        return Err(Failure{"recursion and subroutines"});
      if (third == '(' || third == '|' || third == 'C') return Err(Failure{"conditional groups"});
    } else if ((c == '*' || c == '+' || c == '?' || c == '}') && next == '+') {
      return Err(Failure{"possessive quantifiers"});
    }
  }
  return {};
}

}  // namespace reef::edge
