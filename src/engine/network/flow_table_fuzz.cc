// Formats of flow logs and address blocks come from requests.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/network/flow_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef::network;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto format = FlowFormat::parse(text)) {
    const auto again = FlowFormat::parse(format->text());
    if (!again || again->fields() != format->fields()) std::abort();
  }
  if (const auto block = parse_cidr(text); block && parse_cidr(block->text()) != block) std::abort();
  static_cast<void>(parse_protocol(text));
  return 0;
}
