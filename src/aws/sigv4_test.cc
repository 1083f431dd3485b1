#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace reef::aws {
namespace {

// The worked example of the SigV4 documentation (GET, iam, ListUsers).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
TEST(SigV4, SignsTheDocumentedExample) {
  http::Request request;
  request.method = "GET";
  request.path = "/";
  request.query = "Action=ListUsers&Version=2010-05-08";
  request.host = "iam.amazonaws.com";
  request.headers = {{"authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                      "SignedHeaders=content-type;host;x-amz-date, Signature=abc"},
                     {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"host", "iam.amazonaws.com"},
                     {"x-amz-date", "20150830T123600Z"}};
  SignatureClaim claim;
  std::string why;
  ASSERT_EQ(read_signature(request, claim, why), ClaimStatus::kFound);
  EXPECT_EQ(claim.access_key, "AKIDEXAMPLE");
  EXPECT_EQ(claim.service, "iam");
  EXPECT_EQ(sha256_hex(canonical_request(claim, request, sha256_hex(""))),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  EXPECT_EQ(expected_signature(claim, request, sha256_hex(""), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
TEST(SigV4, SignsThePresignedExample) {
  http::Request request;
  request.method = "GET";
  request.path = "/test.txt";
  request.host = "examplebucket.s3.amazonaws.com";
  request.query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
      "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=x";
  request.headers = {{"host", "examplebucket.s3.amazonaws.com"}};
  SignatureClaim claim;
  std::string why;
  ASSERT_EQ(read_signature(request, claim, why), ClaimStatus::kFound);
  EXPECT_EQ(claim.form, SignatureClaim::Form::kPresigned);
  EXPECT_EQ(expected_signature(claim, request, "UNSIGNED-PAYLOAD", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, NamesWhatIsMissing) {
  http::Request request;
  request.headers = {{"authorization", "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/iam/aws4_request"}};
  SignatureClaim claim;
  std::string why;
  EXPECT_EQ(read_signature(request, claim, why), ClaimStatus::kMalformed);
  EXPECT_EQ(why, "Authorization header requires 'SignedHeaders' parameter.");
}

}  // namespace
}  // namespace reef::aws
