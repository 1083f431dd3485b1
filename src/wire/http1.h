// HTTP/1.1 on bytes: parsing of message heads and of chunked bodies, strict where leniency lets requests be
// smuggled (RFC 9112): both Content-Length and Transfer-Encoding, differing or malformed lengths, bare LF, white
// space before the colon, obsolete folding and control characters are refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reef::wire {

struct Http1Field {
  std::uint32_t name_at, name_size, value_at, value_size;  // into the head's bytes
};

// A parsed head. Positions are relative to the head's first byte, so that they stay right when it is moved.
struct Http1Head {
  std::uint32_t method_size = 0, target_at = 0, target_size = 0;  // requests
  int status = 0;                                                  // responses
  int minor_version = 1;
  std::vector<Http1Field> fields;  // names as sent
  bool chunked = false;
  bool has_length = false;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
  bool upgrade = false;
};

enum class Http1Status {
  kComplete,
  kIncomplete,   // more bytes are needed
  kBad,          // 400
  kTooLarge,     // 431
  kUnsupported,  // 501: a transfer coding other than chunked
  kVersion,      // 505
};

struct Http1Result {
  Http1Status status;
  std::size_t consumed = 0;  // bytes of the head, when complete
};

// Parses a request head at the start of `bytes`. Leading empty lines are not accepted.
Http1Result parse_request_head(std::string_view bytes, std::size_t bytes_max, Http1Head& head);
Http1Result parse_response_head(std::string_view bytes, std::size_t bytes_max, Http1Head& head);

// Decodes a chunked body as it arrives.
class ChunkedDecoder {
 public:
  enum class Event {
    kData,        // `data` holds body bytes
    kNeedMore,    // all input was consumed
    kEnd,         // body and trailers are complete; bytes after them were not consumed
    kBad,
  };
  // Takes what it can from `input` (advancing it) and reports one event.
  Event next(std::string_view& input, std::string_view& data);
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailers, kDone, kBad };
  Event bad() {
    state_ = State::kBad;
    return Event::kBad;
  }
  State state_ = State::kSize;
  std::uint64_t left_ = 0;
  int digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::string trailer_bytes_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace reef::wire
