// Repaired heads: what is to be forwarded must be one head to the strict parser, with one framing.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/edge/balancer/desync.h"

using namespace reef;
using namespace reef::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  bytes.resize(std::min(bytes.find("\r\n\r\n"), bytes.size()));
  bytes += "\r\n\r\n";
  const Repaired repaired = repair(bytes);
  if (!repaired.clean) {
    CHECK(repaired.verdict.of == DesyncClass::kSevere);
    return 0;
  }
  wire::Http1Head head;
  const auto result = wire::parse_request_head(*repaired.clean, repaired.clean->size() + 1, head);
  const bool is_old_chunked = repaired.clean->find(" HTTP/1.0\r\n") != std::string::npos && repaired.clean->find("chunked") != std::string::npos;
  CHECK(result.status == wire::Http1Status::kTooLarge || is_old_chunked || (result.status == wire::Http1Status::kComplete && result.consumed == repaired.clean->size()));
  // What the strict parser took is repaired to the same framing.
  wire::Http1Head before;
  const auto strict = wire::parse_request_head(bytes, bytes.size() + 1, before);
  if (strict.status == wire::Http1Status::kComplete && strict.consumed == bytes.size() && result.status == wire::Http1Status::kComplete)
    CHECK(before.chunked == head.chunked && before.content_length == head.content_length);
  return 0;
}
