// The records of a queue's changes; docs/files.md describes them. All start with what they are and the queue's
// number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace reef::queue::record {

enum class Type : std::uint8_t {
  kPut = 1,        // a message, whole: sent, or written again by compaction
  kLease = 2,      // new lease state of one or more messages
  kRemove = 3,
  kPurge = 4,
  kOpen = 5,       // a queue with its settings: created or changed
  kDrop = 6,
};

inline std::string begin(Type type, std::uint32_t queue) {
  std::string out;
  ByteWriter writer(out);
  writer.fixed(type);
  writer.fixed(queue);
  return out;
}

inline std::string remove(std::uint32_t queue, std::uint32_t slot) {
  std::string out = begin(Type::kRemove, queue);
  ByteWriter(out).fixed(slot);
  return out;
}

inline std::string purge(std::uint32_t queue, std::int64_t at_micros) {
  std::string out = begin(Type::kPurge, queue);
  ByteWriter(out).fixed(at_micros);
  return out;
}

}  // namespace reef::queue::record
