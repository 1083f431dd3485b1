#include <cstdlib>

#include "engine/edge/route_table.h"

// Lines are templates; the last one is the path that is looked for.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  reef::edge::RouteTable table;
  std::uint32_t count = 0;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos && count < 64; text.remove_prefix(end + 1))
    table.add(count % 3 == 0 ? "ANY" : "GET", text.substr(0, end), count), ++count;
  if (const auto match = table.match("GET", text); match && match->route >= count) std::abort();
  const bool has_methods = !table.methods_of(text).empty();
  if (table.match("GET", text) && !has_methods) std::abort();
  return 0;
}
