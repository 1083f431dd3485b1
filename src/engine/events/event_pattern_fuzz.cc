#include <cstddef>

#include "engine/events/rule_index.h"

// The first line is the pattern, the rest the event.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\n');
  const auto pattern = reef::events::compile_pattern(text.substr(0, end));
  if (!pattern || end == std::string_view::npos) return 0;
  reef::events::RuleIndex index;
  index.add(1, *pattern);
  index.match(text.substr(end + 1));
  return 0;
}
