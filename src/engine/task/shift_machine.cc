#include "engine/task/shift_machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace reef::task {
namespace {

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html: a stage lasts up to 24 hours.
constexpr Duration kStageMax = 24h;
constexpr Duration kWeightsRetry = 2s;

constexpr std::array<std::pair<Stage, const char*>, 11> kStages{{
    {Stage::kReconcile, "RECONCILE_SERVICE"}, {Stage::kPreScaleUp, "PRE_SCALE_UP"}, {Stage::kScaleUp, "SCALE_UP"}, {Stage::kPostScaleUp, "POST_SCALE_UP"},
    {Stage::kTestShift, "TEST_TRAFFIC_SHIFT"}, {Stage::kPostTestShift, "POST_TEST_TRAFFIC_SHIFT"}, {Stage::kPreProductionShift, "PRE_PRODUCTION_TRAFFIC_SHIFT"},
    {Stage::kProductionShift, "PRODUCTION_TRAFFIC_SHIFT"}, {Stage::kPostProductionShift, "POST_PRODUCTION_TRAFFIC_SHIFT"}, {Stage::kBake, "BAKE_TIME"}, {Stage::kCleanUp, "CLEAN_UP"}}};

bool is_over(HookStatus status) { return status == HookStatus::kSucceeded || status == HookStatus::kFailed || status == HookStatus::kTimedOut; }

}  // namespace

const char* name_of(Stage stage) { return kStages[static_cast<std::size_t>(stage)].second; }
std::optional<Stage> parse_stage(std::string_view name) {
  for (const auto& [stage, text] : kStages)
    if (name == text) return stage;
  return std::nullopt;
}
const char* name_of(HookStatus status) {
  switch (status) {
    case HookStatus::kAwaiting: return "AWAITING_ACTION";
    case HookStatus::kInProgress: return "IN_PROGRESS";
    case HookStatus::kSucceeded: return "SUCCEEDED";
    case HookStatus::kFailed: return "FAILED";
    case HookStatus::kTimedOut: return "TIMED_OUT";
  }
  return "";
}

void ShiftMachine::begin(std::string source, std::string target, bool has_others, Time now) {
  state_ = {.source = std::move(source), .target = std::move(target), .began = now, .stage_began = now, .updated = now, .had_others = has_others};
  weights_asked_ = false;
}

void ShiftMachine::restore(ShiftState state) {
  state_ = std::move(state);
  state_.production_set.reset();
  state_.test_set.reset();
  for (HookRun& run : state_.hooks) run.is_asked = false;
  weights_asked_ = false;
}

void ShiftMachine::enter(Stage stage, Time now) {
  state_.stage = stage;
  state_.stage_began = state_.updated = now;
  state_.hooks.clear();
  state_.hooks_made = false;
  state_.step_began.reset();
}

void ShiftMachine::finish(ShiftStatus status, Time now, std::vector<ShiftChange>& out) {
  state_.status = status;
  state_.finished = state_.updated = now;
  state_.hooks.clear();
  out.push_back({.kind = ShiftChange::Kind::kDone, .text = state_.reason});
}

void ShiftMachine::fail(std::string reason, Time now) {
  if (rolling_back()) return;
  state_.reason = std::move(reason);
  state_.rollback_began = now;
  state_.status = ShiftStatus::kRollingBack;
  enter(Stage::kProductionShift, now);
}

bool ShiftMachine::roll_back(std::string reason, Time now) {
  if (!is_active()) return false;
  if (rolling_back() || state_.status == ShiftStatus::kRollbackRequested) return true;
  state_.status = ShiftStatus::kRollbackRequested;
  state_.reason = std::move(reason);
  state_.updated = now;
  return true;
}

void ShiftMachine::abandon(std::string reason, Time now) {
  if (!is_active()) return;
  state_.reason = std::move(reason);
  state_.status = ShiftStatus::kStopped;
  state_.finished = state_.updated = now;
}

void ShiftMachine::hook_answered(std::string_view id, HookStatus status, std::string details, Duration delay, Time now) {
  for (HookRun& run : state_.hooks) {
    if (run.id != id || is_over(run.status)) continue;
    run.is_asked = false;
    run.status = status;
    run.next = now + delay;
    if (!details.empty()) run.details = std::move(details);
    state_.updated = now;
    return;
  }
}

