// How many there should be: pure arithmetic of scaling policies.
// https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
// https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
#pragma once

#include <cstdint>
#include <optional>

#include "aws/models/applicationautoscaling.h"
#include "base/time.h"

namespace reef::service::applicationautoscaling {

namespace model = aws::applicationautoscaling;

// What the last scaling left behind: cooldowns count from here.
struct LastScaling {
  Time at{};
  std::int32_t before = 0, after = 0;
};

// The capacity that a step policy asks for; nothing when no step covers the breach (metric minus threshold).
std::optional<std::int32_t> step_capacity(const model::StepScalingPolicyConfiguration& policy, std::int32_t current, double breach);
// The capacity at which the metric, which falls as capacity grows, would be at its target.
std::int32_t tracking_capacity(double target_value, double value, std::int32_t current, bool is_high);
// What a cooldown leaves of it: while scaling out still cools down, only what goes beyond its capacity counts; scaling in
// waits. Nothing: leave it.
std::optional<std::int32_t> after_cooldown(std::int32_t wanted, std::int32_t current, const std::optional<LastScaling>& last_out,
                                           const std::optional<LastScaling>& last_in, Duration out_cooldown, Duration in_cooldown, Time now);

}  // namespace reef::service::applicationautoscaling
