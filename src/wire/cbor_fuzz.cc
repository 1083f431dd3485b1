#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "wire/cbor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = reef::wire::cbor_to_json({reinterpret_cast<const char*>(data), size});
  if (json) CHECK(reef::wire::Json::parse(json->dump()).has_value());
  return 0;
}
