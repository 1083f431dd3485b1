#include "service/applicationautoscaling/scaling_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace reef::service::applicationautoscaling {

std::optional<std::int32_t> step_capacity(const model::StepScalingPolicyConfiguration& policy, std::int32_t current, double breach) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!policy.step_adjustments) return std::nullopt;
  for (const model::StepAdjustment& step : *policy.step_adjustments) {
    const double low = step.metric_interval_lower_bound.value_or(-kInfinity), high = step.metric_interval_upper_bound.value_or(kInfinity);
    // Above the threshold the lower bound belongs to the step, below it the upper one.
    const bool covers = breach >= 0 ? breach >= low && breach < high : breach > low && breach <= high;
    if (!covers) continue;
    const std::string type = policy.adjustment_type.value_or("ChangeInCapacity");
    if (type == "ExactCapacity") return step.scaling_adjustment;
    if (type == "ChangeInCapacity") return current + step.scaling_adjustment;
    double change = current * step.scaling_adjustment / 100.0;
    // Fractions: above one they are cut, below one they count as one.
    change = std::fabs(change) >= 1 ? std::trunc(change) : change > 0 ? 1 : change < 0 ? -1 : 0;
    const std::int32_t least = policy.min_adjustment_magnitude.value_or(0);
    if (change != 0 && std::fabs(change) < least) change = std::copysign(least, change);
    return current + static_cast<std::int32_t>(change);
  }
  return std::nullopt;
}

std::int32_t tracking_capacity(double target_value, double value, std::int32_t current, bool is_high) {
  const double wanted = std::ceil(current * value / target_value - 1e-9);
  const auto capacity = static_cast<std::int32_t>(std::clamp(wanted, 0.0, 1e9));
  return is_high ? std::max(capacity, current + 1) : std::min(capacity, current);
}

std::optional<std::int32_t> after_cooldown(std::int32_t wanted, std::int32_t current, const std::optional<LastScaling>& last_out,
                                           const std::optional<LastScaling>& last_in, Duration out_cooldown, Duration in_cooldown, Time now) {
  if (wanted == current) return std::nullopt;
  const bool out_cools = last_out && now < last_out->at + out_cooldown;
  if (wanted > current) {
    if (!out_cools) return wanted;
    // What the last one added is part of what this one asks for.
    const std::int32_t from_before = last_out->before + (wanted - current);
    return from_before > current ? std::optional(from_before) : std::nullopt;
  }
  if (out_cools || (last_in && now < last_in->at + in_cooldown)) return std::nullopt;
  return wanted;
}

}  // namespace reef::service::applicationautoscaling
