#include <cstdlib>

#include "wire/json.h"

// What is read is written and read again to the same value.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto first = reef::wire::Json::parse({reinterpret_cast<const char*>(data), size});
  if (!first) return 0;
  const auto second = reef::wire::Json::parse(first->dump());
  if (!second || second->dump() != first->dump()) std::abort();
  return 0;
}
