// What can be asked of a bucket: Average, p99.9, TM(10%:90%), ...
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
#pragma once

#include <optional>
#include <string_view>

#include "engine/metrics/bucket.h"

namespace reef::metrics {

struct Statistic {
  enum class Kind {
    kSampleCount, kAverage, kSum, kMinimum, kMaximum, kPercentile, kTrimmedMean, kWinsorizedMean, kTrimmedCount, kTrimmedSum, kPercentileRank,
  };
  Kind kind = Kind::kAverage;
  // Bounds of the trimming kinds: fractions of the samples (0 to 1), or values. Of kPercentile: `high` is its rank.
  double low = 0, high = 1;
  bool by_value = false;

  // One that needs the values themselves, which a statistic set hides.
  bool is_extended() const { return kind >= Kind::kPercentile; }
  // Fewer samples than this are too few for a percentile to be significant; 0 for other statistics.
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
  double samples_needed() const;
};

// Nothing for a name that is no statistic.
std::optional<Statistic> parse_statistic(std::string_view name);
// Nothing when the bucket is empty or its values are not known.
std::optional<double> compute(const Statistic& statistic, const Bucket& bucket);

}  // namespace reef::metrics
