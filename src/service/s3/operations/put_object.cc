// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
#include "service/s3/content.h"
#include "service/s3/notifications.h"
#include "service/s3/object_lock.h"
#include "service/s3/object_headers.h"
#include "service/s3/operations/operations.h"

namespace reef::s3::operations {
namespace {

constexpr std::size_t kKeyBytesMax = 1024;

}  // namespace

Task<Reply<model::PutObjectOutput>> put_object(S3& s3, const model::PutObjectInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  if (in.key.size() > kKeyBytesMax) co_return Err(aws::Error("KeyTooLongError", "Your key is too long", 400));
  if (in.write_offset_bytes) co_return Err(aws::not_implemented("Appending to objects (x-amz-write-offset-bytes)"));
  CO_TRY(check_write_conditions(in.if_match, in.if_none_match));
  blob::PutRequest request{.bucket = bucket, .key = in.key};
  request.object.properties = CO_TRY(properties_of(in));
  CO_TRY(apply_lock_headers(*bucket, in, call, request.object.properties));
  const auto key = CO_TRY(key_for_writing(customer_key_headers(in), in.server_side_encryption));
  const auto given = CO_TRY(given_checksum(in, call));
  const bool gives_lock = in.object_lock_mode || in.object_lock_legal_hold_status;
  if (gives_lock && call.http_request && !given && !in.content_md5)
    co_return Err(invalid_request("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"));
  apply_default_retention(*bucket, call.now, request.object.properties);
  Received received = CO_TRY(co_await receive(s3, call, in.body, in.content_md5, given, Algorithm::kCrc64Nvme, false, key));  // S3's own when none was given
  request.object.etag = received.etag;
  request.object.size = received.data.size();
  request.object.modified = call.now;
  if (received.checksum) {
    request.object.properties[property::kChecksum] = *received.checksum;
    request.object.properties[property::kChecksumValue] = received.checksum_value;
    request.object.properties[property::kChecksumType] = "FULL_OBJECT";
  }
  if (key) {
    mark(request.object.properties, *key);
    request.object.properties[property::kNonce] = received.nonce;
  }
  request.data.push_back(std::move(received.data));
  request.precondition.must_be_absent = in.if_none_match.has_value();
  if (in.if_match) request.precondition.etag = unquoted(*in.if_match);
  auto stored = co_await s3.blobs.put(std::move(request));
  if (!stored && stored.error() == blob::Refusal::kPreconditionFailed)
    co_return Err(precondition_failed(in.if_match ? "If-Match" : "If-None-Match"));
  if (!stored) co_return Err(to_error(stored.error(), {.bucket = in.bucket, .key = in.key}));
  co_await s3.notifications->notify(call, bucket, "ObjectCreated:Put", in.key, *stored);
  model::PutObjectOutput out;
  out.etag = quoted(stored->etag);
  fill_checksum(stored->properties, out);
  out.server_side_encryption = property_of(stored->properties, property::kEncryption).value_or("AES256");
  out.ssekms_key_id = property_of(stored->properties, property::kEncryptionKey);
  show_customer_key(key, out);
  if (bucket->versioning != blob::Versioning::kOff && stored->version_id != "null") out.version_id = stored->version_id;
  co_return out;
}

}  // namespace reef::s3::operations
