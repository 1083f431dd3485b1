#include "service/cloudwatch/cloudwatch.h"

#include <algorithm>

namespace reef::service::cloudwatch {

metrics::MetricId metric_id(std::string scope, std::string_view space, std::string_view name, const std::optional<std::vector<model::Dimension>>& dimensions) {
  metrics::MetricId id{.scope = std::move(scope), .space = std::string(space), .name = std::string(name), .dimensions = {}};
  if (dimensions)
    for (const model::Dimension& one : *dimensions) id.dimensions.emplace_back(one.name, one.value);
  std::sort(id.dimensions.begin(), id.dimensions.end());
  return id;
}

std::vector<model::Dimension> to_model(const metrics::Dimensions& dimensions) {
  std::vector<model::Dimension> out;
  for (const auto& [name, value] : dimensions) out.push_back({.name = name, .value = value});
  return out;
}

aws::Error invalid_value(std::string message) { return {errors::kInvalidParameterValueException, std::move(message)}; }
aws::Error invalid_combination(std::string message) { return {errors::kInvalidParameterCombinationException, std::move(message)}; }

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
std::int64_t round_start(std::int64_t start, std::int64_t now, std::int64_t period) {
  const std::int64_t age = now - start;
  std::int64_t step = 60;
  if (age >= 63 * metrics::kDay) step = 3600;
  else if (age >= 15 * metrics::kDay) step = 300;
  else if (period < 60) step = period;
  return start - start % step;
}

bool is_period(std::int64_t period) {
  return period == 1 || period == 5 || period == 10 || period == 20 || period == 30 || (period > 0 && period % 60 == 0);
}

}  // namespace reef::service::cloudwatch
