// Moves a service's traffic from one version to another: brings the new one up beside the old one, shifts test and then
// production traffic to it in steps, waits, asks hooks at every stage, and goes back when something fails. A pure machine.
//
// Always true: the old version keeps all its tasks until kCleanUp, so that going back is a matter of weights; traffic
// goes to a version only while its tasks serve; everything that must survive a restart is in ShiftState.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace reef::task {

enum class Stage { kReconcile, kPreScaleUp, kScaleUp, kPostScaleUp, kTestShift, kPostTestShift, kPreProductionShift, kProductionShift, kPostProductionShift, kBake, kCleanUp };
enum class ShiftStatus { kInProgress, kSuccessful, kStopped, kRollbackRequested, kRollingBack, kRolledBack };
enum class HookStatus { kAwaiting, kInProgress, kSucceeded, kFailed, kTimedOut };

struct ShiftHook {
  std::vector<Stage> stages;
  bool is_pause = false;           // waits for somebody's word instead of asking a function
  bool continues_late = false;     // what happens when the time is over
  Duration patience = 24h;
};

struct ShiftRule {
  double step_percent = 100;       // of production traffic at once
  bool is_canary = false;          // after the first step everything
  Duration step_bake{}, bake{};
  bool has_test = false;           // there is test traffic to shift
  bool rolls_back = true;          // after failed tasks; failed hooks always go back
  std::vector<ShiftHook> hooks;
};

struct HookRun {
  std::string id;
  std::size_t hook = 0;            // index into the rule's hooks
  HookStatus status = HookStatus::kInProgress;
  Time next{}, expires{};
  std::string details;             // what its last answer handed on
  bool is_asked = false;           // an answer is under way; not kept over restarts
};

struct ShiftState {
  std::string source, target;      // deployments; no source: it is the first
  Stage stage = Stage::kReconcile;
  ShiftStatus status = ShiftStatus::kInProgress;
  Time began{}, stage_began{}, updated{};
  std::optional<Time> finished, rollback_began, step_began;
  std::string reason;
  bool had_others = false;         // tasks of earlier attempts had to go first
  bool hooks_made = false;         // of this stage
  double production = 0, test = 0;                        // percent for the target, wanted
  std::optional<double> production_set, test_set;         // as the balancer has them
  std::optional<Time> weights_retry;
  std::vector<HookRun> hooks;      // of this stage
};

// What is true of the tasks and alarms now.
struct ShiftFacts {
  bool others_gone = true;         // tasks of neither source nor target
  bool target_serves = false, target_broken = false;
  bool source_gone = false, target_gone = false;
  std::string alarm;               // rings
};

struct ShiftChange {
  enum class Kind { kShares, kWeights, kHook, kEvent, kDone };
  Kind kind;
  double source = 0, target = 0;   // kShares: percent of the desired tasks; kWeights: target's percent of production (source) and test (target)
  std::size_t run = 0;             // kHook: index into state().hooks
  std::string text;
};

class ShiftMachine {
 public:
  void set_rule(ShiftRule rule) { rule_ = std::move(rule); }
  const ShiftRule& rule() const { return rule_; }
  void begin(std::string source, std::string target, bool has_others, Time now);
  void restore(ShiftState state);  // after a restart: weights are set and hooks are asked again

  // What happened. `delay`: when a hook wants to be asked again.
  void hook_answered(std::string_view id, HookStatus status, std::string details, Duration delay, Time now);
  bool continue_hook(std::string_view id, bool goes_on, Time now);  // a pause ends; false: no such pause waits
  void weights_set(double production, double test, Time now);
  void weights_failed(Time now);
  bool roll_back(std::string reason, Time now);  // by a user; false: it is over
  void abandon(std::string reason, Time now);    // a newer deployment takes its place, or the service goes

  std::vector<ShiftChange> apply(const ShiftFacts& facts, Time now);
  std::optional<Time> wakes() const;

  bool is_active() const { return !state_.target.empty() && !state_.finished; }
  bool rolling_back() const { return state_.status == ShiftStatus::kRollingBack; }
  const ShiftState& state() const { return state_; }

 private:
  void enter(Stage stage, Time now);
  void finish(ShiftStatus status, Time now, std::vector<ShiftChange>& out);
  void fail(std::string reason, Time now);
  bool work(const ShiftFacts& facts, Time now, std::vector<ShiftChange>& out);
  bool shift_production(Time now, std::vector<ShiftChange>& out);
  bool weights(double production, double test, Time now, std::vector<ShiftChange>& out);
  bool hooks_done(Time now, std::vector<ShiftChange>& out);
  bool watch(const ShiftFacts& facts, Time now, std::vector<ShiftChange>& out);

  ShiftRule rule_;
  ShiftState state_;
  bool weights_asked_ = false;
};

const char* name_of(Stage stage);
std::optional<Stage> parse_stage(std::string_view name);
const char* name_of(HookStatus status);

}  // namespace reef::task
