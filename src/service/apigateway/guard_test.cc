#include "service/apigateway/guard.h"

#include <gtest/gtest.h>

namespace reef::service::apigateway {
namespace {

http::Request signed_by_a_stranger() {
  http::Request out;
  out.method = "GET";
  out.path = out.target = "/things";
  out.host = "localhost";
  out.headers = {{"authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000"},
                 {"host", "localhost"}, {"x-amz-date", "20261121T000000Z"}};
  return out;
}

constexpr std::int64_t kSigned = 1'795'219'200;  // 2026-11-21T00:00:00Z

TEST(Signatures, OfStrangersAreBelievedUnlessToldOtherwise) {
  aws::AccessKeys keys;
  const http::Request request = signed_by_a_stranger();
  const Signer trusted = check_signature(keys, request, "", "000000000000", from_seconds(kSigned));
  ASSERT_TRUE(trusted.principal);
  EXPECT_EQ(trusted.principal->account, "000000000000");
  keys.refuse_unknown();
  const Signer refused = check_signature(keys, request, "", "000000000000", from_seconds(kSigned));
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->error_type, "UnrecognizedClientException");
}

TEST(Signatures, HoldForFiveMinutes) {
  aws::AccessKeys keys;
  const http::Request request = signed_by_a_stranger();
  EXPECT_FALSE(check_signature(keys, request, "", "000000000000", from_seconds(kSigned + 301)).principal);
  EXPECT_TRUE(check_signature(keys, request, "", "000000000000", from_seconds(kSigned + 299)).principal);
}

}  // namespace
}  // namespace reef::service::apigateway
