#include "service/cloudwatch/data_query.h"

#include <gtest/gtest.h>

namespace reef::service::cloudwatch {
namespace {

model::MetricDataQuery expression(std::string id, std::string text) {
  model::MetricDataQuery out;
  out.id = std::move(id);
  out.expression = std::move(text);
  return out;
}
model::MetricDataQuery metric(std::string id, std::string stat = "Sum", std::int32_t period = 60) {
  model::MetricDataQuery out;
  out.id = std::move(id);
  out.metric_stat.emplace();
  out.metric_stat->metric = {.namespace_ = "App", .metric_name = "m"};
  out.metric_stat->period = period;
  out.metric_stat->stat = std::move(stat);
  return out;
}
std::string fault(std::vector<model::MetricDataQuery> queries) {
  const auto compiled = DataQueries::compile(queries, "0/r");
  return compiled ? "" : compiled.error().message;
}

TEST(DataQueries, WhatIsRefused) {
  EXPECT_EQ(fault({metric("m1"), expression("e1", "m1 * 2")}), "");
  EXPECT_EQ(fault({expression("e1", "e2"), expression("e2", "e1")}), "Error in expression 'e1': it refers to itself");
  EXPECT_EQ(fault({expression("e1", "m9")}), "Error in expression 'e1': Undefined variable: m9");
  EXPECT_EQ(fault({metric("m1"), metric("m1")}), "The values for parameter Id in MetricDataQueries must be unique: m1");
  EXPECT_NE(fault({metric("M1")}), "");
  EXPECT_NE(fault({metric("m1", "Mean")}), "");
  EXPECT_NE(fault({metric("m1", "Sum", 45)}), "");
  EXPECT_EQ(fault({expression("e1", "ANOMALY_DETECTION_BAND(m1)")}), "In the expression of 'e1': ANOMALY_DETECTION_BAND is not supported by this version of Atoll.");
}

TEST(DynamicLabel, FillsInWhatItKnows) {
  const metrics::TimeSeries series{.label = "own", .points = {{1'790'000'000, 3}, {1'790'000'060, 1}}};
  const auto property = [](std::string_view name) { return std::string(name == "Dim.Host" ? "h1" : ""); };
  EXPECT_EQ(dynamic_label("${PROP('Dim.Host')}: ${MAX} ${AVG} ${LAST} ${UNKNOWN} ${", series, property), "h1: 3 2 1 ${UNKNOWN} ${");
  EXPECT_EQ(dynamic_label("${MIN_TIME}", series, property, 3600), "09/21 15:14");
  EXPECT_EQ(dynamic_label("${MAX}", {}, property), "--");
}

TEST(RoundStart, FollowsTheAge) {
  const std::int64_t now = 1'790'000'000;
  EXPECT_EQ(round_start(now - 100, now, 60) % 60, 0);
  EXPECT_EQ(round_start(now - 103, now, 10) % 10, 0);
  EXPECT_EQ(round_start(now - 20 * metrics::kDay - 7, now, 60) % 300, 0);
  EXPECT_EQ(round_start(now - 70 * metrics::kDay - 7, now, 60) % 3600, 0);
}

}  // namespace
}  // namespace reef::service::cloudwatch
