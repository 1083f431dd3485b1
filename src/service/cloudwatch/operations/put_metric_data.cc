// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
#include <cmath>

#include <fmt/format.h>

#include "service/cloudwatch/operations.h"

namespace reef::service::cloudwatch::operations {
namespace {

constexpr std::size_t kDataMax = 1000, kValuesMax = 150;
constexpr std::int64_t kPastMax = 14 * metrics::kDay, kFutureMax = 2 * 3600;
const double kValueMax = std::ldexp(1.0, 360);

bool is_number(double value) { return std::isfinite(value) && std::fabs(value) <= kValueMax; }

Reply<void> check_number(double value, std::size_t member, std::string_view name) {
  if (is_number(value)) return {};
  const std::string text = std::isnan(value) ? "NaN" : std::isinf(value) ? (value < 0 ? "-Infinity" : "Infinity") : fmt::format("{}", value);
  return Err(invalid_value(fmt::format("The value {} for parameter MetricData.member.{}.{} is invalid.", text, member, name)));
}

Reply<void> exclusive(bool a, bool b, std::size_t member, std::string_view a_name, std::string_view b_name) {
  if (!a || !b) return {};
  return Err(invalid_combination(fmt::format("The parameters MetricData.member.{0}.{1} and MetricData.member.{0}.{2} are mutually exclusive and you have specified both.",
                                             member, a_name, b_name)));
}

// The samples of one datum; `member` is its place in the request, from 1.
Reply<void> read_samples(const model::MetricDatum& datum, std::size_t member, metrics::DataPoint& point) {
  const bool has_value = datum.value.has_value(), has_set = datum.statistic_values.has_value(), has_values = datum.values && !datum.values->empty();
  TRY(exclusive(has_value, has_set, member, "Value", "StatisticValues"));
  TRY(exclusive(has_value, has_values, member, "Value", "Values"));
  TRY(exclusive(has_set, has_values, member, "StatisticValues", "Values"));
  if (!has_value && !has_set && !has_values)
    return Err(invalid_combination(fmt::format(
        "At least one of the parameters MetricData.member.{0}.Value and MetricData.member.{0}.StatisticValues must be specified.", member)));
  if (has_value) {
    TRY(check_number(*datum.value, member, "Value"));
    point.values.push_back({*datum.value, 1});
    return {};
  }
  if (has_set) {
    const auto& set = *datum.statistic_values;
    TRY(check_number(set.sample_count, member, "StatisticValues.SampleCount"));
    TRY(check_number(set.sum, member, "StatisticValues.Sum"));
    TRY(check_number(set.minimum, member, "StatisticValues.Minimum"));
    TRY(check_number(set.maximum, member, "StatisticValues.Maximum"));
    if (set.minimum > set.maximum)
      return Err(invalid_combination(fmt::format("The parameter MetricData.member.{0}.StatisticValues.Maximum must be greater than or equal to "
                                                 "MetricData.member.{0}.StatisticValues.Minimum.", member)));
    if (set.sample_count <= 0)
      return Err(invalid_value(fmt::format("The parameter MetricData.member.{}.StatisticValues.SampleCount must be greater than 0.", member)));
    point.set = metrics::Summary{.count = set.sample_count, .sum = set.sum, .min = set.minimum, .max = set.maximum};
    return {};
  }
  if (datum.values->size() > kValuesMax)
    return Err(invalid_value(fmt::format("The collection MetricData.member.{}.Values must not have a size greater than {}.", member, kValuesMax)));
  if (datum.counts && datum.counts->size() != datum.values->size())
    return Err(invalid_value(fmt::format("The parameters MetricData.member.{0}.Values and MetricData.member.{0}.Counts must be of the same size.", member)));
  for (std::size_t i = 0; i < datum.values->size(); ++i) {
    const double count = datum.counts ? (*datum.counts)[i] : 1;
    TRY(check_number((*datum.values)[i], member, fmt::format("Values.member.{}", i + 1)));
    if (!is_number(count) || count < 0) TRY(check_number(NAN, member, fmt::format("Counts.member.{}", i + 1)));
    if (count > 0) point.values.push_back({(*datum.values)[i], count});
  }
  return {};
}

Reply<void> read_time(const model::MetricDatum& datum, std::size_t member, Time now, metrics::DataPoint& point) {
  point.second = to_seconds(datum.timestamp.value_or(now));
  if (point.second > to_seconds(now) + kFutureMax)
    return Err(invalid_value(fmt::format("The parameter MetricData.member.{}.Timestamp must specify a time no more than two hours in the future.", member)));
  if (point.second < to_seconds(now) - kPastMax)
    return Err(invalid_value(fmt::format("The parameter MetricData.member.{}.Timestamp must specify a time within the past two weeks.", member)));
  const std::int32_t resolution = datum.storage_resolution.value_or(60);
  if (resolution != 1 && resolution != 60)
    return Err(invalid_value(fmt::format("The parameter MetricData.member.{}.StorageResolution must be 1 or 60.", member)));
  point.is_fine = resolution == 1;
  return {};
}

}  // namespace

Task<Reply<model::PutMetricDataOutput>> PutMetricData(Cloudwatch& service, const model::PutMetricDataInput& in, const Call& call) {
  if (in.entity_metric_data && !in.entity_metric_data->empty()) co_return Err(aws::not_implemented("EntityMetricData of PutMetricData"));
  if (!in.metric_data || in.metric_data->empty())
    co_return Err(aws::Error(errors::kMissingRequiredParameterException, "The parameter MetricData is required."));
  if (in.namespace_.starts_with("AWS/")) co_return Err(invalid_value(fmt::format("The value {} for parameter Namespace is invalid.", in.namespace_)));
  if (in.metric_data->size() > kDataMax)
    co_return Err(invalid_value(fmt::format("The collection MetricData must not have a size greater than {}.", kDataMax)));
  // All or nothing: everything is checked before anything is kept.
  std::vector<metrics::MetricId> ids;
  std::vector<metrics::DataPoint> points;
  ids.reserve(in.metric_data->size());
  points.reserve(in.metric_data->size());
  const std::string scope = scope_of(call);
  for (const model::MetricDatum& datum : *in.metric_data) {
    const std::size_t member = points.size() + 1;
    metrics::DataPoint& point = points.emplace_back();
    CO_TRY(read_samples(datum, member, point));
    CO_TRY(read_time(datum, member, call.now, point));
    ids.push_back(metric_id(scope, in.namespace_, datum.metric_name, datum.dimensions));
    point.metric = &ids.back();
    point.unit = metrics::parse_unit(datum.unit.value_or("None")).value_or(metrics::Unit::kNone);
  }
  std::erase_if(points, [](const metrics::DataPoint& point) { return !point.set && point.values.empty(); });
  if (!service.metrics.put(points, call.now)) co_return Err(aws::throttling(fmt::format("There are {} metrics, the most that Atoll keeps.", metrics::Metrics::kSeriesMax)));
  co_await committed();
  co_return model::PutMetricDataOutput{};
}

}  // namespace reef::service::cloudwatch::operations
