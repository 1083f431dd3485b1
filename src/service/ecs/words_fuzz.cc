#include <cstddef>
#include <cstdint>

#include "service/ecs/words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(reef::service::ecs::split_words({reinterpret_cast<const char*>(data), size}));
  return 0;
}
