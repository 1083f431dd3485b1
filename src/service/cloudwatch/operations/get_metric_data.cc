// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "service/cloudwatch/data_query.h"
#include "service/cloudwatch/operations.h"

namespace reef::service::cloudwatch::operations {
namespace {

constexpr std::int32_t kDatapointsMax = 100'800;
constexpr std::size_t kQueriesMax = 500;

}  // namespace

Task<Reply<model::GetMetricDataOutput>> GetMetricData(Cloudwatch& service, const model::GetMetricDataInput& in, const Call& call) {
  const std::int64_t from = to_seconds(in.start_time), to = to_seconds(in.end_time);
  if (from >= to) co_return Err(aws::validation_error("The parameter EndTime must be greater than StartTime."));
  if (in.metric_data_queries.size() > kQueriesMax)
    co_return Err(aws::validation_error(fmt::format("The collection MetricDataQueries must not have a size greater than {}.", kQueriesMax)));
  const std::int32_t limit = in.max_datapoints.value_or(kDatapointsMax);
  if (limit < 1 || limit > kDatapointsMax)
    co_return Err(aws::validation_error(fmt::format("The parameter MaxDatapoints must be between 1 and {}.", kDatapointsMax)));
  // The token counts the data points that earlier pages had.
  std::size_t skip = 0;
  if (in.next_token) {
    const auto decoded = base64url_decode(*in.next_token);
    const auto number = decoded ? parse_int<std::size_t>(*decoded) : std::nullopt;
    if (!number) co_return Err(aws::Error(errors::kInvalidNextToken, "The next token is invalid."));
    skip = *number;
  }
  std::int64_t zone = 0;
  if (in.label_options && in.label_options->timezone) {
    const auto offset = parse_zone(*in.label_options->timezone);
    if (!offset) co_return Err(aws::validation_error("The parameter LabelOptions.Timezone must have the form +0130 or -0800."));
    zone = *offset;
  }
  const DataQueries queries = CO_TRY(DataQueries::compile(in.metric_data_queries, scope_of(call)));
  co_await service.counters.collect();
  const std::vector<DataQueries::Answer> answers = CO_TRY(queries.evaluate(service.metrics, from, to, to_seconds(call.now), false, zone));
  const bool ascending = in.scan_by.value_or("TimestampDescending") == "TimestampAscending";
  model::GetMetricDataOutput out;
  out.messages.emplace();
  auto& results = out.metric_data_results.emplace();
  std::size_t seen = 0, room = static_cast<std::size_t>(limit);
  bool is_cut = false;
  for (const DataQueries::Answer& answer : answers) {
    const auto& points = answer.series.points;
    const std::size_t first = std::min(skip > seen ? skip - seen : 0, points.size());
    const std::size_t count = std::min(points.size() - first, room);
    // A later page has what is left, and only that.
    if (skip > 0 && first == points.size() && seen + points.size() <= skip) {
      seen += points.size();
      continue;
    }
    if (is_cut && count == 0 && !points.empty()) break;
    model::MetricDataResult& result = results.emplace_back();
    result.id = answer.id;
    result.label = answer.label;
    auto& timestamps = result.timestamps.emplace();
    auto& values = result.values.emplace();
    for (std::size_t i = first; i < first + count; ++i) {
      const auto& [second, value] = ascending ? points[i] : points[points.size() - 1 - i];
      timestamps.push_back(from_seconds(second));
      values.push_back(value);
    }
    room -= count;
    seen += points.size();
    const bool is_whole = first + count == points.size();
    result.status_code = is_whole ? "Complete" : "PartialData";
    if (!is_whole) is_cut = true;
  }
  std::size_t total = 0;
  for (const DataQueries::Answer& answer : answers) total += answer.series.points.size();
  const std::size_t shown = std::min(total, skip + static_cast<std::size_t>(limit));
  if (shown < total) out.next_token = base64url_encode(std::to_string(shown));
  co_return out;
}

}  // namespace reef::service::cloudwatch::operations
