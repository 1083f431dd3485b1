#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "wire/session_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef::wire;
  const auto message = parse_session_message({reinterpret_cast<const char*>(data), size});
  if (!message) return 0;
  const auto again = parse_session_message(encode_session_message(*message));
  if (!again || again->payload != message->payload || again->sequence != message->sequence || again->id != message->id) std::abort();
  return 0;
}
