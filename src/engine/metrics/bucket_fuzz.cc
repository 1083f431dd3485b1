// Any bytes are either buckets that can be written again, or refused.
#include <cstddef>
#include <cstdint>

#include "engine/metrics/bucket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef::metrics;
  const auto buckets = decode_buckets(std::string_view(reinterpret_cast<const char*>(data), size));
  if (buckets) static_cast<void>(encode_buckets(*buckets));
  return 0;
}
