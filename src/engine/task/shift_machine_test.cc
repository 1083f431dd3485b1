#include "engine/task/shift_machine.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace reef::task {
namespace {

using Kind = ShiftChange::Kind;

// A service whose tasks come up at once, and a balancer that does as told.
struct World {
  ShiftMachine shift;
  Time now = from_seconds(1000);
  ShiftFacts facts;
  double source_share = 100, target_share = 0;
  std::vector<std::pair<double, double>> weights;
  std::vector<std::string> stages, asked, events;
  std::vector<std::pair<Stage, HookStatus>> answers;  // what hooks say, by stage
  bool done = false, comes_up = true, balancer_works = true;

  void begin(ShiftRule rule, const std::string& source = "blue", bool has_others = false) {
    shift.set_rule(std::move(rule));
    shift.begin(source, "green", has_others, now);
    step();
  }
  void step() {
    for (int round = 0; round < 50; ++round) {
      facts.target_serves = comes_up && target_share == 100;
      facts.target_gone = target_share == 0;
      facts.source_gone = source_share == 0;
      const Stage before = shift.state().stage;
      const auto changes = shift.apply(facts, now);
      if (stages.empty() || stages.back() != name_of(shift.state().stage)) stages.emplace_back(name_of(shift.state().stage));
      bool any = before != shift.state().stage;
      for (const ShiftChange& change : changes) {
        if (change.kind == Kind::kShares) {
          any = any || source_share != change.source || target_share != change.target;
          source_share = change.source;
          target_share = change.target;
        }
        if (change.kind == Kind::kWeights) {
          any = true;
          if (!balancer_works) {
            shift.weights_failed(now);
            continue;
          }
          weights.emplace_back(change.source, change.target);
          shift.weights_set(change.source, change.target, now);
        }
        if (change.kind == Kind::kHook) {
          any = true;
          const HookRun run = shift.state().hooks[change.run];
          asked.emplace_back(name_of(shift.state().stage));
          HookStatus answer = HookStatus::kSucceeded;
          for (const auto& [stage, status] : answers)
            if (stage == shift.state().stage) answer = status;
          shift.hook_answered(run.id, answer, "", 30s, now);
        }
        if (change.kind == Kind::kEvent) events.push_back(change.text);
        if (change.kind == Kind::kDone) done = true;
      }
      if (!any) return;
    }
    FAIL() << "it never comes to rest";
  }
  void wait(Duration time) {
    for (const Time until = now + time; now < until;) {
      const auto wakes = shift.wakes();
      now = wakes && *wakes < until && *wakes > now ? *wakes : until;
      step();
    }
  }
  double production() const { return weights.empty() ? 0 : weights.back().first; }
};

TEST(ShiftMachine, ShiftsAllAtOnceThenBakesAndCleansUp) {
  World world;
  world.begin({.bake = 5min, .has_test = true});
  EXPECT_EQ(world.shift.state().stage, Stage::kBake);
  EXPECT_EQ(world.weights, (std::vector<std::pair<double, double>>{{0, 0}, {0, 100}, {100, 100}}));
  EXPECT_EQ(world.source_share, 100);
  world.wait(4min);
  EXPECT_FALSE(world.done);
  world.wait(2min);
  EXPECT_TRUE(world.done);
  EXPECT_EQ(world.source_share, 0);
  EXPECT_EQ(world.shift.state().status, ShiftStatus::kSuccessful);
}

TEST(ShiftMachine, TakesNoTrafficBeforeItServes) {
  World world;
  world.comes_up = false;
  world.begin({});
  EXPECT_EQ(world.shift.state().stage, Stage::kScaleUp);
  EXPECT_EQ(world.production(), 0);
  world.comes_up = true;
  world.step();
  EXPECT_EQ(world.production(), 100);
}

TEST(ShiftMachine, CanaryTakesTwoStepsAndLinearMany) {
  World canary;
  canary.begin({.step_percent = 5.5, .is_canary = true, .step_bake = 10min});
  EXPECT_EQ(canary.production(), 5.5);
  canary.wait(9min);
  EXPECT_EQ(canary.production(), 5.5);
  canary.wait(2min);
  EXPECT_EQ(canary.production(), 100);
  EXPECT_TRUE(canary.done);

  World linear;
  linear.begin({.step_percent = 40, .step_bake = 1min});
  EXPECT_EQ(linear.production(), 40);
  linear.wait(1min);
  EXPECT_EQ(linear.production(), 80);
  linear.wait(1min);
  EXPECT_EQ(linear.production(), 100);
  EXPECT_TRUE(linear.done);
}

TEST(ShiftMachine, AsksHooksAtTheirStagesAndAgainWhenTheyAreNotDone) {
  World world;
  world.answers = {{Stage::kPostScaleUp, HookStatus::kInProgress}};
  world.begin({.hooks = {{.stages = {Stage::kReconcile, Stage::kPreScaleUp, Stage::kPostScaleUp, Stage::kProductionShift}}}});
  EXPECT_EQ(world.asked, (std::vector<std::string>{"PRE_SCALE_UP", "POST_SCALE_UP"}));
  world.wait(31s);
  EXPECT_EQ(world.asked.size(), 3u);
  world.answers.clear();
  world.wait(30s);
  EXPECT_TRUE(world.done);
  EXPECT_EQ(world.asked.back(), "PRODUCTION_TRAFFIC_SHIFT");
}

TEST(ShiftMachine, AFailedHookGoesBackAndIsAskedOnTheWayBack) {
  World world;
  world.answers = {{Stage::kPostProductionShift, HookStatus::kFailed}};
  world.begin({.bake = 5min, .has_test = true, .hooks = {{.stages = {Stage::kPostProductionShift, Stage::kProductionShift, Stage::kTestShift}}}});
  EXPECT_TRUE(world.done);
  EXPECT_EQ(world.shift.state().status, ShiftStatus::kRolledBack);
  EXPECT_EQ(world.weights.back(), (std::pair<double, double>{0, 0}));
  EXPECT_EQ(world.target_share, 0);
  EXPECT_EQ(world.source_share, 100);
  EXPECT_EQ(world.asked, (std::vector<std::string>{"TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"}));
}

TEST(ShiftMachine, AnAlarmDuringTheCanaryGoesBack) {
  World world;
  world.begin({.step_percent = 10, .is_canary = true, .step_bake = 10min});
  world.wait(3min);
  world.facts.alarm = "errors";
  world.step();
  EXPECT_TRUE(world.done);
  EXPECT_EQ(world.production(), 0);
  EXPECT_EQ(world.shift.state().status, ShiftStatus::kRolledBack);
  EXPECT_NE(world.shift.state().reason.find("errors"), std::string::npos);
}

TEST(ShiftMachine, BrokenTasksGoBackOrStopWithoutRollback) {
  World back;
  back.comes_up = false;
  back.begin({});
  back.facts.target_broken = true;
  back.step();
  EXPECT_EQ(back.shift.state().status, ShiftStatus::kRolledBack);

  World stays;
  stays.comes_up = false;
  stays.begin({.rolls_back = false});
  stays.facts.target_broken = true;
  stays.step();
  EXPECT_EQ(stays.shift.state().status, ShiftStatus::kStopped);
  EXPECT_EQ(stays.source_share, 100);

  World first;
  first.comes_up = false;
  first.begin({}, "");
  first.facts.target_broken = true;
  first.step();
  EXPECT_EQ(first.shift.state().status, ShiftStatus::kStopped);
}

TEST(ShiftMachine, PausesUntilSomebodySaysSoOrTheTimeIsOver) {
  World world;
  world.begin({.hooks = {{.stages = {Stage::kPostTestShift}, .is_pause = true, .patience = 60min}}});
  EXPECT_EQ(world.shift.state().stage, Stage::kPostTestShift);
  ASSERT_EQ(world.shift.state().hooks.size(), 1u);
  EXPECT_FALSE(world.shift.continue_hook("other", true, world.now));
  EXPECT_TRUE(world.shift.continue_hook(world.shift.state().hooks[0].id, true, world.now));
  world.step();
  EXPECT_EQ(world.shift.state().status, ShiftStatus::kSuccessful);

  World late;
  late.begin({.hooks = {{.stages = {Stage::kPostTestShift}, .is_pause = true, .patience = 60min}}});
  late.wait(61min);
  EXPECT_EQ(late.shift.state().status, ShiftStatus::kRolledBack);

  World goes_on;
  goes_on.begin({.hooks = {{.stages = {Stage::kPostTestShift}, .is_pause = true, .continues_late = true, .patience = 60min}}});
  goes_on.wait(61min);
  EXPECT_EQ(goes_on.shift.state().status, ShiftStatus::kSuccessful);
}

TEST(ShiftMachine, ABalancerThatRefusesIsAskedAgain) {
  World world;
  world.balancer_works = false;
  world.begin({});
  EXPECT_EQ(world.shift.state().stage, Stage::kScaleUp);
  world.balancer_works = true;
  world.wait(3s);
  EXPECT_TRUE(world.done);
}

// Whenever the daemon dies, a shift goes on from its record to the same end.
TEST(ShiftMachine, GoesOnAfterARestartAtAnyStage) {
  for (int minutes = 0; minutes < 20; ++minutes) {
    World world;
    world.answers = {{Stage::kPostScaleUp, HookStatus::kInProgress}};
    world.begin({.step_percent = 30, .step_bake = 1min, .bake = 3min, .has_test = true, .hooks = {{.stages = {Stage::kPostScaleUp}}}});
    world.wait(1min);
    world.answers.clear();
    world.wait(std::chrono::minutes(minutes));
    if (world.done) break;
    const ShiftState kept = world.shift.state();
    const double had = world.production();
    World again;
    again.now = world.now;
    again.source_share = world.source_share;
    again.target_share = world.target_share;
    again.shift.set_rule(world.shift.rule());
    again.shift.restore(kept);
    again.step();
    EXPECT_GE(again.production(), had) << minutes;
    again.wait(20min);
    EXPECT_TRUE(again.done) << minutes;
    EXPECT_EQ(again.production(), 100);
    EXPECT_EQ(again.source_share, 0);
  }
}

TEST(ShiftMachine, AUserMayGoBackUntilItIsOver) {
  World world;
  world.begin({.bake = 5min});
  EXPECT_TRUE(world.shift.roll_back("stopped by a user", world.now));
  EXPECT_EQ(world.shift.state().status, ShiftStatus::kRollbackRequested);
  world.step();
  EXPECT_EQ(world.shift.state().status, ShiftStatus::kRolledBack);
  EXPECT_FALSE(world.shift.roll_back("again", world.now));
}

}  // namespace
}  // namespace reef::task
