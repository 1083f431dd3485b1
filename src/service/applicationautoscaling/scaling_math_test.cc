#include "service/applicationautoscaling/scaling_math.h"

#include <gtest/gtest.h>

namespace reef::service::applicationautoscaling {
namespace {

model::StepScalingPolicyConfiguration steps(std::string type) {
  model::StepScalingPolicyConfiguration out;
  out.adjustment_type = std::move(type);
  out.step_adjustments = std::vector<model::StepAdjustment>{
      {.metric_interval_lower_bound = 0, .metric_interval_upper_bound = 10, .scaling_adjustment = 10},
      {.metric_interval_lower_bound = 10, .scaling_adjustment = 30},
      {.metric_interval_upper_bound = -10, .scaling_adjustment = -30},
      {.metric_interval_lower_bound = -10, .metric_interval_upper_bound = 0, .scaling_adjustment = -10}};
  return out;
}

TEST(StepCapacity, ChoosesTheStepOfTheBreach) {
  EXPECT_EQ(step_capacity(steps("ChangeInCapacity"), 5, 0), 15);
  EXPECT_EQ(step_capacity(steps("ChangeInCapacity"), 5, 10), 35);
  EXPECT_EQ(step_capacity(steps("PercentChangeInCapacity"), 10, 3), 11);
  EXPECT_EQ(step_capacity(steps("PercentChangeInCapacity"), 11, 25), 14);   // 3.3
  EXPECT_EQ(step_capacity(steps("PercentChangeInCapacity"), 4, 3), 5);      // 0.4 counts as one
  EXPECT_EQ(step_capacity(steps("PercentChangeInCapacity"), 10, -10), 7);
  EXPECT_EQ(step_capacity(steps("ExactCapacity"), 4, 50), 30);
}

TEST(StepCapacity, LeastMagnitudeCounts) {
  auto policy = steps("PercentChangeInCapacity");
  policy.min_adjustment_magnitude = 3;
  EXPECT_EQ(step_capacity(policy, 10, 3), 13);
}

TEST(TrackingCapacity, KeepsTheTarget) {
  EXPECT_EQ(tracking_capacity(50, 100, 3, true), 6);
  EXPECT_EQ(tracking_capacity(50, 50.1, 3, true), 4);
  EXPECT_EQ(tracking_capacity(50, 20, 10, false), 4);
  EXPECT_EQ(tracking_capacity(50, 40, 2, false), 2);  // one would be over the target
}

TEST(AfterCooldown, OutIsContinuedAndInWaits) {
  const Time now = from_seconds(1000);
  const LastScaling out{.at = from_seconds(950), .before = 2, .after = 4};
  EXPECT_EQ(after_cooldown(6, 4, out, {}, 60s, 60s, now), std::nullopt);  // 2 + 2 is what there is
  EXPECT_EQ(after_cooldown(8, 4, out, {}, 60s, 60s, now), 6);
  EXPECT_EQ(after_cooldown(8, 4, out, {}, 10s, 60s, now), 8);
  EXPECT_EQ(after_cooldown(2, 4, out, {}, 60s, 60s, now), std::nullopt);
  EXPECT_EQ(after_cooldown(2, 4, {}, LastScaling{.at = from_seconds(990)}, 60s, 60s, now), std::nullopt);
  EXPECT_EQ(after_cooldown(2, 4, {}, LastScaling{.at = from_seconds(900)}, 60s, 60s, now), 2);
}

}  // namespace
}  // namespace reef::service::applicationautoscaling
