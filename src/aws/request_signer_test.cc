#include "aws/request_signer.h"

#include <gtest/gtest.h>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/text.h"

namespace reef::aws {
namespace {

class RequestSignerTest : public testing::Test {
 protected:
  RequestSignerTest() {
    keys_.put("AKIDKNOWN", {.secret = "secret", .session_token = {}, .principal = {.arn = "arn:aws:iam::111122223333:user/ann", .user_id = "AIDA1", .account = "111122223333"}, .expires_at = {}});
    request_.method = "POST";
    request_.target = request_.path = "/prod/orders";
    request_.host = "a1.execute-api.us-east-1.amazonaws.com";
  }
  void sign(std::string_view key, std::string_view secret, std::string_view body, std::string_view at = "20231114T221320Z") {
    at_ = at;
    request_.headers = {{"host", request_.host}, {"x-amz-date", at_}};
    authorization_ = authorization_header(key, secret, "us-east-1", "execute-api", at, request_, sha256_hex(body));
    request_.headers.push_back({"authorization", authorization_});
  }
  SignatureFault fault(std::string_view body = "{}") const { return signer_of(keys_, request_, body, "000000000000", kNow).fault; }

  static inline const Time kNow = from_seconds(1'700'000'000);
  AccessKeys keys_;
  http::Request request_;
  std::string at_, authorization_;
};

TEST_F(RequestSignerTest, KnowsWhoSigned) {
  EXPECT_EQ(fault(), SignatureFault::kUnsigned);
  sign("AKIDKNOWN", "secret", "{}");
  const RequestSigner signer = signer_of(keys_, request_, "{}", "000000000000", kNow);
  EXPECT_EQ(signer.fault, SignatureFault::kNone);
  EXPECT_EQ(signer.principal.arn, "arn:aws:iam::111122223333:user/ann");
  EXPECT_EQ(signer.principal.access_key, "AKIDKNOWN");
  EXPECT_EQ(iam_authorizer(signer.principal).text("userArn"), "arn:aws:iam::111122223333:user/ann");
}

TEST_F(RequestSignerTest, RefusesOtherBodiesSecretsAndTimes) {
  sign("AKIDKNOWN", "secret", "{}");
  EXPECT_EQ(fault("{ }"), SignatureFault::kWrong);
  sign("AKIDKNOWN", "guess", "{}");
  EXPECT_EQ(fault(), SignatureFault::kWrong);
  sign("AKIDKNOWN", "secret", "{}", "20231114T220320Z");
  EXPECT_EQ(fault(), SignatureFault::kStale);
  sign("AKIDKNOWN", "secret", "{}", "20231114T222320Z");
  EXPECT_EQ(fault(), SignatureFault::kStale);
  authorization_ = "AWS4-HMAC-SHA256 nonsense";
  request_.headers.back().value = authorization_;
  EXPECT_EQ(fault(), SignatureFault::kMalformed);
}

TEST_F(RequestSignerTest, UnknownKeysAreTheOwnersRootUnlessRefused) {
  sign("test", "whatever", "{}");
  EXPECT_EQ(signer_of(keys_, request_, "{}", "000000000000", kNow).principal.arn, "arn:aws:iam::000000000000:root");
  sign("222233334444", "whatever", "{}");
  EXPECT_EQ(signer_of(keys_, request_, "{}", "000000000000", kNow).principal.account, "222233334444");
  keys_.refuse_unknown();
  EXPECT_EQ(fault(), SignatureFault::kUnknownKey);
}

TEST_F(RequestSignerTest, TemporaryKeysNeedTheirTokenAndEnd) {
  keys_.put("ASIA1", {.secret = "s", .session_token = "token", .principal = {}, .expires_at = kNow - 1s});
  sign("ASIA1", "s", "{}");
  EXPECT_EQ(fault(), SignatureFault::kUnknownKey);
  request_.headers.push_back({"x-amz-security-token", "token"});
  EXPECT_EQ(fault(), SignatureFault::kExpiredToken);
}

}  // namespace
}  // namespace reef::aws
