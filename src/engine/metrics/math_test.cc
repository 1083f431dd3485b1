#include "engine/metrics/math.h"

#include <map>

#include <gtest/gtest.h>

namespace reef::metrics {
namespace {

const TimeSeries kM1{.id = "m1", .label = "m1", .period = 60, .points = {{0, 30}, {60, 20}, {120, 0}, {180, 0}}};
const TimeSeries kM2{.id = "m2", .label = "m2", .period = 60, .points = {{0, 20}, {120, 20}}};

std::string show(std::string_view text) {
  const auto node = parse_math(text);
  if (!node) return node.error().is_unsupported ? "unsupported" : "error: " + node.error().message;
  const std::map<std::string, MathValue, std::less<>> values = {{"m1", kM1}, {"m2", kM2}};
  const MathContext context{.from = 0, .to = 240, .period = 60,
                            .find = [&](std::string_view id) {
                              const auto found = values.find(id);
                              return found == values.end() ? nullptr : &found->second;
                            },
                            .metrics = [&](std::string_view part) {
                              std::vector<TimeSeries> out;
                              for (const auto& [id, value] : values)
                                if (id.find(part) != std::string::npos) out.push_back(std::get<TimeSeries>(value));
                              return out;
                            }};
  const auto value = evaluate_math(*node, context);
  if (!value) return "error: " + value.error().message;
  std::string out;
  const auto series = [&](const TimeSeries& one) {
    std::int64_t at = 0;
    for (const auto& [second, number] : one.points) {
      for (; at < second; at += 60) out += "- ";
      char text_of[32];
      std::snprintf(text_of, sizeof text_of, "%g ", number);
      out += text_of;
      at = second + 60;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
  };
  if (const auto* number = std::get_if<double>(&*value)) {
    char text_of[32];
    std::snprintf(text_of, sizeof text_of, "%g", *number);
    return text_of;
  }
  if (const auto* one = std::get_if<TimeSeries>(&*value)) series(*one);
  else
    for (const TimeSeries& one : std::get<std::vector<TimeSeries>>(*value)) series(one), out += " | ";
  return out;
}

// The examples of AWS's page.
TEST(Math, ComparesAndCombines) {
  EXPECT_EQ(show("m1 < m2"), "0 0 1 0");
  EXPECT_EQ(show("m1 >= 30"), "1 0 0 0");
  EXPECT_EQ(show("m1 > 15 AND m2 > 15"), "1 0 0 0");
  EXPECT_EQ(show("m1 > 15 && m2 > 15 || 1 == 1"), "1 1 1 1");
}

TEST(Math, Arithmetic) {
  EXPECT_EQ(show("m1 + m2"), "50 20 20 0");
  EXPECT_EQ(show("-m1 + 2 * 5"), "-20 -10 10 10");
  EXPECT_EQ(show("100 / m1"), "3.33333 5");  // what cannot be divided is no data point
  EXPECT_EQ(show("2 ^ 3 ^ 2"), "512");
  EXPECT_EQ(show("m1 - AVG(m1)"), "17.5 7.5 -12.5 -12.5");
  EXPECT_EQ(show("m1 / (m1 + m2) * 100"), "60 100 0");
}

TEST(Math, Arrays) {
  EXPECT_EQ(show("SUM(METRICS())"), "50 20 20 0");
  EXPECT_EQ(show("AVG([m1, m2])"), "25 10 10 0");
  EXPECT_EQ(show("MAX(METRICS(\"2\"))"), "20 - 20");
  EXPECT_EQ(show("[m1, m2] * 2"), "60 40 0 0 | 40 - 40 | ");
  EXPECT_EQ(show("FIRST(SORT(METRICS(), MAX, ASC))"), "20 - 20");
  EXPECT_EQ(show("METRIC_COUNT(METRICS())"), "2");
  EXPECT_EQ(show("SLICE(METRICS(), 1)"), "20 - 20");
}

TEST(Math, FunctionsOfSeries) {
  EXPECT_EQ(show("FILL(m2, 0)"), "20 0 20 0");
  EXPECT_EQ(show("FILL(m2, REPEAT)"), "20 20 20 20");
  EXPECT_EQ(show("FILL(m2, LINEAR)"), "20 20 20");
  EXPECT_EQ(show("FILL(m2, m1)"), "20 20 20 0");
  EXPECT_EQ(show("RATE(m1) * PERIOD(m1)"), "- -10 -20 0");
  EXPECT_EQ(show("DIFF(m2)"), "- - 0");
  EXPECT_EQ(show("DIFF_TIME(m2)"), "- - 120");
  EXPECT_EQ(show("RUNNING_SUM(m1)"), "30 50 50 50");
  EXPECT_EQ(show("IF(m1 > 10, m1, 5)"), "30 20 5 5");
  EXPECT_EQ(show("IF(m1 > 10, m2)"), "20");
  EXPECT_EQ(show("TIME_SERIES(7)"), "7 7 7 7");
  EXPECT_EQ(show("CEIL(m1 / 7)"), "5 3 0 0");
  EXPECT_EQ(show("DATAPOINT_COUNT(m2)"), "2");
  EXPECT_EQ(show("YEAR(m2)"), "1970 - 1970");
}

TEST(Math, StaysInItsBudget) {
  const auto node = parse_math("TIME_SERIES(1) + TIME_SERIES(2)");
  ASSERT_TRUE(node);
  std::size_t budget = 20;
  MathContext context{.from = 0, .to = 300, .period = 60, .budget = &budget};
  EXPECT_TRUE(evaluate_math(*node, context));
  EXPECT_FALSE(evaluate_math(*node, context));
}

TEST(Math, WhatIsNone) {
  EXPECT_EQ(show("m1 +"), "error: Syntax error at column 5");
  EXPECT_EQ(show("m3"), "error: Undefined variable: m3");
  EXPECT_EQ(show("NOPE(m1)"), "error: Unknown function: NOPE");
  EXPECT_EQ(show("SEARCH('x')"), "error: Invalid arguments of function SEARCH");
  EXPECT_EQ(show("SEARCH('x', 'Sum')"), "error: SEARCH cannot be used here");
  EXPECT_EQ(show("SELECT AVG(x) FROM y"), "unsupported");
  EXPECT_EQ(show("IF()"), "error: Invalid arguments of function IF");
  EXPECT_TRUE(show(std::string(5000, '(')).starts_with("error"));
  EXPECT_TRUE(show(std::string(5000, '-') + "1").starts_with("error"));
}

}  // namespace
}  // namespace reef::metrics
