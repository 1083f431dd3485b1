// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
#include <algorithm>

#include "base/encoding.h"
#include "service/cloudwatch/operations.h"

namespace reef::service::cloudwatch::operations {
namespace {

constexpr std::size_t kMetricsPage = 500;
constexpr std::int64_t kShown = 14 * metrics::kDay, kRecently = 3 * 3600;

bool passes_filters(const model::ListMetricsInput& in, const metrics::MetricId& id) {
  if (in.namespace_ && *in.namespace_ != id.space) return false;
  if (in.metric_name && *in.metric_name != id.name) return false;
  if (!in.dimensions) return true;
  return std::all_of(in.dimensions->begin(), in.dimensions->end(), [&](const model::DimensionFilter& filter) {
    return std::any_of(id.dimensions.begin(), id.dimensions.end(),
                       [&](const auto& dimension) { return dimension.first == filter.name && (!filter.value || *filter.value == dimension.second); });
  });
}

}  // namespace

Task<Reply<model::ListMetricsOutput>> ListMetrics(Cloudwatch& service, const model::ListMetricsInput& in, const Call& call) {
  if (in.include_linked_accounts.value_or(false)) co_return Err(aws::not_implemented("IncludeLinkedAccounts of ListMetrics"));
  std::string after;
  if (in.next_token) {
    const auto decoded = base64url_decode(*in.next_token);
    if (!decoded) co_return Err(invalid_value("The value for parameter NextToken is invalid."));
    after = *decoded;
  }
  co_await service.counters.collect();
  const std::string scope = scope_of(call);
  const std::int64_t oldest = to_seconds(call.now) - (in.recently_active ? kRecently : kShown);
  std::vector<std::pair<std::string, const metrics::MetricId*>> found;
  service.metrics.each_metric([&](const metrics::Metric& metric) {
    if (metric.id.scope != scope || metric.last_second < oldest || !passes_filters(in, metric.id)) return;
    std::string key = metric.id.key();
    if (key > after) found.emplace_back(std::move(key), &metric.id);
  });
  std::sort(found.begin(), found.end());
  model::ListMetricsOutput out;
  auto& metrics = out.metrics.emplace();
  for (std::size_t i = 0; i < std::min(found.size(), kMetricsPage); ++i) {
    const metrics::MetricId& id = *found[i].second;
    metrics.push_back({.namespace_ = id.space, .metric_name = id.name, .dimensions = to_model(id.dimensions)});
  }
  if (found.size() > kMetricsPage) out.next_token = base64url_encode(found[kMetricsPage - 1].first);
  co_return out;
}

}  // namespace reef::service::cloudwatch::operations
