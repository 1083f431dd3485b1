#include <cstddef>

#include "service/lambda/event_filter.h"

// The first line is the pattern, the rest the event.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto pattern = reef::wire::Json::parse(text.substr(0, end));
  const auto event = reef::wire::Json::parse(text.substr(end + 1));
  if (!pattern || !event || reef::service::lambda::check_pattern(*pattern)) return 0;
  reef::service::lambda::matches(*pattern, *event);
  return 0;
}
