#include <cstddef>

#include "service/eventbridge/http_request.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  reef::service::eventbridge::parse_endpoint({reinterpret_cast<const char*>(data), size});
  return 0;
}
