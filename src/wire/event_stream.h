// AWS event-stream framing (application/vnd.amazon.eventstream): length, headers, payload, two CRCs.
// https://smithy.io/2.0/aws/amazon-eventstream.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace reef::wire {

struct EventHeader {
  enum class Type : std::uint8_t {
    kTrue = 0, kFalse = 1, kByte = 2, kShort = 3, kInteger = 4, kLong = 5, kBytes = 6, kString = 7, kTimestamp = 8, kUuid = 9,
  };
  std::string name;
  Type type = Type::kString;
  std::string value;  // text or raw big-endian bytes; empty for booleans
};

struct EventMessage {
  std::vector<EventHeader> headers;
  std::string payload;
  std::string_view header(std::string_view name) const {
    for (const EventHeader& header : headers)
      if (header.name == name) return header.value;
    return {};
  }
};

inline constexpr std::size_t kEventMessageBytesMax = 24 * 1024 * 1024;

void append_event(std::string& out, const EventMessage& message);

// Takes one whole message off the front of `in`: false when more bytes are needed, an error when it is malformed.
Result<bool, std::string> take_event(std::string_view& in, EventMessage& message);

}  // namespace reef::wire
