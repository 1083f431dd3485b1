// A stranger's expression over a stranger's text: whatever the two are, an answer comes, soon, and is the same again.
// The first line is the expression, the rest the text.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(bytes.find('\n'), bytes.size());
  const auto pattern = reef::Pattern::compile(std::string(bytes.substr(0, end)));
  if (!pattern) {
    CHECK(!pattern.error().message.empty());
    return 0;
  }
  const std::string_view text = bytes.substr(std::min(end + 1, bytes.size()));
  CHECK(pattern->matches(text) == pattern->matches(text));
  return 0;
}
