#include "wire/http1.h"

#include <array>
#include <cstring>

#include "base/text.h"

namespace reef::wire {
namespace {

constexpr std::size_t kFieldsMax = 128;

// RFC 9110 token characters.
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kToken = make_token_table();

bool is_token(char c) { return kToken[static_cast<unsigned char>(c)]; }
// Field values: visible characters, space, tab and bytes above 127.
bool is_value_char(char c) { return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7F : c == '\t'; }
bool is_target_char(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; }

class HeadParser {
 public:
  HeadParser(std::string_view bytes, Http1Head& head) : begin_(bytes.data()), p_(begin_), end_(begin_ + bytes.size()), head_(head) {}

  Http1Status request_line() {
    const char* start = p_;
    while (p_ < end_ && is_token(*p_)) ++p_;
    if (p_ == end_) return Http1Status::kIncomplete;
    head_.method_size = static_cast<std::uint32_t>(p_ - start);
    if (head_.method_size == 0 || *p_++ != ' ') return Http1Status::kBad;
    head_.target_at = position();
    start = p_;
    while (p_ < end_ && is_target_char(*p_)) ++p_;
    if (p_ == end_) return Http1Status::kIncomplete;
    head_.target_size = static_cast<std::uint32_t>(p_ - start);
    if (head_.target_size == 0 || *p_++ != ' ') return Http1Status::kBad;
    if (const Http1Status s = version(); s != Http1Status::kComplete) return s;
    return line_end();
  }

  Http1Status status_line() {
    if (const Http1Status s = version(); s != Http1Status::kComplete) return s;
    if (end_ - p_ < 4) return Http1Status::kIncomplete;
    if (*p_++ != ' ') return Http1Status::kBad;
    for (int i = 0; i < 3; ++i, ++p_) {
      if (*p_ < '0' || *p_ > '9') return Http1Status::kBad;
      head_.status = head_.status * 10 + (*p_ - '0');
    }
    if (head_.status < 100) return Http1Status::kBad;
    while (p_ < end_ && is_value_char(*p_)) ++p_;
    return line_end();
  }

  Http1Status fields() {
    for (;;) {
      if (p_ == end_) return Http1Status::kIncomplete;
      if (*p_ == '\r') return line_end();
      const char* name = p_;
      while (p_ < end_ && is_token(*p_)) ++p_;
      if (p_ == end_) return Http1Status::kIncomplete;
      if (p_ == name || *p_ != ':') return Http1Status::kBad;
      const auto name_size = static_cast<std::uint32_t>(p_ - name);
      ++p_;
      while (p_ < end_ && (*p_ == ' ' || *p_ == '\t')) ++p_;
      const char* value = p_;
      while (p_ < end_ && is_value_char(*p_)) ++p_;
      const char* value_end = p_;
      if (const Http1Status s = line_end(); s != Http1Status::kComplete) return s;
      while (value_end > value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
      if (head_.fields.size() == kFieldsMax) return Http1Status::kTooLarge;
      head_.fields.push_back({static_cast<std::uint32_t>(name - begin_), name_size,
                              static_cast<std::uint32_t>(value - begin_), static_cast<std::uint32_t>(value_end - value)});
      if (const Http1Status s = framing({name, name_size}, {value, static_cast<std::size_t>(value_end - value)});
          s != Http1Status::kComplete)
        return s;
    }
  }

  Http1Status finish() {
    if (head_.chunked && head_.has_length) return Http1Status::kBad;
    if (head_.chunked && head_.minor_version == 0) return Http1Status::kBad;
    head_.keep_alive = !close_ && (head_.minor_version == 1 || keep_alive_);
    return Http1Status::kComplete;
  }

  std::uint32_t position() const { return static_cast<std::uint32_t>(p_ - begin_); }

 private:
  Http1Status version() {
    if (end_ - p_ < 8) return Http1Status::kIncomplete;
    if (std::memcmp(p_, "HTTP/", 5) != 0) return Http1Status::kBad;
    if (std::memcmp(p_ + 5, "1.", 2) != 0 || (p_[7] != '0' && p_[7] != '1')) return Http1Status::kVersion;
    head_.minor_version = p_[7] - '0';
    p_ += 8;
    return Http1Status::kComplete;
  }

  Http1Status line_end() {
    if (p_ == end_) return Http1Status::kIncomplete;
    if (*p_ != '\r') return Http1Status::kBad;
    if (p_ + 1 == end_) return Http1Status::kIncomplete;
    if (p_[1] != '\n') return Http1Status::kBad;
    p_ += 2;
    return Http1Status::kComplete;
  }

  // The fields that decide where the message ends. Names are compared by size first: most are not of these.
  Http1Status framing(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 14:
        if (equals_ignoring_case(name, "content-length")) return content_length(value);
        break;
      case 17:
        if (equals_ignoring_case(name, "transfer-encoding")) {
          if (head_.chunked) return Http1Status::kBad;
          if (!equals_ignoring_case(value, "chunked")) return Http1Status::kUnsupported;
          head_.chunked = true;
        }
        break;
      case 10:
        if (equals_ignoring_case(name, "connection"))
          for (const std::string_view part : split(value, ',')) {
            const std::string_view option = trim(part);
            close_ = close_ || equals_ignoring_case(option, "close");
            keep_alive_ = keep_alive_ || equals_ignoring_case(option, "keep-alive");
            head_.upgrade = head_.upgrade || equals_ignoring_case(option, "upgrade");
          }
        break;
      case 6:
        if (equals_ignoring_case(name, "expect") && equals_ignoring_case(value, "100-continue"))
          head_.expects_continue = true;
        break;
      default: break;
    }
    return Http1Status::kComplete;
  }

