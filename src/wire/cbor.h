// CBOR (RFC 8949) as AWS's rpcv2Cbor uses it. Reading gives the JSON that says the same: byte strings as base64 text,
// tagged timestamps as numbers. Writing appends item by item.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/json.h"

namespace reef::wire {

// The one item that `bytes` is; definite and indefinite lengths, at most 128 deep.
Result<Json, JsonError> cbor_to_json(std::string_view bytes);

class CborWriter {
 public:
  explicit CborWriter(std::string& out) : out_(out) {}
  void begin_map() { out_ += '\xBF'; }    // of indefinite length; key and value follow each other
  void begin_array() { out_ += '\x9F'; }
  void end() { out_ += '\xFF'; }
  void text(std::string_view value) { head(3, value.size()), out_ += value; }
  void bytes(std::string_view value) { head(2, value.size()), out_ += value; }
  void integer(std::int64_t value) {
    value < 0 ? head(1, static_cast<std::uint64_t>(-(value + 1))) : head(0, static_cast<std::uint64_t>(value));
  }
  void number(double value);
  void boolean(bool value) { out_ += value ? '\xF5' : '\xF4'; }
  void null() { out_ += '\xF6'; }
  // Seconds since 1970, tagged as a time.
  void epoch(double seconds) { out_ += '\xC1', number(seconds); }

 private:
  void head(int major, std::uint64_t argument);
  std::string& out_;
};

}  // namespace reef::wire
