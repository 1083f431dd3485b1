#include "engine/edge/balancer/desync.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::edge {
namespace {

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token(c); }); }
bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// A name that some parser might take for one of those that frame a message: case, '_' for '-', and what is no token left out.
bool looks_like(std::string_view name, std::string_view wanted) {
  std::size_t at = 0;
  for (const char c : name) {
    const char plain = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (at < wanted.size() && plain == wanted[at]) ++at;
    else if (is_token(c)) return false;
  }
  return at == wanted.size();
}
bool is_suspicious(std::string_view name) { return looks_like(name, "content-length") || looks_like(name, "transfer-encoding"); }

void worsen(DesyncVerdict& verdict, DesyncClass of, std::string_view reason) {
  if (of > verdict.of) verdict = {of, reason};
}

bool is_bodyless(std::string_view method) { return method == "GET" || method == "HEAD"; }

void judge_framing(DesyncVerdict& verdict, std::string_view method, bool chunked, bool has_length, std::uint64_t length) {
  if (chunked && has_length) worsen(verdict, DesyncClass::kAmbiguous, "BothTeClPresent");
  if (!is_bodyless(method)) return;
  if (chunked) worsen(verdict, DesyncClass::kAmbiguous, "UndefinedTransferEncodingSemantics");
  if (has_length && length > 0) worsen(verdict, DesyncClass::kAmbiguous, "UndefinedContentLengthSemantics");
  if (has_length && length == 0) worsen(verdict, DesyncClass::kAcceptable, "GetHeadZeroContentLength");
}

class Repairer {
 public:
  Repaired run(std::string_view bytes) {
    bytes.remove_suffix(2);   // the empty line
    const auto first = bytes.find("\r\n");
    if (first == std::string_view::npos || !take_request_line(bytes.substr(0, first))) return {out_.verdict, std::nullopt};
    bytes.remove_prefix(first + 2);
    while (!bytes.empty()) {
      const auto end = bytes.find("\r\n");
      if (end == std::string_view::npos) break;
      take_field(bytes.substr(0, end));
      bytes.remove_prefix(end + 2);
    }
    judge_framing(out_.verdict, method_, chunked_, length_.has_value(), length_.value_or(0));
    if (beyond_repair_) return {out_.verdict, std::nullopt};
    if (chunked_) head_ += "Transfer-Encoding: chunked\r\n";
    else if (length_) head_ += fmt::format("Content-Length: {}\r\n", *length_);
    head_ += "\r\n";
    return {out_.verdict, std::move(head_)};
  }

