#include <cstddef>
#include <cstdint>

#include "wire/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = reef::wire::parse_yaml({reinterpret_cast<const char*>(data), size},
                                           [](std::string_view, reef::wire::Json&) { return std::string(); });
  if (json) (void)json->dump();
  return 0;
}
