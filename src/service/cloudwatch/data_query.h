// A list of MetricDataQuery, as GetMetricData and alarms take it: checked once, evaluated over a range of time.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/metrics/math.h"
#include "engine/metrics/statistic.h"
#include "service/cloudwatch/cloudwatch.h"

namespace reef::service::cloudwatch {

class DataQueries {
 public:
  // `scope` is whose metrics are meant. Errors name the parameter.
  static Reply<DataQueries> compile(const std::vector<model::MetricDataQuery>& queries, std::string scope);

  struct Answer {
    std::string id, label;
    metrics::TimeSeries series;
  };
  // Those that return data, in the order of the request. `now` rounds the beginning as AWS does; with `exact` it stays.
  // `zone`: seconds east of UTC, for the times in labels.
  Reply<std::vector<Answer>> evaluate(metrics::Metrics& metrics, std::int64_t from, std::int64_t to, std::int64_t now, bool exact = false, std::int64_t zone = 0) const;

  // The shortest period among its metrics.
  std::int64_t period() const { return period_; }
  std::size_t returning() const;
  bool has_search() const;
  bool has_metric(const metrics::MetricId& id) const;

 private:
  struct Query {
    std::string id;
    std::optional<std::string> label;
    bool returns_data = true;
    // Of a metric:
    metrics::MetricId metric;
    metrics::Statistic statistic;
    std::string statistic_name;
    std::optional<metrics::Unit> unit;
    std::int64_t period = 0;
    // Of an expression:
    std::optional<metrics::MathNode> expression;
  };
  struct Run;
  Reply<void> check_order() const;
  std::vector<Query> queries_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
  std::string scope_;
  std::int64_t period_ = 60;
};

// Fills in ${AVG}, ${PROP('Dim.Name')} and the like.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
std::string dynamic_label(std::string_view label, const metrics::TimeSeries& series, const std::function<std::string(std::string_view)>& property, std::int64_t zone = 0);
// "+0130" as seconds; nothing for what is no offset.
std::optional<std::int64_t> parse_zone(std::string_view text);

}  // namespace reef::service::cloudwatch
