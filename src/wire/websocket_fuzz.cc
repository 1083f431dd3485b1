#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "wire/websocket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  reef::wire::WebSocketReader reader(1 << 16);
  // In pieces of different sizes.
  for (std::size_t at = 0, piece = 1; at < size; at += piece, piece = piece % 61 + 1) {
    reader.add({reinterpret_cast<const char*>(data) + at, std::min(piece, size - at)});
    while (reader.next()) {
    }
  }
  return 0;
}