bool ShiftMachine::continue_hook(std::string_view id, bool goes_on, Time now) {
  for (HookRun& run : state_.hooks) {
    if (run.id != id || run.status != HookStatus::kAwaiting) continue;
    run.status = goes_on ? HookStatus::kSucceeded : HookStatus::kFailed;
    state_.updated = now;
    return true;
  }
  return false;
}

void ShiftMachine::weights_set(double production, double test, Time now) {
  weights_asked_ = false;
  state_.production_set = production;
  state_.test_set = test;
  state_.weights_retry.reset();
  state_.updated = now;
}
void ShiftMachine::weights_failed(Time now) {
  weights_asked_ = false;
  state_.weights_retry = now + kWeightsRetry;
}

bool ShiftMachine::weights(double production, double test, Time now, std::vector<ShiftChange>& out) {
  state_.production = production;
  state_.test = test;
  if (state_.production_set == production && state_.test_set == test) return true;
  if (!weights_asked_ && (!state_.weights_retry || now >= *state_.weights_retry)) {
    weights_asked_ = true;
    out.push_back({.kind = ShiftChange::Kind::kWeights, .source = production, .target = test});
  }
  return false;
}

bool ShiftMachine::shift_production(Time now, std::vector<ShiftChange>& out) {
  if (rolling_back()) return weights(0, state_.test, now, out);
  if (state_.source.empty()) return weights(100, state_.test, now, out);
  while (true) {
    if (state_.production == 0) state_.production = std::min(100.0, rule_.step_percent);
    if (!weights(state_.production, state_.test, now, out)) return false;
    if (state_.production >= 100) return true;
    if (!state_.step_began) state_.step_began = now;
    if (now < *state_.step_began + rule_.step_bake) return false;
    state_.step_began.reset();
    state_.production = rule_.is_canary ? 100 : std::min(100.0, state_.production + rule_.step_percent);
  }
}

bool ShiftMachine::work(const ShiftFacts& facts, Time now, std::vector<ShiftChange>& out) {
  using Kind = ShiftChange::Kind;
  const bool first = state_.source.empty();
  const double none = first ? 100 : 0;
  switch (state_.stage) {
    case Stage::kReconcile:
      out.push_back({.kind = Kind::kShares, .source = 100, .target = 0});
      return (!state_.had_others || first || weights(0, 0, now, out)) && facts.others_gone;
    case Stage::kPreScaleUp: return true;
    case Stage::kScaleUp:
      // The target group is attached to the listeners first: only then are its targets looked at.
      out.push_back({.kind = Kind::kShares, .source = 100, .target = 100});
      return weights(none, none, now, out) && facts.target_serves;
    case Stage::kTestShift:
      if (rolling_back()) return weights(0, 0, now, out);
      return !rule_.has_test || weights(state_.production, 100, now, out);
    case Stage::kProductionShift: return shift_production(now, out);
    case Stage::kBake:
      // After a restart the weights are set once more: nobody knows whether the last word arrived.
      return weights(state_.production, state_.test, now, out) && (first || now >= state_.stage_began + rule_.bake);
    case Stage::kCleanUp:
      out.push_back({.kind = Kind::kShares, .source = rolling_back() ? 100.0 : 0.0, .target = rolling_back() ? 0.0 : 100.0});
      return rolling_back() ? facts.target_gone : first || facts.source_gone;
    case Stage::kPostScaleUp:
    case Stage::kPostTestShift:
    case Stage::kPreProductionShift:
    case Stage::kPostProductionShift: return true;
  }
  return true;
}

bool ShiftMachine::hooks_done(Time now, std::vector<ShiftChange>& out) {
  // Reconciling is a stage of its own only when there was something to reconcile.
  if (state_.stage == Stage::kReconcile && !state_.had_others) return true;
  if (!std::exchange(state_.hooks_made, true))
    for (std::size_t i = 0; i < rule_.hooks.size(); ++i) {
      const ShiftHook& hook = rule_.hooks[i];
      if (std::find(hook.stages.begin(), hook.stages.end(), state_.stage) == hook.stages.end()) continue;
      if (hook.is_pause && rolling_back()) continue;
      state_.hooks.push_back({.id = fmt::format("{}-{}-{}-{}", state_.target.substr(state_.target.rfind('/') + 1), static_cast<int>(state_.stage), i, to_seconds(now)), .hook = i,
                              .status = hook.is_pause ? HookStatus::kAwaiting : HookStatus::kInProgress, .next = now, .expires = now + hook.patience});
    }
  bool all = true;
  for (std::size_t i = 0; i < state_.hooks.size(); ++i) {
    HookRun& run = state_.hooks[i];
    if (is_over(run.status)) {
      all = all && (run.status == HookStatus::kSucceeded || rolling_back());
      continue;
    }
    if (now >= run.expires) {
      run.status = rule_.hooks[run.hook].continues_late ? HookStatus::kSucceeded : HookStatus::kTimedOut;
      all = all && run.status == HookStatus::kSucceeded;
      continue;
    }
    all = false;
    if (run.status == HookStatus::kAwaiting || run.is_asked || now < run.next) continue;
    run.is_asked = true;
    out.push_back({.kind = ShiftChange::Kind::kHook, .run = i});
  }
  return all;
}

