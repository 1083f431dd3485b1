// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "service/s3/errors.h"
#include "service/s3/object_headers.h"
#include "service/s3/operations/operations.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3::operations {
namespace {

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bool is_bucket_name(std::string_view name) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() < 3 || name.size() > 63 || !is_alnum(name.front()) || !is_alnum(name.back())) return false;
  if (!std::ranges::all_of(name, [&](char c) { return is_alnum(c) || c == '-' || c == '.'; })) return false;
  if (name.find("..") != std::string_view::npos || name.starts_with("xn--") || name.ends_with("-s3alias")) return false;
  const auto parts = split(name, '.');  // not an address
  return parts.size() != 4 || !std::ranges::all_of(parts, [](std::string_view part) { return parse_int(part).has_value(); });
}

constexpr std::string_view kRegions[] = {
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1",
    "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
    "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1",
    "us-gov-west-1", "us-west-1", "us-west-2"};
bool is_region(std::string_view name) { return std::ranges::find(kRegions, name) != std::end(kRegions); }

aws::Error bucket_error(const char* code, const char* message, int status, const std::string& name) {
  aws::Error error(code, message, status);
  error.fields.set("BucketName", name);
  return error;
}

Reply<std::string> region_of(const model::CreateBucketInput& in, const Call& call) {
  const auto& configuration = in.create_bucket_configuration;
  const std::string constraint =
      configuration && configuration->location_constraint ? *configuration->location_constraint : "";
  if (constraint.empty()) {
    if (call.region != "us-east-1" && call.http_request)
      return Err(aws::Error("IllegalLocationConstraintException",
                            "The unspecified location constraint is incompatible for the region specific endpoint this "
                            "request was sent to.", 400));
    return call.region;
  }
  if (constraint == "us-east-1")
    return Err(aws::Error("InvalidLocationConstraint", "The specified location-constraint is not valid", 400));
  return constraint == "EU" ? std::string("eu-west-1") : constraint;
}

// Recorded: what CreateBucket says of the system's own tags is worded differently.
Reply<void> check_new_bucket_tags(const std::vector<model::Tag>& tags) {
  for (const model::Tag& tag : tags)
    if (tag.key.starts_with("aws:"))
      return Err(aws::Error("InvalidTag", "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove "
                                          "\"aws:\" from your tag keys and try again.", 400));
  TRY(tags_text(tags, 50));
  return {};
}

}  // namespace

Task<Reply<model::CreateBucketOutput>> create_bucket(S3& s3, const model::CreateBucketInput& in, const Call& call) {
  if (!is_bucket_name(in.bucket)) co_return Err(bucket_error("InvalidBucketName", "The specified bucket is not valid.", 400, in.bucket));
  blob::Bucket bucket;
  bucket.account = call.account;
  bucket.name = in.bucket;
  bucket.region = CO_TRY(region_of(in, call));
  bucket.created = call.now;
  if (in.object_lock_enabled_for_bucket.value_or(false)) {
    bucket.versioning = blob::Versioning::kEnabled;
    bucket.settings[setting::kObjectLock] = configuration_text(model::ObjectLockConfiguration{.object_lock_enabled = "Enabled"});
  }
  if (in.acl) bucket.settings[setting::kAcl] = wire::Json(*in.acl).dump();
  if (in.object_ownership)
    bucket.settings[setting::kOwnership] = configuration_text(model::OwnershipControls{.rules = {{*in.object_ownership}}});
  const bool has_tags = in.create_bucket_configuration && in.create_bucket_configuration->tags && !in.create_bucket_configuration->tags->empty();
  if (has_tags) CO_TRY(check_new_bucket_tags(*in.create_bucket_configuration->tags));
  if (has_tags)
    bucket.settings[setting::kTags] = configuration_text(model::Tagging{.tag_set = *in.create_bucket_configuration->tags});
  const std::string region = bucket.region;
  const auto created = co_await s3.blobs.create_bucket(std::move(bucket));
  if (!created) {
    const blob::BucketPtr existing = s3.blobs.find_bucket(in.bucket);
    if (existing && existing->account == call.account) {
      // In us-east-1, and only there, making one's own bucket again succeeds.
      if (region != "us-east-1" || existing->region != region || has_tags)
        co_return Err(bucket_error("BucketAlreadyOwnedByYou",
                                   "Your previous request to create the named bucket succeeded and you already own it.", 409,
                                   in.bucket));
    } else {
      co_return Err(to_error(blob::Refusal::kBucketExists, {.bucket = in.bucket}));
    }
  }
  co_return model::CreateBucketOutput{.location = "/" + in.bucket};
}

Task<Reply<model::DeleteBucketOutput>> delete_bucket(S3& s3, const model::DeleteBucketInput& in, const Call& call) {
  auto removed = co_await s3.blobs.remove_bucket(in.bucket);
  if (!removed && removed.error() == blob::Refusal::kBucketNotEmpty) {
    const auto bucket = s3.blobs.find_bucket(in.bucket);
    const bool has_versions = bucket && bucket->versioning != blob::Versioning::kOff;
    co_return Err(bucket_error("BucketNotEmpty", has_versions ? "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
                                                              : "The bucket you tried to delete is not empty", 409, in.bucket));
  }
  if (!removed) co_return Err(to_error(removed.error(), {.bucket = in.bucket}));
  co_return model::DeleteBucketOutput{};
}

Task<Reply<model::HeadBucketOutput>> head_bucket(S3& s3, const model::HeadBucketInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  if (call.http_response) call.http_response->set("Content-Type", "application/xml");
  co_return model::HeadBucketOutput{.bucket_region = bucket->region, .access_point_alias = false};
}

Task<Reply<model::ListBucketsOutput>> list_buckets(S3& s3, const model::ListBucketsInput& in, const Call& call) {
  if (in.bucket_region && !is_region(*in.bucket_region)) {
    aws::Error error("InvalidArgument", fmt::format("Argument value {} is not a valid AWS Region", *in.bucket_region), 400);
    error.fields.set("ArgumentName", "bucket-region");
    co_return Err(error);
  }
  model::ListBucketsOutput out;
  out.owner = owner_of(call.account);
  if (call.region != "us-east-1") out.owner->display_name.reset();
  out.buckets.emplace();
  out.prefix = in.prefix;
  const std::size_t limit = static_cast<std::size_t>(in.max_buckets.value_or(10000));
  std::string after;
  if (in.continuation_token) after = base64_decode(*in.continuation_token).value_or("");
  for (const blob::BucketPtr& bucket : s3.blobs.buckets(call.account)) {
    if (bucket->name <= after && !after.empty()) continue;
    if (in.prefix && !bucket->name.starts_with(*in.prefix)) continue;
    if (in.bucket_region && bucket->region != *in.bucket_region) continue;
    if (out.buckets->size() == limit) {
      out.continuation_token = base64_encode(*out.buckets->back().name);
      break;
    }
    model::Bucket shown{.name = bucket->name, .creation_date = bucket->created};
    if (in.max_buckets || in.prefix || in.bucket_region || in.continuation_token) shown.bucket_region = bucket->region;
    out.buckets->push_back(std::move(shown));
  }
  co_return out;
}

Task<Reply<model::GetBucketLocationOutput>> get_bucket_location(S3& s3, const model::GetBucketLocationInput& in,
                                                                const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::GetBucketLocationOutput out;
  if (bucket->region != "us-east-1") out.location_constraint = bucket->region;  // us-east-1 has no name here
  co_return out;
}

}  // namespace reef::s3::operations
