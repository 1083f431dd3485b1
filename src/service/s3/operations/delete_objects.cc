// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
#include "service/s3/notifications.h"
#include "service/s3/object_headers.h"
#include "service/s3/object_lock.h"
#include "service/s3/operations/operations.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3::operations {
namespace {

constexpr std::size_t kDeletesMax = 1000;

Task<void> notify_erased(S3& s3, const Call& call, blob::BucketPtr bucket, std::string key, bool names_version,
                         blob::Erased erased) {
  if (!erased.existed && !erased.is_delete_marker) co_return;
  blob::Object object;
  object.version_id = erased.version_id;
  object.sequence = static_cast<std::uint64_t>(to_micros(call.now));
  const bool made_marker = erased.is_delete_marker && !names_version;
  co_await s3.notifications->notify(call, std::move(bucket), made_marker ? "ObjectRemoved:DeleteMarkerCreated" : "ObjectRemoved:Delete",
                                    std::move(key), std::move(object));
}

// A version that cannot be: of a bucket that never had any, or misspelt.
bool is_wrong_version(const blob::Bucket& bucket, const std::optional<std::string>& version) {
  return version && *version != "null" && (bucket.versioning == blob::Versioning::kOff || !blob::is_version_id(*version));
}

// `bypasses`: what the header says, if it is there.
Reply<void> check_bypass(const blob::Bucket& bucket, const std::optional<bool>& bypasses) {
  if (!bypasses || bucket.settings.contains(setting::kObjectLock)) return {};
  return Err(invalid_argument("x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
                              "x-amz-bypass-governance-retention", ""));
}

std::function<bool(const blob::Object&)> lock_allows(const std::optional<bool>& bypasses, Time now) {
  return [bypasses = bypasses.value_or(false), now](const blob::Object& object) { return may_erase(object, bypasses, now); };
}

}  // namespace

Task<Reply<model::DeleteObjectOutput>> delete_object(S3& s3, const model::DeleteObjectInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  CO_TRY(check_bypass(*bucket, in.bypass_governance_retention));
  if (is_wrong_version(*bucket, in.version_id) && !s3.blobs.find(*bucket, in.key, in.version_id))
    co_return Err(invalid_argument("Invalid version id specified", "versionId", *in.version_id));
  blob::Precondition precondition{.allows = lock_allows(in.bypass_governance_retention, call.now)};
  if (in.if_match) precondition.etag = unquoted(*in.if_match);
  auto erased = co_await s3.blobs.erase(bucket, in.key, in.version_id, std::move(precondition));
  if (!erased && erased.error() == blob::Refusal::kPreconditionFailed) co_return Err(precondition_failed("If-Match"));
  if (!erased) co_return Err(to_error(erased.error(), {.bucket = in.bucket, .key = in.key}));
  co_await notify_erased(s3, call, bucket, in.key, in.version_id.has_value(), *erased);
  model::DeleteObjectOutput out;
  if (erased->is_delete_marker) out.delete_marker = true;
  if (!erased->version_id.empty()) out.version_id = erased->version_id;
  if (call.http_response) call.http_response->status = 204;
  co_return out;
}

Task<Reply<model::DeleteObjectsOutput>> delete_objects(S3& s3, const model::DeleteObjectsInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  if (in.delete_.objects.empty() || in.delete_.objects.size() > kDeletesMax) co_return Err(malformed_xml());
  CO_TRY(check_bypass(*bucket, in.bypass_governance_retention));
  std::vector<Task<Result<blob::Erased, blob::Refusal>>> running;
  for (const model::ObjectIdentifier& object : in.delete_.objects) {
    blob::Precondition precondition{.allows = lock_allows(in.bypass_governance_retention, call.now)};
    if (object.etag) precondition.etag = unquoted(*object.etag);
    running.push_back(s3.blobs.erase(bucket, object.key, object.version_id, std::move(precondition)));
  }
  model::DeleteObjectsOutput out;
  for (std::size_t i = 0; i < running.size(); ++i) {
    const model::ObjectIdentifier& object = in.delete_.objects[i];
    const auto erased = co_await running[i];
    const bool is_wrong = is_wrong_version(*bucket, object.version_id) && erased && !erased->existed;
    if (!erased || is_wrong) {
      const aws::Error error = is_wrong ? no_such_version(object.key, *object.version_id)
                                        : to_error(erased.error(), {.bucket = in.bucket, .key = object.key});
      if (!out.errors) out.errors.emplace();
      out.errors->push_back({.key = object.key, .version_id = object.version_id, .code = error.code, .message = error.message});
      continue;
    }
    co_await notify_erased(s3, call, bucket, object.key, object.version_id.has_value(), *erased);
    if (in.delete_.quiet.value_or(false)) continue;
    model::DeletedObject deleted{.key = object.key, .version_id = object.version_id};
    if (erased->is_delete_marker) {
      deleted.delete_marker = true;
      deleted.delete_marker_version_id = erased->version_id;
    }
    if (!out.deleted) out.deleted.emplace();
    out.deleted->push_back(std::move(deleted));
  }
  co_return out;
}

}  // namespace reef::s3::operations
