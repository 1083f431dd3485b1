#include <cstddef>

#include "engine/telemetry/log_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pattern = reef::telemetry::LogPattern::parse(text.substr(0, size / 2));
  if (pattern) pattern->matches(text.substr(size / 2));
  return 0;
}
