#include <cstdlib>

#include "gateway/body.h"

namespace {

// Gives the bytes out in pieces whose size the input decides, as a network does.
class Pieces final : public reef::http::Body {
 public:
  Pieces(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  reef::Task<reef::Result<std::string_view, reef::Failure>> read() override {
    const std::string_view out = bytes_.substr(0, piece_);
    bytes_.remove_prefix(out.size());
    co_return out;
  }

 private:
  std::string_view bytes_;
  std::size_t piece_;
};

reef::Task<void> drain(reef::http::Body& body, std::size_t bytes_max) {
  std::size_t total = 0;
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece || piece->empty()) break;
    if ((total += piece->size()) > bytes_max) std::abort();  // more came out than went in
  }
  (void)body.trailers();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  reef::http::Request request;
  constexpr std::string_view kKinds[] = {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                                         "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"};
  request.headers = {{"x-amz-content-sha256", kKinds[data[0] % 3]}, {"x-amz-trailer", "x-amz-checksum-crc32"}, {"x-amz-decoded-content-length", "10"}};
  const reef::aws::SignatureClaim claim{.access_key = "a", .date = "20261120", .region = "us-east-1", .service = "s3",
                                        .signature = std::string(64, '0'), .timestamp = "20261120T000000Z"};
  Pieces inner(text, 1 + data[1] % 64);
  const auto body = reef::gateway::decode_aws_chunked(inner, request, data[0] & 4 ? &claim : nullptr, data[0] & 4 ? "secret" : "");
  drain(*body, text.size()).detach();
  constexpr std::size_t kInflatedMax = 1 << 16;
  if (const auto inflated = reef::gateway::inflate(text, kInflatedMax); inflated && inflated->size() > kInflatedMax) std::abort();
  return 0;
}
