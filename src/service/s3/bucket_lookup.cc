// Finding buckets, and what goes with it.
#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"
#include "service/s3/cors.h"
#include "service/s3/errors.h"

namespace reef::s3 {

Reply<blob::BucketPtr> find_bucket(const S3& s3, const Call& call, const std::string& name) {
  blob::BucketPtr bucket = s3.blobs.find_bucket(name);
  if (!bucket) return Err(no_such_bucket(name));
  const std::string_view expected = call.http_request ? call.http_request->header("x-amz-expected-bucket-owner") : "";
  if (!expected.empty() && (expected.size() != 12 || expected.find_first_not_of("0123456789") != expected.npos))
    return Err(aws::Error("InvalidBucketOwnerAWSAccountID",
                          fmt::format("The value of the expected bucket owner parameter must be an AWS Account ID... [{}]", expected), 400));
  if (!expected.empty() && expected != bucket->account) return Err(aws::Error("AccessDenied", "Access Denied", 403));
  if (call.http_request && call.http_response) add_cors_headers(*bucket, *call.http_request, *call.http_response);
  return bucket;
}

std::string canonical_id(std::string_view account) { return sha256_hex("atoll-canonical-user/" + std::string(account)); }

model::Owner owner_of(std::string_view account) { return {.display_name = std::string(account), .id = canonical_id(account)}; }

}  // namespace reef::s3
