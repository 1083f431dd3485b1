#include <cstdlib>

#include "engine/naming/probe.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view search = text.substr(0, std::min<std::size_t>(size, 3));
  // Whatever came, it is judged at the latest at its end.
  if (!reef::naming::judge_http(text, true, search)) std::abort();
  reef::naming::judge_http(text, false, {});
  return 0;
}
