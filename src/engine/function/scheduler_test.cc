#include "engine/function/scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "engine/store/simulation.h"

namespace reef::function {
namespace {

const Time kNow = from_seconds(1'000'000);

struct Scheduling : testing::Test {
  Scheduler scheduler{{.account_concurrency = 3, .environments_max = 2, .waiting_max = 10, .idle_max = 10s, .patience = 50ms}};
  Scheduler::Effects effects;
  Duration steady{0};
  void wait(Duration by) {
    steady += by;
    effects = {};
    scheduler.lose_patience(steady, effects);
  }
  Result<void, Refusal> invoke(InvocationId id, const std::string& version, std::optional<std::uint32_t> reserved = {}) {
    effects = {};
    return scheduler.invoke(id, version, "f-" + version, reserved, reserved.value_or(0), steady, effects);
  }
  void ready(EnvironmentId id, Time now = kNow) { effects = {}, scheduler.ready(id, now, steady, effects); }
  void gone(EnvironmentId id) { effects = {}, scheduler.gone(id, steady, effects); }
};

TEST_F(Scheduling, StartsForTheFirstInvocationAndReusesIdleOnes) {
  ASSERT_TRUE(invoke(1, "a").has_value());
  ASSERT_EQ(effects.start.size(), 1u);
  const EnvironmentId first = effects.start[0].environment;
  ready(first);
  ASSERT_EQ(effects.run.size(), 1u);
  EXPECT_EQ(effects.run[0].invocation, 1u);
  scheduler.finished(1);
  ready(first);
  EXPECT_TRUE(effects.run.empty());
  ASSERT_TRUE(invoke(2, "a").has_value());
  EXPECT_TRUE(effects.start.empty());
  ASSERT_EQ(effects.run.size(), 1u);
  EXPECT_EQ(effects.run[0].environment, first);
}

TEST_F(Scheduling, GivesTheFirstFreeEnvironmentToTheLongestWaiting) {
  ASSERT_TRUE(invoke(1, "a").has_value());
  const EnvironmentId first = effects.start[0].environment;
  ready(first);
  ASSERT_TRUE(invoke(2, "a").has_value());
  EXPECT_TRUE(effects.start.empty());
  wait(49ms);
  EXPECT_TRUE(effects.start.empty());
  wait(1ms);
  ASSERT_EQ(effects.start.size(), 1u);
  const EnvironmentId second = effects.start[0].environment;
  scheduler.finished(1);
  ready(first);
  ASSERT_EQ(effects.run.size(), 1u);
  EXPECT_EQ(effects.run[0].invocation, 2u);
  ready(second);
  EXPECT_TRUE(effects.run.empty());
}

struct BusyMachine : Scheduling {
  EnvironmentId first = 0, second = 0;
  BusyMachine() {
    scheduler = Scheduler({.account_concurrency = 100, .environments_max = 10, .patience = 50ms, .hot_environments = 1, .brief = 10ms, .busy_patience = 200ms});
    EXPECT_TRUE(invoke(1, "a").has_value());
    first = effects.start[0].environment;
    ready(first);
    EXPECT_TRUE(invoke(2, "a").has_value());
    wait(50ms);
    second = effects.start[0].environment;
    ready(second);
    scheduler.finished(1);
    scheduler.finished(2);
  }
  // Both are idle then, and their mean run is `took`.
  void run_for(Duration took) {
    for (InvocationId id = 100; id < 150; ++id) {
      ready(first);
      ready(second);
      EXPECT_TRUE(invoke(id, "a").has_value());
      EXPECT_TRUE(invoke(id + 100, "a").has_value());
      steady += took;
      scheduler.finished(id);
      scheduler.finished(id + 100);
    }
    ready(first);
    ready(second);
  }
};

TEST_F(BusyMachine, KeepsBriefRunsOnHotEnvironments) {
  run_for(1ms);
  scheduler.set_machine_busy(true);
  ASSERT_TRUE(invoke(3, "a").has_value());
  ASSERT_EQ(effects.run.size(), 1u);
  const EnvironmentId hot = effects.run[0].environment;
  ASSERT_TRUE(invoke(4, "a").has_value());
  EXPECT_TRUE(effects.run.empty());
  EXPECT_EQ(scheduler.waiting(), 1u);
  steady += 1ms;
  scheduler.finished(3);
  ready(hot);
  ASSERT_EQ(effects.run.size(), 1u);
  EXPECT_EQ(effects.run[0].environment, hot);
  EXPECT_EQ(effects.run[0].invocation, 4u);
}

TEST_F(BusyMachine, WakesAnIdleOneWhenPatienceEnds) {
  run_for(1ms);
  scheduler.set_machine_busy(true);
  ASSERT_TRUE(invoke(3, "a").has_value());
  ASSERT_TRUE(invoke(4, "a").has_value());
  wait(199ms);
  EXPECT_TRUE(effects.run.empty());
  wait(1ms);
  ASSERT_EQ(effects.run.size(), 1u);
  EXPECT_EQ(effects.run[0].invocation, 4u);
  EXPECT_TRUE(effects.start.empty());
}

TEST_F(BusyMachine, WakesAnIdleOneWhenTheHotOneDies) {
  run_for(1ms);
  scheduler.set_machine_busy(true);
  ASSERT_TRUE(invoke(3, "a").has_value());
  const EnvironmentId hot = effects.run[0].environment;
  ASSERT_TRUE(invoke(4, "a").has_value());
  gone(hot);
  ASSERT_EQ(effects.run.size(), 1u);
  EXPECT_EQ(effects.run[0].invocation, 4u);
  EXPECT_NE(effects.run[0].environment, hot);
}

TEST_F(BusyMachine, LongRunsAndIdleMachinesNeverWait) {
  run_for(20ms);
  scheduler.set_machine_busy(true);
  ASSERT_TRUE(invoke(3, "a").has_value());
  ASSERT_TRUE(invoke(4, "a").has_value());
  EXPECT_EQ(effects.run.size(), 1u);
  scheduler.finished(3);
  scheduler.finished(4);
  run_for(1ms);
  scheduler.set_machine_busy(false);
  ASSERT_TRUE(invoke(5, "a").has_value());
  ASSERT_TRUE(invoke(6, "a").has_value());
  EXPECT_EQ(effects.run.size(), 1u);
}

TEST_F(Scheduling, RefusesBeyondReservedAndAccountConcurrency) {
  EXPECT_EQ(invoke(1, "a", 0).error(), Refusal::kReservedConcurrency);
  ASSERT_TRUE(invoke(2, "a", 1).has_value());
  EXPECT_EQ(invoke(3, "a", 1).error(), Refusal::kReservedConcurrency);
  scheduler.finished(2);
  EXPECT_TRUE(invoke(4, "a", 1).has_value());
  for (InvocationId id = 5; id < 8; ++id) ASSERT_TRUE(invoke(id, "b").has_value());
  EXPECT_EQ(invoke(8, "b").error(), Refusal::kAccountConcurrency);
}

TEST_F(Scheduling, EvictsTheOldestIdleWhenTheMachineIsFull) {
  ASSERT_TRUE(invoke(1, "a").has_value());
  const EnvironmentId a = effects.start[0].environment;
  ASSERT_TRUE(invoke(2, "b").has_value());
  const EnvironmentId b = effects.start[0].environment;
  ready(a);
  ready(b);
  scheduler.finished(1);
  ready(a);
  ASSERT_TRUE(invoke(3, "c").has_value());
  EXPECT_EQ(effects.stop, std::vector<EnvironmentId>{a});
  ASSERT_EQ(effects.start.size(), 1u);
  // Full of busy ones: waits until one of them is free.
  scheduler.finished(2);
  ASSERT_TRUE(invoke(4, "d").has_value());
  EXPECT_TRUE(effects.start.empty());
  ready(b);
  EXPECT_EQ(effects.stop, std::vector<EnvironmentId>{b});
  ASSERT_EQ(effects.start.size(), 1u);
  EXPECT_EQ(effects.start[0].version, "d");
}

TEST_F(Scheduling, FailsOneInvocationWhenAnEnvironmentDoesNotStart) {
  ASSERT_TRUE(invoke(1, "a").has_value());
  gone(effects.start[0].environment);
  ASSERT_EQ(effects.fail.size(), 1u);
  EXPECT_EQ(effects.fail[0].invocation, 1u);
  EXPECT_TRUE(effects.start.empty());
}

TEST_F(Scheduling, ScalesToZeroAndRetires) {
  ASSERT_TRUE(invoke(1, "a").has_value());
  const EnvironmentId a = effects.start[0].environment;
  ready(a);
  scheduler.finished(1);
  ready(a);
  effects = {};
  scheduler.tick(kNow + 9s, effects);
  EXPECT_TRUE(effects.stop.empty());
  EXPECT_EQ(scheduler.next_tick(), kNow + 10s);
  scheduler.tick(kNow + 10s, effects);
  EXPECT_EQ(effects.stop, std::vector<EnvironmentId>{a});
  ASSERT_TRUE(invoke(2, "a").has_value());
  const EnvironmentId again = effects.start[0].environment;
  ready(again);
  effects = {};
  scheduler.retire("a", effects);
  EXPECT_TRUE(effects.stop.empty());
  scheduler.finished(2);
  ready(again);
  EXPECT_EQ(effects.stop, std::vector<EnvironmentId>{again});
  EXPECT_EQ(scheduler.environments(), 0u);
}

// Invocations of three versions come, environments start, die and idle, on a machine that is busy now and then: nobody
// waits for ever, no environment runs two at once, and no limit is passed.
void simulate(std::uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  const SchedulerLimits limits{.account_concurrency = 12, .environments_max = 6, .waiting_max = 20, .idle_max = 10s, .patience = 50ms,
                               .hot_environments = 1, .brief = 20ms, .busy_patience = 200ms};
  Scheduler scheduler(limits);
  std::set<InvocationId> waiting;
  std::map<EnvironmentId, InvocationId> busy;
  std::set<EnvironmentId> starting, idle;
  Duration steady{0};
  Time now = kNow;
  InvocationId last = 0;
  std::size_t failed = 0, finished = 0, refused = 0;
  const auto carry_out = [&](Scheduler::Effects& effects) {
    for (const EnvironmentId id : effects.stop) ASSERT_EQ(idle.erase(id), 1u);
    for (const auto& [id, version] : effects.start) ASSERT_TRUE(starting.insert(id).second);
    for (const auto& [id, invocation] : effects.fail) {
      ASSERT_EQ(waiting.erase(invocation), 1u);
      scheduler.finished(invocation);
      ++failed;
    }
    for (const auto& [id, invocation] : effects.run) {
      ASSERT_EQ(waiting.erase(invocation), 1u);
      ASSERT_TRUE(idle.erase(id) == 1);
      ASSERT_TRUE(busy.emplace(id, invocation).second);
    }
    ASSERT_LE(starting.size() + idle.size() + busy.size(), limits.environments_max);
  };
  const auto ready = [&](EnvironmentId id) {
    Scheduler::Effects effects;
    idle.insert(id);
    scheduler.ready(id, now, steady, effects);
    carry_out(effects);
  };
  const auto end_run = [&] {
    const auto [id, invocation] = *std::next(busy.begin(), static_cast<std::ptrdiff_t>(random.below(busy.size())));
    busy.erase(id);
    scheduler.finished(invocation);
    ++finished;
    Scheduler::Effects effects;
    if (random.below(10)) return ready(id);
    scheduler.gone(id, steady, effects);  // it crashed with its answer
    carry_out(effects);
  };
  const auto end_start = [&] {
    const EnvironmentId id = *std::next(starting.begin(), static_cast<std::ptrdiff_t>(random.below(starting.size())));
    starting.erase(id);
    Scheduler::Effects effects;
    if (random.below(8)) return ready(id);
    scheduler.gone(id, steady, effects);
    carry_out(effects);
  };
  const auto pass_time = [&](Duration by) {
    steady += by;
    now += by;
    Scheduler::Effects effects;
    scheduler.lose_patience(steady, effects);
    scheduler.tick(now, effects);
    carry_out(effects);
  };
  for (int step = 0; step < 800; ++step) {
    switch (random.below(8)) {
      case 0: case 1: case 2: {
        Scheduler::Effects effects;
        waiting.insert(++last);
        const std::string version(1, static_cast<char>('a' + random.below(3)));
        if (!scheduler.invoke(last, version, "f-" + version, {}, 0, steady, effects)) waiting.erase(last), ++refused;
        carry_out(effects);
        break;
      }
      case 3: case 4:
        if (!busy.empty()) end_run();
        break;
      case 5:
        if (!starting.empty()) end_start();
        break;
      case 6: pass_time(Duration(static_cast<std::int64_t>(random.below(30'000)))); break;
      case 7: scheduler.set_machine_busy(random.below(2) == 0); break;
    }
    ASSERT_EQ(scheduler.waiting(), waiting.size());
    ASSERT_LE(waiting.size() + busy.size(), limits.account_concurrency);
    if (testing::Test::HasFatalFailure()) return;
  }
  for (int round = 0; !waiting.empty() || !busy.empty(); ++round) {
    ASSERT_LT(round, 10'000) << waiting.size() << " wait for ever";
    if (!busy.empty()) end_run();
    if (!starting.empty()) end_start();
    pass_time(60ms);
  }
  EXPECT_EQ(finished + failed + refused, last);
  while (!starting.empty()) end_start();
  pass_time(1h);
  EXPECT_EQ(scheduler.environments(), 0u);
}

TEST(SchedulerSimulation, NobodyWaitsForEverAndNoLimitIsPassed) {
  const store::SimulationSeeds seeds(100);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    simulate(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace reef::function
