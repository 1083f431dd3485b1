// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
#include <fmt/format.h>

#include "engine/metrics/statistic.h"
#include "service/cloudwatch/operations.h"

namespace reef::service::cloudwatch::operations {
namespace {

constexpr std::int64_t kPointsOfStatisticsMax = 1440;

Reply<void> check(const model::GetMetricStatisticsInput& in, std::int64_t from, std::int64_t to) {
  const bool has_statistics = in.statistics && !in.statistics->empty(), has_extended = in.extended_statistics && !in.extended_statistics->empty();
  if (!has_statistics && !has_extended)
    return Err(invalid_combination("At least one of the parameters Statistics and ExtendedStatistics must be specified."));
  if (from >= to) return Err(invalid_value("The parameter StartTime must be less than the parameter EndTime."));
  if (!is_period(in.period)) return Err(invalid_value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."));
  const std::int64_t datapoints = (to - from) / in.period;
  if (datapoints > kPointsOfStatisticsMax)
    return Err(invalid_combination(fmt::format("You have requested up to {} datapoints, which exceeds the limit of {}. You may reduce the datapoints requested by "
                                               "increasing Period, or decreasing the time range.", datapoints, kPointsOfStatisticsMax)));
  if (has_extended)
    for (const std::string& name : *in.extended_statistics) {
      const auto statistic = metrics::parse_statistic(name);
      if (!statistic || !statistic->is_extended()) return Err(invalid_value(fmt::format("The value {} for parameter ExtendedStatistics is not supported.", name)));
    }
  return {};
}

model::Datapoint to_datapoint(const model::GetMetricStatisticsInput& in, const metrics::Bucket& bucket, metrics::Unit unit) {
  model::Datapoint out;
  out.timestamp = from_seconds(bucket.second);
  out.unit = std::string(metrics::unit_name(unit));
  if (in.statistics)
    for (const std::string& name : *in.statistics) {
      const auto value = metrics::compute(*metrics::parse_statistic(name), bucket);
      if (name == "SampleCount") out.sample_count = value;
      else if (name == "Average") out.average = value;
      else if (name == "Sum") out.sum = value;
      else if (name == "Minimum") out.minimum = value;
      else out.maximum = value;
    }
  if (in.extended_statistics)
    for (const std::string& name : *in.extended_statistics)
      if (const auto value = metrics::compute(*metrics::parse_statistic(name), bucket)) {
        if (!out.extended_statistics) out.extended_statistics.emplace();
        out.extended_statistics->insert_or_assign(name, *value);
      }
  return out;
}

}  // namespace

Task<Reply<model::GetMetricStatisticsOutput>> GetMetricStatistics(Cloudwatch& service, const model::GetMetricStatisticsInput& in, const Call& call) {
  const std::int64_t to = to_seconds(in.end_time);
  const std::int64_t from = round_start(to_seconds(in.start_time), to_seconds(call.now), in.period);
  CO_TRY(check(in, from, to));
  co_await service.counters.collect();
  const metrics::MetricId id = metric_id(scope_of(call), in.namespace_, in.metric_name, in.dimensions);
  const auto wanted = in.unit ? metrics::parse_unit(*in.unit) : std::nullopt;
  model::GetMetricStatisticsOutput out;
  out.label = in.metric_name;
  auto& datapoints = out.datapoints.emplace();
  for (const metrics::Unit unit : service.metrics.units(id)) {
    if (wanted && unit != *wanted) continue;
    for (const metrics::Bucket& bucket : service.metrics.read(id, unit, from, to, in.period)) datapoints.push_back(to_datapoint(in, bucket, unit));
  }
  co_return out;
}

}  // namespace reef::service::cloudwatch::operations