  Http1Status content_length(std::string_view value) {
    // "5, 5" and repeated equal fields are refused too: nothing honest sends them.
    if (value.empty() || value.size() > 18 || head_.has_length) return Http1Status::kBad;
    std::uint64_t length = 0;
    for (const char c : value) {
      if (c < '0' || c > '9') return Http1Status::kBad;
      length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    head_.has_length = true;
    head_.content_length = length;
    return Http1Status::kComplete;
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  Http1Head& head_;
  bool close_ = false, keep_alive_ = false;
};

void reset(Http1Head& head) {
  std::vector<Http1Field> fields = std::move(head.fields);  // keeps its capacity
  fields.clear();
  head = Http1Head{};
  head.fields = std::move(fields);
}

Http1Result parse_head(std::string_view bytes, std::size_t bytes_max, Http1Head& head, bool is_request) {
  reset(head);
  HeadParser parser(bytes.substr(0, bytes_max), head);
  Http1Status status = is_request ? parser.request_line() : parser.status_line();
  if (status == Http1Status::kComplete) status = parser.fields();
  if (status == Http1Status::kComplete) status = parser.finish();
  if (status == Http1Status::kIncomplete && bytes.size() >= bytes_max) status = Http1Status::kTooLarge;
  return {status, parser.position()};
}

}  // namespace

Http1Result parse_request_head(std::string_view bytes, std::size_t bytes_max, Http1Head& head) {
  return parse_head(bytes, bytes_max, head, true);
}
Http1Result parse_response_head(std::string_view bytes, std::size_t bytes_max, Http1Head& head) {
  return parse_head(bytes, bytes_max, head, false);
}

ChunkedDecoder::Event ChunkedDecoder::next(std::string_view& input, std::string_view& data) {
  constexpr std::size_t kTrailerBytesMax = 16 * 1024, kExtensionBytesMax = 4 * 1024;
  while (!input.empty()) {
    const char c = input.front();
    switch (state_) {
      case State::kSize: {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit >= 0) {
          if (++digits_ > 15) return bad();
          left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        } else if (digits_ == 0) {
          return bad();
        } else if (c == ';') {
          state_ = State::kExtension;
        } else if (c == '\r') {
          state_ = State::kSizeLf;
        } else {
          return bad();
        }
        input.remove_prefix(1);
        break;
      }
      case State::kExtension:
        if (c == '\r') state_ = State::kSizeLf;
        else if (c == '\n' || ++extension_bytes_ > kExtensionBytesMax) return bad();
        input.remove_prefix(1);
        break;
      case State::kSizeLf:
        if (c != '\n') return bad();
        input.remove_prefix(1);
        state_ = left_ == 0 ? State::kTrailers : State::kData;
        break;
      case State::kData: {
        data = input.substr(0, left_);
        left_ -= data.size();
        input.remove_prefix(data.size());
        if (left_ == 0) state_ = State::kDataCr;
        return Event::kData;
      }
      case State::kDataCr:
        if (c != '\r') return bad();
        input.remove_prefix(1);
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return bad();
        input.remove_prefix(1);
        state_ = State::kSize;
        digits_ = 0;
        extension_bytes_ = 0;
        break;
      case State::kTrailers: {
        trailer_bytes_ += c;
        input.remove_prefix(1);
        if (trailer_bytes_.size() > kTrailerBytesMax) return bad();
        if (!trailer_bytes_.ends_with("\r\n")) break;
        if (trailer_bytes_ != "\r\n" && !trailer_bytes_.ends_with("\r\n\r\n")) break;
        // Parsed as the fields of a response head, so that the same rules hold.
        const std::string head_text = "HTTP/1.1 200\r\n" + trailer_bytes_;
        Http1Head head;
        if (parse_response_head(head_text, head_text.size() + 1, head).status != Http1Status::kComplete) return bad();
        for (const Http1Field& field : head.fields)
          trailers_.emplace_back(to_lower({head_text.data() + field.name_at, field.name_size}),
                                 std::string(head_text, field.value_at, field.value_size));
        state_ = State::kDone;
        return Event::kEnd;
      }
      case State::kDone: return Event::kEnd;
      case State::kBad: return Event::kBad;
    }
  }
  return state_ == State::kDone ? Event::kEnd : state_ == State::kBad ? Event::kBad : Event::kNeedMore;
}

}  // namespace reef::wire
