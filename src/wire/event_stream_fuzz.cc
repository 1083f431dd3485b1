#include <cstddef>
#include <cstdint>

#include "wire/event_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view in(reinterpret_cast<const char*>(data), size);
  reef::wire::EventMessage message;
  for (;;) {
    const auto taken = reef::wire::take_event(in, message);
    if (!taken || !*taken) return 0;
  }
}
