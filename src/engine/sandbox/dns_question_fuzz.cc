#include <cstdint>

#include "engine/sandbox/dns_question.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  if (const auto question = reef::sandbox::parse_question(query)) reef::sandbox::answer(query, *question, 0x7F000001);
  return 0;
}
