#include "aws/schedule.h"

#include <gtest/gtest.h>

namespace reef::aws {
namespace {

Time at(std::string_view text) { return *parse_iso8601(text); }
std::string next(std::string_view expression, std::string_view after) {
  const auto schedule = parse_schedule(expression);
  if (!schedule) return "invalid";
  const auto time = next_time(*schedule, at(after), at(after));
  return time ? format_iso8601(*time) : "never";
}

TEST(Schedule, RatesCountFromTheirBeginning) {
  EXPECT_EQ(next("rate(5 minutes)", "2026-11-20T10:00:30Z"), "2026-11-20T10:05:30Z");
  EXPECT_EQ(next("rate(1 day)", "2026-11-20T10:00:00Z"), "2026-11-21T10:00:00Z");
  EXPECT_EQ(next("rate(1 days)", "2026-11-20T10:00:00Z"), "invalid");
  EXPECT_EQ(next("rate(0 minutes)", "2026-11-20T10:00:00Z"), "invalid");
}

TEST(Schedule, CronHasDaysOfMonthsAndWeeks) {
  EXPECT_EQ(next("cron(0 10 * * ? *)", "2026-11-20T10:00:00Z"), "2026-11-21T10:00:00Z");
  EXPECT_EQ(next("cron(*/15 * ? * MON-FRI *)", "2026-11-20T23:50:00Z"), "2026-11-23T00:00:00Z");
  EXPECT_EQ(next("cron(0 0 L * ? *)", "2026-02-01T00:00:00Z"), "2026-02-28T00:00:00Z");
  EXPECT_EQ(next("cron(0 9 ? * 6#3 *)", "2026-11-01T00:00:00Z"), "2026-11-20T09:00:00Z");
  EXPECT_EQ(next("cron(0 9 15W * ? *)", "2026-11-01T00:00:00Z"), "2026-11-16T09:00:00Z");
  EXPECT_EQ(next("cron(0 9 1 1 ? 2025)", "2026-11-01T00:00:00Z"), "never");
  EXPECT_EQ(next("cron(0 9 * * * *)", "2026-11-01T00:00:00Z"), "invalid");
  EXPECT_EQ(next("cron(61 9 * * ? *)", "2026-11-01T00:00:00Z"), "invalid");
}

TEST(Schedule, AtHappensOnce) {
  EXPECT_EQ(next("at(2026-11-20T13:00:00)", "2026-11-20T12:00:00Z"), "2026-11-20T13:00:00Z");
  EXPECT_EQ(next("at(2026-11-20T13:00:00)", "2026-11-20T13:00:00Z"), "never");
}

}  // namespace
}  // namespace reef::aws
