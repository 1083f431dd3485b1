#include "wire/json_reader.h"

#include <cstring>

#include "base/text.h"

namespace reef::wire {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool read_hex4(const char*& p, const char* end, std::uint32_t& out) {
  if (end - p < 4) return false;
  out = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(p[i]);
    if (digit < 0) return false;
    out = out << 4 | static_cast<std::uint32_t>(digit);
  }
  p += 4;
  return true;
}

// First byte that ends or complicates a string: a quote, a backslash, a control character. `high` collects the
// top bits, so that only text with non-ASCII bytes pays for UTF-8 validation. Eight bytes a step.
const char* scan_string(const char* p, const char* end, std::uint64_t& high) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ull, kTops = 0x8080808080808080ull;
  const auto has_zero = [](std::uint64_t v) { return (v - kOnes) & ~v & kTops; };
  while (end - p >= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    const std::uint64_t stop =
        has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\')) | ((word - kOnes * 0x20) & ~word & kTops);
    if (stop) break;
    high |= word & kTops;
    p += 8;
  }
  while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20) {
    high |= static_cast<unsigned char>(*p) & 0x80u;
    ++p;
  }
  return p;
}

}  // namespace

void JsonReader::skip_space() {
  while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r')) ++p_;
}

bool JsonReader::fail(const char* message) {
  if (!error_) error_ = message;
  return false;
}

bool JsonReader::expect(char c, const char* message) {
  skip_space();
  if (error_ || p_ == end_ || *p_ != c) return fail(message);
  ++p_;
  return true;
}

JsonKind JsonReader::peek() {
  skip_space();
  if (error_ || p_ == end_) return JsonKind::kInvalid;
  switch (*p_) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't':
    case 'f': return JsonKind::kBool;
    case 'n': return JsonKind::kNull;
    default: return *p_ == '-' || (*p_ >= '0' && *p_ <= '9') ? JsonKind::kNumber : JsonKind::kInvalid;
  }
}

bool JsonReader::begin_object() {
  if (!expect('{', "expected an object")) return false;
  if (++depth_ > kDepthMax) return fail("nested too deeply");
  return first_ = true;
}

bool JsonReader::next_member(std::string_view& key) {
  skip_space();
  if (error_) return false;
  if (p_ < end_ && *p_ == '}') {
    ++p_;
    --depth_;
    first_ = false;
    return false;
  }
  if (!first_ && !expect(',', "expected ',' or '}'")) return false;
  first_ = false;
  if (peek() != JsonKind::kString) return fail("expected a member name");
  if (!read_string(key)) return false;
  // The value's own strings may overwrite the scratch buffer; keys with escapes are rare enough to copy.
  return expect(':', "expected ':'");
}

bool JsonReader::begin_array() {
  if (!expect('[', "expected an array")) return false;
  if (++depth_ > kDepthMax) return fail("nested too deeply");
  return first_ = true;
}

bool JsonReader::next_element() {
  skip_space();
  if (error_) return false;
  if (p_ < end_ && *p_ == ']') {
    ++p_;
    --depth_;
    first_ = false;
    return false;
  }
  if (!first_ && !expect(',', "expected ',' or ']'")) return false;
  first_ = false;
  return peek() != JsonKind::kInvalid || fail("expected a value");
}

bool JsonReader::read_string(std::string_view& out) {
  if (!expect('"', "expected a string")) return false;
  const char* from = p_;
  std::uint64_t high = 0;
  p_ = scan_string(p_, end_, high);
  if (p_ == end_) return fail("unterminated string");
  if (*p_ == '\\') return read_escapes(from, out);
  if (*p_ != '"') return fail("control character in string");
  out = {from, static_cast<std::size_t>(p_ - from)};
  ++p_;
  return !high || is_valid_utf8(out) || fail("invalid UTF-8");
}

