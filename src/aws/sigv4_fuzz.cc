#include <string>

#include "aws/sigv4.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto half = text.size() / 2;
  reef::http::Request request;
  request.method = "GET";
  request.path = "/a/../b";
  request.host = "localhost";
  request.query = std::string_view(text).substr(half);
  request.headers = {{"authorization", std::string_view(text).substr(0, half)}, {"x-amz-date", "20261120T000000Z"}};
  reef::aws::SignatureClaim claim;
  std::string why;
  if (reef::aws::read_signature(request, claim, why) == reef::aws::ClaimStatus::kFound)
    reef::aws::expected_signature(claim, request, "UNSIGNED-PAYLOAD", "secret");
  return 0;
}
