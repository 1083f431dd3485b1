#include "engine/edge/balancer/health.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

HealthSettings settings() {
  HealthSettings out;
  out.matcher = *StatusMatcher::parse("200-299");
  out.interval = 10s;
  out.healthy_threshold = 3;
  out.unhealthy_threshold = 2;
  return out;
}
constexpr CheckResult kPass{CheckResult::Kind::kAnswer, 200, true};
constexpr CheckResult kWrong{CheckResult::Kind::kAnswer, 503, false};
constexpr CheckResult kLate{CheckResult::Kind::kTimeout, 0, false};

// Runs the check that is due.
bool check(TargetHealth& health, const HealthSettings& with, const CheckResult& result) {
  const Time now = health.next_check();
  health.began(with, now);
  return health.finished(result, with, now);
}

TEST(Health, OneGoodAnswerMakesANewTargetHealthy) {
  const auto with = settings();
  TargetHealth health;
  EXPECT_EQ(health.state(), HealthState::kUnused);
  health.set_used(true, with, from_micros(0));
  EXPECT_EQ(health.reason(), HealthReason::kRegistrationInProgress);
  EXPECT_TRUE(check(health, with, kPass));
  EXPECT_EQ(health.state(), HealthState::kHealthy);
  EXPECT_EQ(health.next_check(), from_micros(0) + 10s);
}

TEST(Health, FirstChecksComeQuicklyButOnlyThoseOfTheIntervalCount) {
  const auto with = settings();
  TargetHealth health;
  health.set_used(true, with, from_micros(0));
  EXPECT_FALSE(check(health, with, kLate));
  EXPECT_EQ(health.next_check(), from_micros(20'000));
  int checks = 1;
  while (health.next_check() < from_micros(0) + 10s) {
    EXPECT_FALSE(check(health, with, kLate));
    ++checks;
    ASSERT_EQ(health.state(), HealthState::kInitial);
  }
  EXPECT_GT(checks, 10);
  EXPECT_LT(checks, 25);
  EXPECT_TRUE(check(health, with, kLate));
  EXPECT_EQ(health.state(), HealthState::kUnhealthy);
  EXPECT_EQ(code_of(health.reason()), "Target.Timeout");
}

TEST(Health, ThresholdsCountInARow) {
  const auto with = settings();
  TargetHealth health;
  health.set_used(true, with, from_micros(0));
  check(health, with, kPass);
  EXPECT_FALSE(check(health, with, kWrong));
  EXPECT_FALSE(check(health, with, kPass));
  EXPECT_FALSE(check(health, with, kWrong));
  EXPECT_TRUE(check(health, with, kWrong));
  EXPECT_EQ(describe(health.reason(), health.status()), "Health checks failed with these codes: [503]");
  EXPECT_FALSE(check(health, with, kPass));
  EXPECT_FALSE(check(health, with, kPass));
  EXPECT_TRUE(check(health, with, kPass));
  EXPECT_EQ(health.state(), HealthState::kHealthy);
}

TEST(Health, DrainingAndUnused) {
  const auto with = settings();
  TargetHealth health;
  health.set_used(true, with, from_micros(0));
  check(health, with, kPass);
  health.set_used(false, with, from_micros(1));
  EXPECT_EQ(health.state(), HealthState::kUnused);
  EXPECT_FALSE(health.is_checked());
  health.start_draining();
  EXPECT_EQ(code_of(health.reason()), "Target.DeregistrationInProgress");
  EXPECT_FALSE(health.finished(kPass, with, from_micros(2)));
}

TEST(Health, Matcher) {
  EXPECT_TRUE(StatusMatcher::parse("200,301-302")->matches(302));
  EXPECT_FALSE(StatusMatcher::parse("200,301-302")->matches(303));
  for (const char* bad : {"", "abc", "300-200", "200,", "700"}) EXPECT_FALSE(StatusMatcher::parse(bad)) << bad;
}

// Found by the simulation: one more quick check, which then counted.
TEST(HealthState, TheFirstChecksAreOverWhenTheyFailed) {
  const HealthSettings settings{.interval = 30s, .unhealthy_threshold = 1};
  const Time now = from_seconds(1000);
  TargetHealth health;
  health.set_used(true, settings, now);
  health.began(settings, now);
  EXPECT_LT(health.next_check(), now + 30s);
  EXPECT_TRUE(health.finished({}, settings, now));
  EXPECT_EQ(health.state(), HealthState::kUnhealthy);
  EXPECT_EQ(health.next_check(), now + 30s);
}

}  // namespace
}  // namespace reef::edge
