#include <cstdlib>

#include "wire/http1.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  reef::wire::Http1Head head;
  const auto result = reef::wire::parse_request_head(text, 16 * 1024, head);
  if (result.status == reef::wire::Http1Status::kComplete) {
    if (result.consumed > size || (head.chunked && head.has_length)) std::abort();
    for (const auto& field : head.fields)
      if (field.value_at + field.value_size > result.consumed) std::abort();
  }
  reef::wire::parse_response_head(text, 16 * 1024, head);
  reef::wire::ChunkedDecoder decoder;
  std::string_view rest = text, piece;
  for (;;) {
    const auto event = decoder.next(rest, piece);
    if (event != reef::wire::ChunkedDecoder::Event::kData) break;
  }
  return 0;
}
