// Which requests are counted (request_metrics.h).
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketMetricsConfiguration.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketMetricsConfiguration.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketMetricsConfigurations.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketMetricsConfiguration.html
#include <algorithm>

#include "base/encoding.h"
#include "service/s3/errors.h"
#include "service/s3/operations/operations.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3::operations {
namespace {

constexpr std::size_t kConfigurationsMax = 1000, kPageMax = 100, kIdMax = 64;

aws::Error no_such_configuration() { return {"NoSuchConfiguration", "The specified configuration does not exist.", 404}; }

std::string setting_of(std::string_view id) { return std::string(setting::kMetrics).append(id); }

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= kIdMax && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
  });
}

Reply<void> check_filter(const model::MetricsFilter& filter) {
  if (filter.access_point_arn || (filter.and_ && filter.and_->access_point_arn))
    return Err(aws::not_implemented("Metrics configurations of access points (AccessPointArn)"));
  if (filter.prefix.has_value() + filter.tag.has_value() + filter.and_.has_value() != 1) return Err(malformed_xml());
  if (!filter.and_) return {};
  const std::size_t tags = filter.and_->tags ? filter.and_->tags->size() : 0;
  if (filter.and_->prefix.has_value() + tags < 2) return Err(malformed_xml());
  return {};
}

std::size_t count_of(const blob::Bucket& bucket) {
  std::size_t count = 0;
  for (auto at = bucket.settings.lower_bound(setting::kMetrics); at != bucket.settings.end() && at->first.starts_with(setting::kMetrics); ++at) ++count;
  return count;
}

}  // namespace

Task<Reply<model::PutBucketMetricsConfigurationOutput>> put_bucket_metrics_configuration(
    S3& s3, const model::PutBucketMetricsConfigurationInput& in, const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  if (!is_id(in.id)) co_return Err(invalid_argument("Invalid metrics configuration id.", "id", in.id));
  if (in.metrics_configuration.id != in.id)
    co_return Err(invalid_argument("The id in the request does not match the id of the metrics configuration.", "id", in.id));
  if (in.metrics_configuration.filter) CO_TRY(check_filter(*in.metrics_configuration.filter));
  const std::string name = setting_of(in.id);
  bool are_too_many = false;
  const auto changed = co_await s3.blobs.change_bucket(in.bucket, [&](blob::Bucket& bucket) {
    are_too_many = !bucket.settings.contains(name) && count_of(bucket) >= kConfigurationsMax;
    if (!are_too_many) bucket.settings[name] = configuration_text(in.metrics_configuration);
  });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = in.bucket}));
  if (are_too_many)
    co_return Err(aws::Error("TooManyConfigurations", "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.", 400));
  if (call.http_response) call.http_response->status = 204;
  co_return model::PutBucketMetricsConfigurationOutput{};
}

Task<Reply<model::GetBucketMetricsConfigurationOutput>> get_bucket_metrics_configuration(
    S3& s3, const model::GetBucketMetricsConfigurationInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  model::GetBucketMetricsConfigurationOutput out;
  if (!read_configuration(*bucket, setting_of(in.id), out.metrics_configuration.emplace())) co_return Err(no_such_configuration());
  co_return out;
}

Task<Reply<model::ListBucketMetricsConfigurationsOutput>> list_bucket_metrics_configurations(
    S3& s3, const model::ListBucketMetricsConfigurationsInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  std::string after(setting::kMetrics);
  if (in.continuation_token) {
    const auto last = base64_decode(*in.continuation_token);
    if (!last || !is_id(*last))
      co_return Err(invalid_argument("The continuation token provided is incorrect", "continuation-token", *in.continuation_token));
    after += *last;
  }
  model::ListBucketMetricsConfigurationsOutput out;
  out.continuation_token = in.continuation_token;
  out.is_truncated = false;
  std::string last;
  for (auto at = bucket->settings.upper_bound(after); at != bucket->settings.end() && at->first.starts_with(setting::kMetrics); ++at) {
    if (!out.metrics_configuration_list) out.metrics_configuration_list.emplace();
    if (out.metrics_configuration_list->size() == kPageMax) {
      out.is_truncated = true;
      out.next_continuation_token = base64_encode(last);
      break;
    }
    model::MetricsConfiguration& one = out.metrics_configuration_list->emplace_back();
    read_configuration(*bucket, at->first, one);
    last = one.id;
  }
  co_return out;
}

Task<Reply<model::DeleteBucketMetricsConfigurationOutput>> delete_bucket_metrics_configuration(
    S3& s3, const model::DeleteBucketMetricsConfigurationInput& in, const Call& call) {
  CO_TRY(find_bucket(s3, call, in.bucket));
  bool existed = false;
  const auto changed = co_await s3.blobs.change_bucket(in.bucket, [&](blob::Bucket& bucket) { existed = bucket.settings.erase(setting_of(in.id)) > 0; });
  if (!changed) co_return Err(to_error(changed.error(), {.bucket = in.bucket}));
  if (!existed) co_return Err(no_such_configuration());
  if (call.http_response) call.http_response->status = 204;
  co_return model::DeleteBucketMetricsConfigurationOutput{};
}

}  // namespace reef::s3::operations
