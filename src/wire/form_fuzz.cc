#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "wire/form.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const reef::wire::Form form({reinterpret_cast<const char*>(data), size});
  for (const auto& field : form.fields()) {
    CHECK(form.find(field.key) != nullptr);
    CHECK(form.contains(field.key));
    form.indices(field.key);
  }
  return 0;
}
