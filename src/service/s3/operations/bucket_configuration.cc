// A bucket's configurations, each stored as given and returned as stored.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
// and their neighbours.
#include <algorithm>

#include "base/random.h"
#include "service/s3/acl.h"
#include "service/s3/errors.h"
#include "service/s3/notifications.h"
#include "service/s3/object_headers.h"
#include "service/s3/operations/operations.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3::operations {
namespace {

aws::Error absent(const char* code, const char* message, const std::string& bucket) {
  aws::Error error(code, message, 404);
  error.fields.set("BucketName", bucket);
  return error;
}

Task<Reply<void>> store(S3& s3, const Call& call, std::string bucket, std::string name, std::string text) {
  CO_TRY(find_bucket(s3, call, bucket));
  const auto changed = co_await s3.blobs.change_bucket(
      bucket, [&](blob::Bucket& edited) { edited.settings[name] = std::move(text); });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = bucket}));
  co_return Reply<void>{};
}

Task<Reply<void>> drop(S3& s3, const Call& call, std::string bucket, std::string name) {
  CO_TRY(find_bucket(s3, call, bucket));
  const auto changed = co_await s3.blobs.change_bucket(bucket, [&](blob::Bucket& edited) { edited.settings.erase(name); });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = bucket}));
  if (call.http_response) call.http_response->status = 204;
  co_return Reply<void>{};
}

template <class Out>
Reply<Out> load(const S3& s3, const Call& call, const std::string& bucket_name, const char* name, const char* code,
                const char* message) {
  const blob::BucketPtr bucket = TRY(find_bucket(s3, call, bucket_name));
  Out out;
  if (!read_configuration(*bucket, name, out)) return Err(absent(code, message, bucket_name));
  return out;
}

}  // namespace

// --- versioning

Task<Reply<model::PutBucketVersioningOutput>> put_bucket_versioning(S3& s3, const model::PutBucketVersioningInput& in,
                                                                    const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  const auto& wanted = in.versioning_configuration;
  if (wanted.status && *wanted.status != "Enabled" && *wanted.status != "Suspended") co_return Err(malformed_xml());
  if (wanted.status != "Enabled" && wanted.status != "Suspended")
    co_return Err(aws::Error("IllegalVersioningConfigurationException",
                             "The Versioning element must be specified", 400));
  const bool enable = wanted.status == "Enabled";
  bool is_locked = false;
  const auto changed = co_await s3.blobs.change_bucket(in.bucket, [&](blob::Bucket& bucket) {
    is_locked = !enable && bucket.settings.contains(setting::kObjectLock);
    if (!is_locked) bucket.versioning = enable ? blob::Versioning::kEnabled : blob::Versioning::kSuspended;
  });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = in.bucket}));
  if (is_locked)
    co_return Err(aws::Error("InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.", 409));
  co_return model::PutBucketVersioningOutput{};
}

Task<Reply<model::GetBucketVersioningOutput>> get_bucket_versioning(S3& s3, const model::GetBucketVersioningInput& in,
                                                                    const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::GetBucketVersioningOutput out;
  if (bucket->versioning == blob::Versioning::kEnabled) out.status = "Enabled";
  if (bucket->versioning == blob::Versioning::kSuspended) out.status = "Suspended";
  co_return out;
}

// --- tags

Task<Reply<model::PutBucketTaggingOutput>> put_bucket_tagging(S3& s3, const model::PutBucketTaggingInput& in, const Call& call) {
  CO_TRY(tags_text(in.tagging.tag_set, 50));
  // Recorded: no tags are as if they were deleted.
  if (in.tagging.tag_set.empty()) CO_TRY(co_await drop(s3, call, in.bucket, setting::kTags));
  else CO_TRY(co_await store(s3, call, in.bucket, setting::kTags, configuration_text(in.tagging)));
  if (call.http_response) call.http_response->status = 204;
  co_return model::PutBucketTaggingOutput{};
}

Task<Reply<model::GetBucketTaggingOutput>> get_bucket_tagging(S3& s3, const model::GetBucketTaggingInput& in, const Call& call) {
  co_return load<model::GetBucketTaggingOutput>(s3, call, in.bucket, setting::kTags, "NoSuchTagSet", "The TagSet does not exist");
}

