#include "engine/metrics/alarm.h"

#include <gtest/gtest.h>

#include "engine/metrics/composite_rule.h"

namespace reef::metrics {
namespace {

// "0 - X - X" as AWS's documentation draws it: the newest at the right, X above the threshold of 1.
std::vector<std::optional<AlarmPoint>> drawn(std::string_view text) {
  std::vector<std::optional<AlarmPoint>> out;
  for (const char c : text) {
    if (c == '0') out.push_back(AlarmPoint{0, 0, 1});
    if (c == 'X') out.push_back(AlarmPoint{0, 2, 1});
    if (c == '-') out.push_back(std::nullopt);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

struct Row {
  std::string_view points;
  std::string_view missing, ignore, breaching, not_breaching;  // O, A, I, or R: as it was
};

void check(const Row& row, std::int32_t m) {
  const std::pair<MissingData, std::string_view> columns[] = {
      {MissingData::kMissing, row.missing}, {MissingData::kIgnore, row.ignore}, {MissingData::kBreaching, row.breaching}, {MissingData::kNotBreaching, row.not_breaching}};
  for (const auto& [treatment, wanted] : columns)
    for (const AlarmState before : {AlarmState::kOk, AlarmState::kAlarm, AlarmState::kInsufficientData}) {
      const AlarmRule rule{.comparison = Comparison::kGreater, .threshold = 1, .evaluation_periods = 3, .datapoints_to_alarm = m, .missing = treatment};
      const AlarmState state = evaluate_alarm(rule, drawn(row.points), before).state;
      const AlarmState expected = wanted == "O" ? AlarmState::kOk : wanted == "A" ? AlarmState::kAlarm : wanted == "I" ? AlarmState::kInsufficientData : before;
      EXPECT_EQ(alarm_state_name(state), alarm_state_name(expected)) << row.points << " " << static_cast<int>(treatment);
    }
}

// The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
TEST(Alarm, ThreeOutOfThree) {
  for (const Row& row : {Row{"0 - X - X", "O", "O", "O", "O"}, {"0 - - - -", "O", "O", "O", "O"}, {"- - - - -", "I", "R", "A", "O"},
                         {"0 X X - X", "A", "A", "A", "A"}, {"- - - - X", "I", "R", "A", "O"}, {"X - - - -", "A", "R", "A", "O"}})
    check(row, 3);
}

TEST(Alarm, TwoOutOfThree) {
  for (const Row& row : {Row{"0 - X - X", "A", "A", "A", "A"}, {"0 0 X 0 X", "A", "A", "A", "A"}, {"0 - X - -", "O", "O", "A", "O"},
                         {"- - - - 0", "O", "O", "A", "O"}, {"- - - - X", "I", "R", "A", "O"}})
    check(row, 2);
}

TEST(Alarm, PercentilesOfFewSamplesLeaveItAsItIs) {
  const AlarmRule rule{.threshold = 1, .samples_needed = 10};
  EXPECT_EQ(evaluate_alarm(rule, drawn("- - X"), AlarmState::kOk).state, AlarmState::kOk);
  EXPECT_EQ(evaluate_alarm({.threshold = 1}, drawn("- - X"), AlarmState::kOk).state, AlarmState::kAlarm);
}

TEST(Alarm, SaysWhyInAwsWords) {
  const AlarmRule rule{.comparison = Comparison::kGreaterOrEqual, .threshold = 70};
  const std::vector<std::optional<AlarmPoint>> points = {AlarmPoint{1'534'367'700, 70, 1}, std::nullopt, std::nullopt};
  EXPECT_EQ(evaluate_alarm(rule, points, AlarmState::kOk).reason,
            "Threshold Crossed: 1 out of the last 1 datapoints [70.0 (15/08/18 21:15:00)] was greater than or equal to the threshold (70.0) (minimum 1 datapoint for "
            "OK -> ALARM transition).");
  EXPECT_EQ(evaluate_alarm({.missing = MissingData::kBreaching}, drawn("- - -"), AlarmState::kOk).reason,
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].");
  EXPECT_EQ(evaluate_alarm({.evaluation_periods = 2, .datapoints_to_alarm = 2}, drawn("- - - -"), AlarmState::kOk).reason, "Insufficient Data: 2 datapoints were unknown.");
}

TEST(Alarm, NumbersAsJavaPrintsThem) {
  EXPECT_EQ(alarm_number(1), "1.0");
  EXPECT_EQ(alarm_number(0.25), "0.25");
  EXPECT_EQ(alarm_number(25'000'000), "2.5E7");
  EXPECT_EQ(alarm_number(0.0001), "1.0E-4");
  EXPECT_EQ(alarm_number(-3), "-3.0");
}

bool holds(std::string_view text) {
  const auto rule = parse_composite_rule(text);
  EXPECT_TRUE(rule) << text << ": " << (rule ? "" : rule.error());
  return rule && evaluate_composite_rule(*rule, [](const std::string& name) -> std::optional<AlarmState> {
    if (name == "ringing" || name == "with space") return AlarmState::kAlarm;
    if (name == "fine") return AlarmState::kOk;
    return std::nullopt;
  });
}

TEST(CompositeRule, Operators) {
  EXPECT_TRUE(holds("ALARM(ringing)"));
  EXPECT_TRUE(holds("ALARM(ringing) AND NOT ALARM(fine)"));
  EXPECT_FALSE(holds("(ALARM(fine) OR FALSE) AND TRUE"));
  EXPECT_TRUE(holds("ALARM(fine) AND ALARM(ringing) OR OK(fine)"));
  EXPECT_TRUE(holds("ALARM(\"with space\")"));
  EXPECT_FALSE(holds("INSUFFICIENT_DATA(gone)"));
  EXPECT_TRUE(holds("AT_LEAST(1, ALARM, (ringing, fine, gone))"));
  EXPECT_FALSE(holds("AT_LEAST(50%, ALARM, (ringing, fine, gone))"));
  EXPECT_TRUE(holds("AT_LEAST(2, NOT ALARM, (ringing, fine, gone))"));
}

TEST(CompositeRule, WhatIsNone) {
  for (const std::string_view text : {"", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) AND", "a", "ALARM(a) ALARM(b)", "AT_LEAST(0, ALARM, (a))"}) EXPECT_FALSE(parse_composite_rule(text)) << text;
  EXPECT_FALSE(parse_composite_rule(std::string(10'000, '(')));
}

}  // namespace
}  // namespace reef::metrics