bool JsonReader::read_escapes(const char* from, std::string_view& out) {
  scratch_.assign(from, p_);
  std::uint64_t high = 0;
  while (p_ < end_ && *p_ != '"') {
    if (static_cast<unsigned char>(*p_) < 0x20) return fail("control character in string");
    if (*p_ != '\\') {
      const char* run = p_;
      p_ = scan_string(p_, end_, high);
      scratch_.append(run, p_);
      continue;
    }
    if (++p_ == end_) break;
    switch (*p_++) {
      case '"': scratch_ += '"'; break;
      case '\\': scratch_ += '\\'; break;
      case '/': scratch_ += '/'; break;
      case 'b': scratch_ += '\b'; break;
      case 'f': scratch_ += '\f'; break;
      case 'n': scratch_ += '\n'; break;
      case 'r': scratch_ += '\r'; break;
      case 't': scratch_ += '\t'; break;
      case 'u': {
        std::uint32_t code = 0, low = 0;
        if (!read_hex4(p_, end_, code)) return fail("bad \\u escape");
        if (code >= 0xDC00 && code <= 0xDFFF) return fail("lone surrogate");
        if (code >= 0xD800 && code <= 0xDBFF) {
          if (end_ - p_ < 6 || p_[0] != '\\' || p_[1] != 'u') return fail("lone surrogate");
          p_ += 2;
          if (!read_hex4(p_, end_, low) || low < 0xDC00 || low > 0xDFFF) return fail("lone surrogate");
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(scratch_, code);
        break;
      }
      default: return fail("unknown escape");
    }
  }
  if (p_ == end_) return fail("unterminated string");
  ++p_;
  out = scratch_;
  return is_valid_utf8(out) || fail("invalid UTF-8");
}

bool JsonReader::read_number(std::string_view& lexeme) {
  skip_space();
  if (error_) return false;
  const char* from = p_;
  const auto digits = [this] {
    const char* start = p_;
    while (p_ < end_ && *p_ >= '0' && *p_ <= '9') ++p_;
    return p_ > start;
  };
  if (p_ < end_ && *p_ == '-') ++p_;
  if (p_ < end_ && *p_ == '0') ++p_;
  else if (!digits()) return fail("expected a number");
  if (p_ < end_ && *p_ == '.' && (++p_, !digits())) return fail("bad number");
  if (p_ < end_ && (*p_ == 'e' || *p_ == 'E')) {
    ++p_;
    if (p_ < end_ && (*p_ == '+' || *p_ == '-')) ++p_;
    if (!digits()) return fail("bad number");
  }
  lexeme = {from, static_cast<std::size_t>(p_ - from)};
  return true;
}

bool JsonReader::literal(std::string_view word) {
  if (static_cast<std::size_t>(end_ - p_) < word.size() || std::string_view(p_, word.size()) != word)
    return fail("unexpected token");
  p_ += word.size();
  return true;
}

bool JsonReader::read_bool(bool& out) {
  if (peek() != JsonKind::kBool) return fail("expected true or false");
  out = *p_ == 't';
  return literal(out ? "true" : "false");
}

bool JsonReader::read_null() { return peek() == JsonKind::kNull ? literal("null") : fail("expected null"); }

bool JsonReader::skip() {
  std::string_view text;
  bool flag;
  switch (peek()) {
    case JsonKind::kNull: return read_null();
    case JsonKind::kBool: return read_bool(flag);
    case JsonKind::kNumber: return read_number(text);
    case JsonKind::kString: return read_string(text);
    case JsonKind::kArray:
      if (!begin_array()) return false;
      while (next_element()) skip();
      return ok();
    case JsonKind::kObject:
      if (!begin_object()) return false;
      while (next_member(text)) skip();
      return ok();
    case JsonKind::kInvalid: break;
  }
  return fail("expected a value");
}

bool JsonReader::read_raw(std::string_view& out) {
  skip_space();
  const char* from = p_;
  if (!skip()) return false;
  out = {from, static_cast<std::size_t>(p_ - from)};
  return true;
}

bool JsonReader::finish() {
  skip_space();
  if (ok() && p_ != end_) fail("text after the value");
  return ok();
}

}  // namespace reef::wire
