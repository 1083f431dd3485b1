#include "engine/edge/balancer/health.h"

#include <algorithm>

#include "base/text.h"

namespace reef::edge {
namespace {

// Until a target has passed once, checks repeat this soon: a service that takes 50 ms to listen should not wait for a
// whole interval. These extra checks can only find the target healthy, never unhealthy.
constexpr Duration kFirstRetry = 20ms;
constexpr Duration kLastRetry = 1s;

}  // namespace

Result<StatusMatcher, Failure> StatusMatcher::parse(std::string_view text) {
  StatusMatcher out;
  for (const std::string_view part : split(text, ',')) {
    const auto dash = part.find('-');
    const auto from = parse_int<int>(trim(part.substr(0, dash)));
    const auto to = dash == std::string_view::npos ? from : parse_int<int>(trim(part.substr(dash + 1)));
    if (!from || !to || *from < 0 || *to < *from || *to > 599) return Err(Failure{"'" + std::string(text) + "' names no status codes"});
    out.ranges_.emplace_back(*from, *to);
  }
  return out;
}

bool StatusMatcher::matches(int status) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& range) { return status >= range.first && status <= range.second; });
}

void TargetHealth::set_used(bool used, const HealthSettings& settings, Time now) {
  if (state_ == HealthState::kDraining) return;
  if (!used) {
    checked_ = false;
    enter(HealthState::kUnused, HealthReason::kNotInUse);
    return;
  }
  if (state_ != HealthState::kUnused) return;
  passed_ = failed_ = 0;
  retry_ = kFirstRetry;
  next_check_ = next_counted_ = now;
  checked_ = settings.enabled;
  if (settings.enabled) enter(HealthState::kInitial, HealthReason::kRegistrationInProgress);
  else enter(HealthState::kUnavailable, HealthReason::kDisabled);
}

void TargetHealth::settings_changed(const HealthSettings& settings, Time now) {
  if (state_ == HealthState::kUnused || state_ == HealthState::kDraining) return;
  const bool was_checked = std::exchange(checked_, settings.enabled);
  if (!settings.enabled) enter(HealthState::kUnavailable, HealthReason::kDisabled);
  else if (!was_checked) enter(HealthState::kInitial, HealthReason::kInitialChecking);
  passed_ = failed_ = 0;
  retry_ = kFirstRetry;
  next_check_ = next_counted_ = now;
}

void TargetHealth::began(const HealthSettings& settings, Time now) {
  counts_ = now >= next_counted_;
  if (counts_) next_counted_ = now + settings.interval;
  next_check_ = next_counted_;
  if (state_ != HealthState::kInitial) return;
  if (reason_ == HealthReason::kRegistrationInProgress) reason_ = HealthReason::kInitialChecking;
  next_check_ = std::min(next_counted_, now + retry_);
  retry_ = std::min(retry_ * 2, kLastRetry);
}

bool TargetHealth::finished(const CheckResult& result, const HealthSettings& settings, Time now) {
  if (!checked_ || state_ == HealthState::kDraining) return false;
  if (result.passed) {
    failed_ = 0;
    ++passed_;
    // A new target needs one good answer, one that was unhealthy the whole threshold.
    if (state_ == HealthState::kHealthy || (state_ == HealthState::kUnhealthy && passed_ < settings.healthy_threshold)) return false;
    enter(HealthState::kHealthy, HealthReason::kNone);
    next_check_ = next_counted_ = now + settings.interval;
    return true;
  }
  if (!counts_) return false;
  passed_ = 0;
  ++failed_;
  const bool is_final = settings.is_envoy && result.kind == CheckResult::Kind::kAnswer && !settings.is_grpc;
  if (failed_ < settings.unhealthy_threshold && !is_final) return false;
  const bool changed = state_ != HealthState::kUnhealthy;
  const HealthReason before = reason_;
  switch (result.kind) {
    case CheckResult::Kind::kAnswer: enter(HealthState::kUnhealthy, HealthReason::kMismatch); break;
    case CheckResult::Kind::kTimeout: enter(HealthState::kUnhealthy, HealthReason::kTimeout); break;
    case CheckResult::Kind::kFailed: enter(HealthState::kUnhealthy, HealthReason::kFailed); break;
  }
  next_check_ = next_counted_;  // the quick first checks are over
  const int status_before = std::exchange(status_, result.status);
  return changed || before != reason_ || status_before != status_;
}

std::string_view name_of(HealthState state) {
  switch (state) {
    case HealthState::kInitial: return "initial";
    case HealthState::kHealthy: return "healthy";
    case HealthState::kUnhealthy: return "unhealthy";
    case HealthState::kUnused: return "unused";
    case HealthState::kDraining: return "draining";
    case HealthState::kUnavailable: return "unavailable";
  }
  return {};
}

std::string_view code_of(HealthReason reason) {
  switch (reason) {
    case HealthReason::kNone: return {};
    case HealthReason::kRegistrationInProgress: return "Elb.RegistrationInProgress";
    case HealthReason::kInitialChecking: return "Elb.InitialHealthChecking";
    case HealthReason::kMismatch: return "Target.ResponseCodeMismatch";
    case HealthReason::kTimeout: return "Target.Timeout";
    case HealthReason::kFailed: return "Target.FailedHealthChecks";
    case HealthReason::kNotInUse: return "Target.NotInUse";
    case HealthReason::kDeregistering: return "Target.DeregistrationInProgress";
    case HealthReason::kDisabled: return "Target.HealthCheckDisabled";
  }
  return {};
}

std::string describe(HealthReason reason, int status) {
  switch (reason) {
    case HealthReason::kNone: return {};
    case HealthReason::kRegistrationInProgress: return "Target registration is in progress";
    case HealthReason::kInitialChecking: return "Initial health checks in progress";
    case HealthReason::kMismatch: return "Health checks failed with these codes: [" + std::to_string(status) + "]";
    case HealthReason::kTimeout: return "Request timed out";
    case HealthReason::kFailed: return "Health checks failed";
    case HealthReason::kNotInUse: return "Target group is not configured to receive traffic from the load balancer";
    case HealthReason::kDeregistering: return "Target deregistration is in progress";
    case HealthReason::kDisabled: return "Health checks are disabled for this target";
  }
  return {};
}

}  // namespace reef::edge