 private:
  bool take_request_line(std::string_view line) {
    const auto first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || !is_token(line.substr(0, first))) return fail("BadMethod");
    method_ = line.substr(0, first);
    if (last == first) return fail("BadVersion");
    const std::string_view target = line.substr(first + 1, last - first - 1), version = line.substr(last + 1);
    if (target.empty() || target.find('\0') != std::string_view::npos || target.find('\r') != std::string_view::npos || target.find('\n') != std::string_view::npos) return fail("BadUri");
    std::string clean;
    for (const char c : target) {
      if (c == ' ') worsen(out_.verdict, DesyncClass::kAcceptable, "SpaceInUri");
      else if (is_control(c)) worsen(out_.verdict, DesyncClass::kAmbiguous, "AmbiguousUri");
      if (c == ' ' || is_control(c)) clean += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      else clean += c;
    }
    const bool has_shape = version.size() == 8 && version.starts_with("HTTP/") && version[5] == '1' && version[6] == '.' && version[7] >= '0' && version[7] <= '9';
    if (!has_shape) return fail("BadVersion");
    // What speaks a later version understands this one.
    const bool is_known = version == "HTTP/1.0" || version == "HTTP/1.1";
    if (!is_known) worsen(out_.verdict, DesyncClass::kAcceptable, "NonCompliantVersion");
    head_ = fmt::format("{} {} {}\r\n", method_, clean, is_known ? version : std::string_view("HTTP/1.1"));
    return true;
  }

  void take_field(std::string_view line) {
    if (line.find('\0') != std::string_view::npos || line.find('\r') != std::string_view::npos || line.find('\n') != std::string_view::npos) return severe("BadHeader");
    if (trim(line).empty()) return worsen(out_.verdict, DesyncClass::kAmbiguous, "EmptyHeader");
    if (line[0] == ' ' || line[0] == '\t') return severe("BadHeader");   // folded: parsers disagree whose line it is
    const auto colon = line.find(':');
    const std::string_view name = line.substr(0, colon), value = colon == std::string_view::npos ? std::string_view{} : trim(line.substr(colon + 1));
    if (trim(name).empty()) return worsen(out_.verdict, DesyncClass::kAmbiguous, "EmptyHeader");
    if (equals_ignoring_case(name, "content-length")) return take_length(value);
    if (equals_ignoring_case(name, "transfer-encoding")) {
      if (!equals_ignoring_case(value, "chunked")) return severe("BadTransferEncoding");
      if (std::exchange(chunked_, true)) severe("MultipleTransferEncodingChunked");
      return;
    }
    if (is_suspicious(name)) return worsen(out_.verdict, DesyncClass::kAmbiguous, "SuspiciousHeader");
    const bool is_clean = colon != std::string_view::npos && is_token(name) && std::none_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
    if (!is_clean || std::any_of(value.begin(), value.end(), is_high)) worsen(out_.verdict, DesyncClass::kAcceptable, "NonCompliantHeader");
    if (is_clean) head_ += fmt::format("{}: {}\r\n", name, value);
  }

  void take_length(std::string_view value) {
    const bool is_number = !value.empty() && value.size() <= 18 && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) return severe("BadContentLength");
    const std::uint64_t length = *parse_int<std::uint64_t>(value);
    if (length_ && *length_ != length) return severe("MultipleContentLength");
    if (length_) worsen(out_.verdict, DesyncClass::kAmbiguous, "DuplicateContentLength");
    length_ = length;
  }

  bool fail(std::string_view reason) {
    severe(reason);
    return false;
  }
  // Nobody can say where such a request ends, whatever the mode.
  void severe(std::string_view reason) {
    worsen(out_.verdict, DesyncClass::kSevere, reason);
    beyond_repair_ = true;
  }

  Repaired out_;
  std::string_view method_;
  std::string head_;
  std::optional<std::uint64_t> length_;
  bool chunked_ = false, beyond_repair_ = false;
};

}  // namespace

std::string_view name_of(DesyncClass of) {
  constexpr std::string_view kNames[] = {"Compliant", "Acceptable", "Ambiguous", "Severe"};
  return kNames[static_cast<int>(of)];
}

bool is_blocked(DesyncClass of, DesyncMode mode) {
  if (mode == DesyncMode::kStrictest) return of != DesyncClass::kCompliant;
  return mode == DesyncMode::kDefensive && of == DesyncClass::kSevere;
}

DesyncVerdict classify(std::string_view bytes, const wire::Http1Head& head) {
  DesyncVerdict out;
  judge_framing(out, bytes.substr(0, head.method_size), head.chunked, head.has_length, head.content_length);
  for (const wire::Http1Field& field : head.fields) {
    const std::string_view name = bytes.substr(field.name_at, field.name_size), value = bytes.substr(field.value_at, field.value_size);
    if ((name.size() == 14 && name[7] == '_') || (name.size() == 17 && name[8] == '_'))
      if (is_suspicious(name)) worsen(out, DesyncClass::kAmbiguous, "SuspiciousHeader");
    if (std::any_of(value.begin(), value.end(), is_high)) worsen(out, DesyncClass::kAcceptable, "NonCompliantHeader");
  }
  return out;
}

Repaired repair(std::string_view bytes) { return Repairer().run(bytes); }

}  // namespace reef::edge
