#include <cstdint>

#include "service/apigateway/refusals.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(reef::service::apigateway::fill_template(text, [](std::string_view name) { return std::string(name); }));
  return 0;
}