// Whether it goes on as it is: false when it was turned round or ended.
bool ShiftMachine::watch(const ShiftFacts& facts, Time now, std::vector<ShiftChange>& out) {
  if (rolling_back()) return true;
  std::string why;
  bool goes_back = true;
  if (state_.status == ShiftStatus::kRollbackRequested) why = state_.reason;
  for (const HookRun& run : state_.hooks)
    if (run.status == HookStatus::kFailed || run.status == HookStatus::kTimedOut)
      why = fmt::format("Service deployment rolled back because of a lifecycle hook that {}: {} at stage {}.", run.status == HookStatus::kFailed ? "failed" : "timed out", run.id, name_of(state_.stage));
  if (state_.stage != Stage::kCleanUp) {
    if (why.empty() && !facts.alarm.empty()) why = fmt::format("Service deployment rolled back because of alarm(s) in ALARM state: {}.", facts.alarm);
    if (why.empty() && facts.target_broken) {
      why = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
      goes_back = rule_.rolls_back;
    }
    const bool waits_long = state_.stage == Stage::kBake || state_.stage == Stage::kProductionShift;
    if (why.empty() && !waits_long && now >= state_.stage_began + kStageMax) why = fmt::format("Service deployment rolled back because the stage {} took too long.", name_of(state_.stage));
  }
  if (why.empty()) return true;
  if (state_.source.empty() || !goes_back) {
    state_.reason = goes_back ? "There is no earlier service revision to roll back to. " + why : why;
    out.push_back({.kind = ShiftChange::Kind::kEvent, .text = state_.reason});
    if (state_.source.empty()) out.push_back({.kind = ShiftChange::Kind::kShares, .source = 0, .target = 0});
    finish(ShiftStatus::kStopped, now, out);
    return false;
  }
  out.push_back({.kind = ShiftChange::Kind::kEvent, .text = "rolling back: " + why});
  fail(why, now);
  return true;
}

std::vector<ShiftChange> ShiftMachine::apply(const ShiftFacts& facts, Time now) {
  std::vector<ShiftChange> out;
  while (is_active()) {
    if (!watch(facts, now, out)) break;
    if (!work(facts, now, out) || !hooks_done(now, out)) {
      const bool hook_fell = !rolling_back() && std::any_of(state_.hooks.begin(), state_.hooks.end(), [](const HookRun& run) { return run.status == HookStatus::kFailed || run.status == HookStatus::kTimedOut; });
      if (hook_fell) continue;  // watch turns it round
      break;
    }
    if (state_.stage == Stage::kCleanUp) {
      finish(rolling_back() ? ShiftStatus::kRolledBack : ShiftStatus::kSuccessful, now, out);
      break;
    }
    if (!rolling_back()) enter(static_cast<Stage>(static_cast<int>(state_.stage) + 1), now);
    else enter(state_.stage == Stage::kProductionShift ? Stage::kTestShift : Stage::kCleanUp, now);
  }
  return out;
}

std::optional<Time> ShiftMachine::wakes() const {
  if (!is_active()) return std::nullopt;
  Time out = state_.stage_began + kStageMax;
  if (state_.stage == Stage::kBake) out = state_.stage_began + rule_.bake;
  if (state_.stage == Stage::kProductionShift && state_.step_began) out = *state_.step_began + rule_.step_bake;
  if (state_.weights_retry) out = std::min(out, *state_.weights_retry);
  for (const HookRun& run : state_.hooks) {
    if (is_over(run.status)) continue;
    out = std::min(out, run.expires);
    if (run.status == HookStatus::kInProgress && !run.is_asked) out = std::min(out, run.next);
  }
  return out;
}

}  // namespace reef::task
