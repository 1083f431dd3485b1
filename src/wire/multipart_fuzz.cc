#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "wire/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  reef::wire::form_data_boundary(text);
  if (const auto parts = reef::wire::parse_form_data(text, "x"))
    for (const auto& part : *parts) CHECK(part.content.empty() || (part.content.data() >= text.data() && part.content.data() + part.content.size() <= text.data() + size));
  return 0;
}