Task<Reply<model::DeleteBucketTaggingOutput>> delete_bucket_tagging(S3& s3, const model::DeleteBucketTaggingInput& in,
                                                                    const Call& call) {
  CO_TRY(co_await drop(s3, call, in.bucket, setting::kTags));
  co_return model::DeleteBucketTaggingOutput{};
}

// --- cors

Task<Reply<model::PutBucketCorsOutput>> put_bucket_cors(S3& s3, const model::PutBucketCorsInput& in, const Call& call) {
  constexpr std::string_view kMethods[] = {"GET", "PUT", "HEAD", "POST", "DELETE"};
  if (in.cors_configuration.cors_rules.empty()) co_return Err(malformed_xml());
  for (const model::CORSRule& rule : in.cors_configuration.cors_rules) {
    if (rule.allowed_methods.empty() || rule.allowed_origins.empty()) co_return Err(malformed_xml());
    for (const std::string& method : rule.allowed_methods)
      if (std::ranges::find(kMethods, method) == std::end(kMethods))
        co_return Err(invalid_request("Found unsupported HTTP method in CORS config. Unsupported method is " + method));
  }
  CO_TRY(co_await store(s3, call, in.bucket, setting::kCors, configuration_text(in.cors_configuration)));
  co_return model::PutBucketCorsOutput{};
}

Task<Reply<model::GetBucketCorsOutput>> get_bucket_cors(S3& s3, const model::GetBucketCorsInput& in, const Call& call) {
  co_return load<model::GetBucketCorsOutput>(s3, call, in.bucket, setting::kCors, "NoSuchCORSConfiguration",
                                             "The CORS configuration does not exist");
}

Task<Reply<model::DeleteBucketCorsOutput>> delete_bucket_cors(S3& s3, const model::DeleteBucketCorsInput& in, const Call& call) {
  CO_TRY(co_await drop(s3, call, in.bucket, setting::kCors));
  co_return model::DeleteBucketCorsOutput{};
}

// --- policy

