#include "wire/xml.h"

#include <charconv>

#include "base/text.h"

namespace reef::wire {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '_' || u == ':' ||
         u == '-' || u == '.';
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// One reference, `text` starting after '&'; the size of what was read, 0 when it is not one we know.
std::size_t decode_entity(std::string_view text, std::string& out) {
  const std::size_t end = text.substr(0, 12).find(';');
  if (end == std::string_view::npos) return 0;
  const std::string_view name = text.substr(0, end);
  if (name == "lt") out += '<';
  else if (name == "gt") out += '>';
  else if (name == "amp") out += '&';
  else if (name == "quot") out += '"';
  else if (name == "apos") out += '\'';
  else if (name.size() > 1 && name[0] == '#') {
    std::uint32_t code = 0;
    const bool hex = name[1] == 'x';
    const std::string_view digits = name.substr(hex ? 2 : 1);
    if (digits.empty()) return 0;
    const auto [last, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    if (problem != std::errc() || last != digits.data() + digits.size()) return 0;
    const bool allowed = code == 9 || code == 10 || code == 13 || (code >= 0x20 && code < 0xD800) ||
                         (code >= 0xE000 && code <= 0x10FFFF && code != 0xFFFE && code != 0xFFFF);
    if (!allowed) return 0;
    append_utf8(out, code);
  } else {
    return 0;
  }
  return end + 1;
}

}  // namespace

XmlReader::XmlReader(std::string_view text) : begin_(text.data()), p_(begin_), end_(begin_ + text.size()) {
  if (!is_valid_utf8(text)) fail("invalid UTF-8");
  else if (starts_with("\xEF\xBB\xBF")) p_ += 3;
}

bool XmlReader::fail(const char* message) {
  if (!error_) error_ = message;
  return false;
}
bool XmlReader::starts_with(std::string_view text) const {
  return std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(text);
}
void XmlReader::skip_space() {
  while (p_ < end_ && is_space(*p_)) ++p_;
}
bool XmlReader::skip_until(std::string_view end, const char* message) {
  const std::size_t found = std::string_view(p_, static_cast<std::size_t>(end_ - p_)).find(end);
  if (found == std::string_view::npos) return fail(message);
  p_ += found + end.size();
  return true;
}

bool XmlReader::skip_misc(bool allow_declaration) {
  for (;;) {
    skip_space();
    if (starts_with("<!--")) {
      p_ += 4;
      if (!skip_until("-->", "unterminated comment")) return false;
    } else if (starts_with("<?") && (allow_declaration || !starts_with("<?xml "))) {
      if (!skip_until("?>", "unterminated processing instruction")) return false;
    } else {
      return !starts_with("<!") || fail("document type declarations are not allowed");
    }
  }
}

bool XmlReader::read_name(std::string_view& name) {
  const char* from = p_;
  while (p_ < end_ && is_name_char(*p_)) ++p_;
  name = {from, static_cast<std::size_t>(p_ - from)};
  const bool starts_well = !name.empty() && name[0] != '-' && name[0] != '.' && !(name[0] >= '0' && name[0] <= '9');
  return starts_well || fail("expected a name");
}

// From after the name to after '>'.
bool XmlReader::skip_attributes() {
  const char* from = p_;
  for (;;) {
    const char* before = p_;
    skip_space();
    if (p_ == end_) return fail("unterminated tag");
    if (*p_ == '>' || *p_ == '/') break;
    if (p_ == before) return fail("expected white space before an attribute");
    std::string_view name;
    if (!read_name(name)) return false;
    skip_space();
    if (p_ == end_ || *p_ != '=') return fail("expected '=' after an attribute's name");
    ++p_;
    skip_space();
    if (p_ == end_ || (*p_ != '"' && *p_ != '\'')) return fail("expected a quoted attribute value");
    const char quote = *p_++;
    while (p_ < end_ && *p_ != quote && *p_ != '<') ++p_;
    if (p_ == end_ || *p_ != quote) return fail("unterminated attribute value");
    ++p_;
  }
  attributes_ = {from, static_cast<std::size_t>(p_ - from)};
  self_closed_ = *p_ == '/';
  if (self_closed_) ++p_;
  if (p_ == end_ || *p_ != '>') return fail("expected '>'");
  ++p_;
  return true;
}

bool XmlReader::open_tag(std::string_view& name) {
  ++p_;  // '<'
  std::string_view full;
  if (!read_name(full) || !skip_attributes()) return false;
  if (open_.size() == kDepthMax) return fail("nested too deeply");
  open_.push_back(full);
  name = local_name(full);
  return true;
}

bool XmlReader::close_tag() {
  p_ += 2;  // "</"
  std::string_view full;
  if (!read_name(full)) return false;
  skip_space();
  if (p_ == end_ || *p_ != '>') return fail("expected '>'");
  ++p_;
  if (open_.empty() || open_.back() != full) return fail("mismatched end tag");
  open_.pop_back();
  return true;
}

bool XmlReader::open_root(std::string_view& name) {
  if (error_ || !open_.empty() || !skip_misc(true)) return false;
  if (p_ == end_ || *p_ != '<') return fail("expected an element");
  return open_tag(name);
}

XmlReader::Found XmlReader::advance(std::string* text) {
  if (error_ || open_.empty()) return fail("no element is open"), Found::kError;
  if (self_closed_) {
    self_closed_ = false;
    open_.pop_back();
    return Found::kClosed;
  }
  while (p_ < end_) {
    if (*p_ != '<') {
      const char* from = p_;
      while (p_ < end_ && *p_ != '<' && *p_ != '&') ++p_;
      if (text) text->append(from, p_);
      if (p_ < end_ && *p_ == '&') {
        std::string ignored;
        const std::size_t size =
            decode_entity(std::string_view(p_ + 1, static_cast<std::size_t>(end_ - p_ - 1)), text ? *text : ignored);
        if (size == 0) return fail("unknown entity"), Found::kError;
        p_ += 1 + size;
      }
    } else if (starts_with("<!--")) {
      p_ += 4;
      if (!skip_until("-->", "unterminated comment")) return Found::kError;
    } else if (starts_with("<![CDATA[")) {
      p_ += 9;
      const char* from = p_;
      if (!skip_until("]]>", "unterminated CDATA section")) return Found::kError;
      if (text) text->append(from, p_ - 3);
    } else if (starts_with("<?")) {
      if (!skip_until("?>", "unterminated processing instruction")) return Found::kError;
    } else if (starts_with("</")) {
      return close_tag() ? Found::kClosed : Found::kError;
    } else if (starts_with("<!")) {
      return fail("declarations are not allowed"), Found::kError;
    } else {
      return Found::kChild;
    }
  }
  return fail("unterminated element"), Found::kError;
}

bool XmlReader::next_child(std::string_view& name) { return advance(nullptr) == Found::kChild && open_tag(name); }

bool XmlReader::read_text(std::string& out) {
  out.clear();
  const Found found = advance(&out);
  if (found == Found::kChild) return fail("unexpected element inside text");
  return found == Found::kClosed;
}

bool XmlReader::skip() {
  const std::size_t target = open_.empty() ? 0 : open_.size() - 1;
  std::string_view name;
  while (ok() && open_.size() > target) {
    const Found found = advance(nullptr);
    if (found == Found::kError || (found == Found::kChild && !open_tag(name))) return false;
  }
  return ok();
}

std::optional<std::string> XmlReader::attribute(std::string_view wanted) {
  std::string_view rest = attributes_;
  for (;;) {
    rest = trim(rest);
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trim(rest.substr(0, equals));
    rest = trim(rest.substr(equals + 1));
    if (rest.empty()) return std::nullopt;
    const std::size_t end = rest.find(rest[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (name == wanted) {
      std::string value;
      std::string_view raw = rest.substr(1, end - 1);
      while (!raw.empty()) {
        const std::size_t amp = raw.find('&');
        value += raw.substr(0, amp);
        if (amp == std::string_view::npos) break;
        raw.remove_prefix(amp + 1);
        const std::size_t size = decode_entity(raw, value);
        if (size == 0) return std::nullopt;
        raw.remove_prefix(size);
      }
      return value;
    }
    rest.remove_prefix(end + 1);
  }
}

bool XmlReader::finish() {
  if (ok() && !open_.empty()) return fail("unterminated element");
  if (ok() && skip_misc(false) && p_ != end_) fail("text after the document");
  return ok();
}

void append_xml_text(std::string& out, std::string_view text) {
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char* escaped = nullptr;
    switch (text[i]) {
      case '&': escaped = "&amp;"; break;
      case '<': escaped = "&lt;"; break;
      case '>': escaped = "&gt;"; break;
      case '"': escaped = "&quot;"; break;
      case '\r': escaped = "&#xD;"; break;
      default: continue;
    }
    out.append(text, run, i - run);
    out += escaped;
    run = i + 1;
  }
  out.append(text, run, text.size() - run);
}

}  // namespace reef::wire
