// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
#include "service/s3/object_lock.h"

#include "service/s3/operations/operations.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3::operations {
namespace {

constexpr int kDaysMax = 36500, kYearsMax = 100;

Reply<void> check_period(std::optional<int> period, int most, std::string_view name) {
  if (period && *period < 1) return Err(invalid_argument("Default retention period must be a positive integer value.", name, std::to_string(*period)));
  if (period && *period > most) return Err(invalid_argument("Default retention period is too large.", name, std::to_string(*period)));
  return {};
}

Reply<void> check_configuration(const model::ObjectLockConfiguration& configuration) {
  if (configuration.object_lock_enabled != "Enabled") return Err(malformed_xml());
  if (!configuration.rule) return {};
  if (!configuration.rule->default_retention) return Err(malformed_xml());
  const model::DefaultRetention& rule = *configuration.rule->default_retention;
  if (!rule.mode || rule.days.has_value() == rule.years.has_value()) return Err(malformed_xml());
  TRY(is_compliance_mode(*rule.mode));
  TRY(check_period(rule.days, kDaysMax, "Days"));
  return check_period(rule.years, kYearsMax, "Years");
}

struct Locked {
  blob::BucketPtr bucket;
  blob::Object object;
};

// The version that is meant, of a bucket whose objects can be locked.
template <class In>
Reply<Locked> find_version(S3& s3, const In& in, const Call& call) {
  Locked found{TRY(find_bucket(s3, call, in.bucket)), {}};
  if (!found.bucket->settings.contains(setting::kObjectLock)) return Err(lacks_lock_configuration());
  auto object = s3.blobs.find(*found.bucket, in.key, in.version_id);
  if (!object && in.version_id && !blob::is_version_id(*in.version_id))
    return Err(invalid_argument("Invalid version id specified", "versionId", *in.version_id));
  if (!object) return Err(in.version_id ? no_such_version(in.key, *in.version_id) : no_such_key(in.key));
  if (object->is_delete_marker) {
    if (call.http_response) call.http_response->set("x-amz-delete-marker", "true");
    if (call.http_response) call.http_response->set("Allow", "DELETE");
    return Err(marker_refuses(call.http_request ? call.http_request->method : "GET"));
  }
  found.object = *std::move(object);
  return found;
}

aws::Error has_no_lock() { return {"NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404}; }

}  // namespace

Task<Reply<model::PutObjectLockConfigurationOutput>> put_object_lock_configuration(S3& s3, const model::PutObjectLockConfigurationInput& in,
                                                                                   const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  if (!in.object_lock_configuration) co_return Err(malformed_xml());
  CO_TRY(check_configuration(*in.object_lock_configuration));
  bool is_versioned = false;
  const auto changed = co_await s3.blobs.change_bucket(in.bucket, [&](blob::Bucket& bucket) {
    is_versioned = bucket.versioning == blob::Versioning::kEnabled;
    if (is_versioned) bucket.settings[setting::kObjectLock] = configuration_text(*in.object_lock_configuration);
  });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = in.bucket}));
  if (!is_versioned)
    co_return Err(aws::Error("InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409));
  co_return model::PutObjectLockConfigurationOutput{};
}

Task<Reply<model::GetObjectLockConfigurationOutput>> get_object_lock_configuration(S3& s3, const model::GetObjectLockConfigurationInput& in,
                                                                                   const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  auto configuration = lock_configuration(*bucket);
  if (!configuration) {
    aws::Error error("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", 404);
    error.fields.set("BucketName", in.bucket);
    co_return Err(std::move(error));
  }
  co_return model::GetObjectLockConfigurationOutput{.object_lock_configuration = *std::move(configuration)};
}

Task<Reply<model::PutObjectRetentionOutput>> put_object_retention(S3& s3, const model::PutObjectRetentionInput& in, const Call& call) {
  const Locked found = CO_TRY(find_version(s3, in, call));
  std::optional<Retention> next;
  if (!in.retention || in.retention->mode.has_value() != in.retention->retain_until_date.has_value()) co_return Err(malformed_xml());
  if (in.retention->mode) {
    next = Retention{CO_TRY(is_compliance_mode(*in.retention->mode)), *in.retention->retain_until_date};
    CO_TRY(check_is_to_come(next->until, call.now, "RetainUntilDate"));
  }
  const bool bypasses = in.bypass_governance_retention.value_or(false);
  const auto changed = co_await s3.blobs.change(
      found.bucket, in.key, found.object.version_id, [&](blob::Object& object) { set_retention(object.properties, next); },
      [&](const blob::Object& object) { return may_retain(object, next, bypasses, call.now); });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = in.bucket, .key = in.key, .version = found.object.version_id}));
  co_return model::PutObjectRetentionOutput{};
}

Task<Reply<model::GetObjectRetentionOutput>> get_object_retention(S3& s3, const model::GetObjectRetentionInput& in, const Call& call) {
  const Locked found = CO_TRY(find_version(s3, in, call));
  const auto retention = retention_of(found.object.properties);
  if (!retention) co_return Err(has_no_lock());
  co_return model::GetObjectRetentionOutput{.retention = model::ObjectLockRetention{.mode = mode_name(*retention), .retain_until_date = retention->until}};
}

Task<Reply<model::PutObjectLegalHoldOutput>> put_object_legal_hold(S3& s3, const model::PutObjectLegalHoldInput& in, const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  if (!in.legal_hold || (in.legal_hold->status != "ON" && in.legal_hold->status != "OFF")) co_return Err(malformed_xml());
  const Locked found = CO_TRY(find_version(s3, in, call));
  const auto changed = co_await s3.blobs.change(found.bucket, in.key, found.object.version_id, [&](blob::Object& object) {
    object.properties[property::kLegalHold] = *in.legal_hold->status;
  });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = in.bucket, .key = in.key, .version = found.object.version_id}));
  co_return model::PutObjectLegalHoldOutput{};
}

Task<Reply<model::GetObjectLegalHoldOutput>> get_object_legal_hold(S3& s3, const model::GetObjectLegalHoldInput& in, const Call& call) {
  const Locked found = CO_TRY(find_version(s3, in, call));
  const auto status = property_of(found.object.properties, property::kLegalHold);
  if (!status) co_return Err(has_no_lock());
  co_return model::GetObjectLegalHoldOutput{.legal_hold = model::ObjectLockLegalHold{.status = *status}};
}

}  // namespace reef::s3::operations
