#include <cstddef>
#include <cstdint>

#include "engine/metrics/search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const reef::metrics::MetricId metric{.scope = "a/r", .space = "AWS/EC2", .name = std::string(text), .dimensions = {{"InstanceId", "i-1"}}};
  if (const auto search = reef::metrics::parse_search(text)) reef::metrics::matches(*search, metric);
  return 0;
}