Task<Reply<model::PutBucketPolicyOutput>> put_bucket_policy(S3& s3, const model::PutBucketPolicyInput& in, const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  const auto policy = wire::Json::parse(in.policy);
  if (!policy || !policy->is_object())
    co_return Err(aws::Error("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400));
  if (!policy->contains("Statement"))
    co_return Err(aws::Error("MalformedPolicy", "Missing required field Statement", 400));
  CO_TRY(co_await store(s3, call, in.bucket, setting::kPolicy, in.policy));
  if (call.http_response) call.http_response->status = 204;
  co_return model::PutBucketPolicyOutput{};
}

Task<Reply<model::GetBucketPolicyOutput>> get_bucket_policy(S3& s3, const model::GetBucketPolicyInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto found = bucket->settings.find(setting::kPolicy);
  if (found == bucket->settings.end()) co_return Err(absent("NoSuchBucketPolicy", "The bucket policy does not exist", in.bucket));
  if (call.http_response) call.http_response->set("Content-Type", "application/json");
  co_return model::GetBucketPolicyOutput{.policy = found->second};
}

Task<Reply<model::GetBucketPolicyStatusOutput>> get_bucket_policy_status(S3& s3, const model::GetBucketPolicyStatusInput& in,
                                                                         const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto found = bucket->settings.find(setting::kPolicy);
  if (found == bucket->settings.end()) co_return Err(absent("NoSuchBucketPolicy", "The bucket policy does not exist", in.bucket));
  // Public: some statement allows everybody without a condition.
  const wire::Json policy = wire::Json::parse(found->second).value_or(wire::Json());
  const wire::Json statements = policy["Statement"].is_array() ? policy["Statement"] : wire::Json::array({policy["Statement"]});
  const bool is_public = std::ranges::any_of(statements.as_array(), [](const wire::Json& statement) {
    const wire::Json& principal = statement["Principal"];
    const bool everybody = principal.as_string() == "*" || principal["AWS"].as_string() == "*";
    return statement.text("Effect") == "Allow" && everybody && !statement.contains("Condition");
  });
  co_return model::GetBucketPolicyStatusOutput{.policy_status = model::PolicyStatus{.is_public = is_public}};
}

Task<Reply<model::DeleteBucketPolicyOutput>> delete_bucket_policy(S3& s3, const model::DeleteBucketPolicyInput& in,
                                                                  const Call& call) {
  CO_TRY(co_await drop(s3, call, in.bucket, setting::kPolicy));
  co_return model::DeleteBucketPolicyOutput{};
}

// --- encryption

Task<Reply<model::PutBucketEncryptionOutput>> put_bucket_encryption(S3& s3, const model::PutBucketEncryptionInput& in,
                                                                    const Call& call) {
  if (in.server_side_encryption_configuration.rules.empty()) co_return Err(malformed_xml());
  CO_TRY(co_await store(s3, call, in.bucket, setting::kEncryption, configuration_text(in.server_side_encryption_configuration)));
  co_return model::PutBucketEncryptionOutput{};
}

Task<Reply<model::GetBucketEncryptionOutput>> get_bucket_encryption(S3& s3, const model::GetBucketEncryptionInput& in,
                                                                    const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::ServerSideEncryptionConfiguration configuration;
  // Every bucket has had this default since January 2023.
  if (!read_configuration(*bucket, setting::kEncryption, configuration))
    configuration.rules.push_back({.apply_server_side_encryption_by_default = model::ServerSideEncryptionByDefault{.sse_algorithm = "AES256"},
                                   .bucket_key_enabled = false});
  co_return model::GetBucketEncryptionOutput{.server_side_encryption_configuration = std::move(configuration)};
}

Task<Reply<model::DeleteBucketEncryptionOutput>> delete_bucket_encryption(S3& s3, const model::DeleteBucketEncryptionInput& in,
                                                                          const Call& call) {
  CO_TRY(co_await drop(s3, call, in.bucket, setting::kEncryption));
  co_return model::DeleteBucketEncryptionOutput{};
}

// --- lifecycle

Task<Reply<model::PutBucketLifecycleConfigurationOutput>> put_bucket_lifecycle_configuration(
    S3& s3, const model::PutBucketLifecycleConfigurationInput& in, const Call& call) {
  if (!in.lifecycle_configuration || in.lifecycle_configuration->rules.empty()) co_return Err(malformed_xml());
  model::BucketLifecycleConfiguration configuration = *in.lifecycle_configuration;
  for (model::LifecycleRule& rule : configuration.rules)
    if (!rule.id || rule.id->empty()) rule.id = make_uuid(thread_random());
  CO_TRY(co_await store(s3, call, in.bucket, setting::kLifecycle, configuration_text(configuration)));
  co_return model::PutBucketLifecycleConfigurationOutput{.transition_default_minimum_object_size =
                                                             in.transition_default_minimum_object_size.value_or(
                                                                 "all_storage_classes_128K")};
}

Task<Reply<model::GetBucketLifecycleConfigurationOutput>> get_bucket_lifecycle_configuration(
    S3& s3, const model::GetBucketLifecycleConfigurationInput& in, const Call& call) {
  auto out = load<model::GetBucketLifecycleConfigurationOutput>(s3, call, in.bucket, setting::kLifecycle,
                                                                "NoSuchLifecycleConfiguration",
                                                                "The lifecycle configuration does not exist");
  if (out) out->transition_default_minimum_object_size = "all_storage_classes_128K";
  co_return out;
}

Task<Reply<model::DeleteBucketLifecycleOutput>> delete_bucket_lifecycle(S3& s3, const model::DeleteBucketLifecycleInput& in,
                                                                        const Call& call) {
  CO_TRY(co_await drop(s3, call, in.bucket, setting::kLifecycle));
  co_return model::DeleteBucketLifecycleOutput{};
}

// --- website

Task<Reply<model::PutBucketWebsiteOutput>> put_bucket_website(S3& s3, const model::PutBucketWebsiteInput& in, const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kWebsite, configuration_text(in.website_configuration)));
  co_return model::PutBucketWebsiteOutput{};
}

