#include <cstdint>
#include <string_view>

#include "engine/edge/mesh/access_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  reef::edge::mesh::AccessFacts facts{.method = "GET", .path = "/"};
  facts.request_headers = {{"a", "b"}};
  if (const auto format = reef::edge::mesh::AccessFormat::text(text)) static_cast<void>(format->line(facts));
  if (const auto format = reef::edge::mesh::AccessFormat::json({{"a", std::string(text)}})) static_cast<void>(format->line(facts));
  return 0;
}