Task<Reply<model::GetBucketWebsiteOutput>> get_bucket_website(S3& s3, const model::GetBucketWebsiteInput& in, const Call& call) {
  co_return load<model::GetBucketWebsiteOutput>(s3, call, in.bucket, setting::kWebsite, "NoSuchWebsiteConfiguration",
                                                "The specified bucket does not have a website configuration");
}

Task<Reply<model::DeleteBucketWebsiteOutput>> delete_bucket_website(S3& s3, const model::DeleteBucketWebsiteInput& in,
                                                                    const Call& call) {
  CO_TRY(co_await drop(s3, call, in.bucket, setting::kWebsite));
  co_return model::DeleteBucketWebsiteOutput{};
}

// --- notification

Task<Reply<model::PutBucketNotificationConfigurationOutput>> put_bucket_notification_configuration(
    S3& s3, const model::PutBucketNotificationConfigurationInput& in, const Call& call) {
  model::NotificationConfiguration configuration = in.notification_configuration;
  const auto name_each = [](auto& list) {
    if (!list) return;
    for (auto& one : *list)
      if (!one.id || one.id->empty()) one.id = make_uuid(thread_random());
  };
  name_each(configuration.topic_configurations);
  name_each(configuration.queue_configurations);
  name_each(configuration.lambda_function_configurations);
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  if (!in.skip_destination_validation.value_or(false)) CO_TRY(co_await s3.notifications->check(call, *bucket, configuration));
  CO_TRY(co_await store(s3, call, in.bucket, setting::kNotification, configuration_text(configuration)));
  co_return model::PutBucketNotificationConfigurationOutput{};
}

Task<Reply<model::NotificationConfiguration>> get_bucket_notification_configuration(
    S3& s3, const model::GetBucketNotificationConfigurationInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::NotificationConfiguration out;
  read_configuration(*bucket, setting::kNotification, out);
  co_return out;
}

// --- public access, ownership

Task<Reply<model::PutPublicAccessBlockOutput>> put_public_access_block(S3& s3, const model::PutPublicAccessBlockInput& in,
                                                                       const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kPublicAccess, configuration_text(in.public_access_block_configuration)));
  co_return model::PutPublicAccessBlockOutput{};
}

Task<Reply<model::GetPublicAccessBlockOutput>> get_public_access_block(S3& s3, const model::GetPublicAccessBlockInput& in,
                                                                       const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto stored = bucket->settings.find(setting::kPublicAccess);
  if (stored != bucket->settings.end() && stored->second.empty())  // taken away
    co_return Err(absent("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", in.bucket));
  model::PublicAccessBlockConfiguration configuration;
  if (!read_configuration(*bucket, setting::kPublicAccess, configuration)) configuration = {true, true, true, true};
  for (auto* flag : {&configuration.block_public_acls, &configuration.ignore_public_acls, &configuration.block_public_policy,
                     &configuration.restrict_public_buckets})
    if (!*flag) *flag = false;
  co_return model::GetPublicAccessBlockOutput{.public_access_block_configuration = configuration};
}

Task<Reply<model::DeletePublicAccessBlockOutput>> delete_public_access_block(S3& s3, const model::DeletePublicAccessBlockInput& in,
                                                                             const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kPublicAccess, ""));
  if (call.http_response) call.http_response->status = 204;
  co_return model::DeletePublicAccessBlockOutput{};
}

Task<Reply<model::PutBucketOwnershipControlsOutput>> put_bucket_ownership_controls(
    S3& s3, const model::PutBucketOwnershipControlsInput& in, const Call& call) {
  if (in.ownership_controls.rules.size() != 1) co_return Err(malformed_xml());
  CO_TRY(co_await store(s3, call, in.bucket, setting::kOwnership, configuration_text(in.ownership_controls)));
  co_return model::PutBucketOwnershipControlsOutput{};
}

Task<Reply<model::GetBucketOwnershipControlsOutput>> get_bucket_ownership_controls(
    S3& s3, const model::GetBucketOwnershipControlsInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto stored = bucket->settings.find(setting::kOwnership);
  if (stored != bucket->settings.end() && stored->second.empty())  // taken away
    co_return Err(absent("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", in.bucket));
  model::OwnershipControls controls;
  if (!read_configuration(*bucket, setting::kOwnership, controls)) controls.rules = {{"BucketOwnerEnforced"}};
  co_return model::GetBucketOwnershipControlsOutput{.ownership_controls = std::move(controls)};
}

Task<Reply<model::DeleteBucketOwnershipControlsOutput>> delete_bucket_ownership_controls(
    S3& s3, const model::DeleteBucketOwnershipControlsInput& in, const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kOwnership, ""));
  if (call.http_response) call.http_response->status = 204;
  co_return model::DeleteBucketOwnershipControlsOutput{};
}

// --- acl

Task<Reply<model::PutBucketAclOutput>> put_bucket_acl(S3& s3, const model::PutBucketAclInput& in, const Call& call) {
  std::string text = CO_TRY(acl_text(in));
  CO_TRY(co_await store(s3, call, in.bucket, setting::kAcl, std::move(text)));
  co_return model::PutBucketAclOutput{};
}

Task<Reply<model::GetBucketAclOutput>> get_bucket_acl(S3& s3, const model::GetBucketAclInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto stored = bucket->settings.find(setting::kAcl);
  model::AccessControlPolicy policy = acl_policy(stored == bucket->settings.end() ? nullptr : &stored->second, bucket->account);
  co_return model::GetBucketAclOutput{.owner = std::move(policy.owner), .grants = std::move(policy.grants)};
}

// --- logging, acceleration, payment

Task<Reply<model::PutBucketLoggingOutput>> put_bucket_logging(S3& s3, const model::PutBucketLoggingInput& in, const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kLogging, configuration_text(in.bucket_logging_status)));
  co_return model::PutBucketLoggingOutput{};
}

Task<Reply<model::GetBucketLoggingOutput>> get_bucket_logging(S3& s3, const model::GetBucketLoggingInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::GetBucketLoggingOutput out;
  read_configuration(*bucket, setting::kLogging, out);
  co_return out;
}

Task<Reply<model::PutBucketAccelerateConfigurationOutput>> put_bucket_accelerate_configuration(
    S3& s3, const model::PutBucketAccelerateConfigurationInput& in, const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kAccelerate, configuration_text(in.accelerate_configuration)));
  co_return model::PutBucketAccelerateConfigurationOutput{};
}

Task<Reply<model::GetBucketAccelerateConfigurationOutput>> get_bucket_accelerate_configuration(
    S3& s3, const model::GetBucketAccelerateConfigurationInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::GetBucketAccelerateConfigurationOutput out;
  read_configuration(*bucket, setting::kAccelerate, out);
  co_return out;
}

Task<Reply<model::PutBucketRequestPaymentOutput>> put_bucket_request_payment(S3& s3, const model::PutBucketRequestPaymentInput& in,
                                                                             const Call& call) {
  CO_TRY(co_await store(s3, call, in.bucket, setting::kRequestPayment, configuration_text(in.request_payment_configuration)));
  co_return model::PutBucketRequestPaymentOutput{};
}

Task<Reply<model::GetBucketRequestPaymentOutput>> get_bucket_request_payment(S3& s3, const model::GetBucketRequestPaymentInput& in,
                                                                             const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::GetBucketRequestPaymentOutput out{.payer = "BucketOwner"};
  read_configuration(*bucket, setting::kRequestPayment, out);
  co_return out;
}

// --- what no bucket here has

Task<Reply<model::GetBucketReplicationOutput>> get_bucket_replication(S3& s3, const model::GetBucketReplicationInput& in,
                                                                      const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  co_return Err(absent("ReplicationConfigurationNotFoundError", "The replication configuration was not found", in.bucket));
}

Task<Reply<model::DeleteBucketReplicationOutput>> delete_bucket_replication(S3& s3, const model::DeleteBucketReplicationInput& in,
                                                                            const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  if (call.http_response) call.http_response->status = 204;
  co_return model::DeleteBucketReplicationOutput{};
}

}  // namespace reef::s3::operations
