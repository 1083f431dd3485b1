#include "engine/task/service_machine.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace reef::task {
namespace {

using Kind = Change::Kind;

// Runs a machine against tasks that behave as told.
struct World {
  ServiceMachine service;
  Time now = from_seconds(1000);
  int next = 0;
  std::vector<std::string> events;
  std::map<std::string, std::string> versions;     // of deployments
  std::set<std::string> stopping;
  int upper_seen = 0;

  void deploy(const std::string& id, const std::string& version, bool is_rollback = false) {
    versions[id] = version;
    service.deploy({.id = id, .version = version, .created = now, .updated = now, .is_rollback = is_rollback});
  }
  void step() {
    for (bool again = true; again;) {
      again = false;
      for (const Change& change : service.apply(now)) {
        if (change.kind == Kind::kRun) service.task_made("t" + std::to_string(next++), change.id, now);
        if (change.kind == Kind::kStop) stopping.insert(change.id);
        if (change.kind == Kind::kEvent) events.push_back(change.reason);
        if (change.kind == Kind::kRollback) {
          deploy("rollback", change.id, true);
          again = true;
        }
      }
    }
    upper_seen = std::max(upper_seen, static_cast<int>(service.members().size() - stopping.size()));
  }
  // Good versions run, bad ones end at once; what is to stop does.
  void progress() {
    const auto members = service.members();
    for (const auto& [id, member] : members) {
      if (stopping.contains(id)) service.task_stopped(id, false, now);
      else if (versions[member.deployment] == "bad") service.task_stopped(id, true, now);
      else if (member.state == MemberState::kPending) service.task_running(id, now);
    }
    stopping.clear();
    step();
    now += 1s;
    step();
  }
  int serving(const std::string& version) const {
    int out = 0;
    for (const auto& [id, member] : service.members()) out += versions.at(member.deployment) == version && member.state == MemberState::kRunning;
    return out;
  }
};

TEST(ServiceMachine, ReachesAndKeepsTheDesiredCount) {
  World world;
  world.service.set_desired(3, world.now);
  world.deploy("d1", "good");
  world.step();
  world.progress();
  EXPECT_EQ(world.serving("good"), 3);
  EXPECT_TRUE(world.service.is_steady());
  EXPECT_EQ(world.service.deployments()[0].state, RolloutState::kCompleted);
  world.service.task_stopped(world.service.members().begin()->first, true, world.now);
  world.step();
  world.progress();
  EXPECT_TRUE(world.service.is_steady());
  world.service.set_desired(1, world.now);
  world.step();
  world.progress();
  EXPECT_EQ(world.service.members().size(), 1u);
}

TEST(ServiceMachine, RollsWithinItsBounds) {
  World world;
  world.service.set_rule({.minimum_percent = 50, .maximum_percent = 150});
  world.service.set_desired(4, world.now);
  world.deploy("d1", "good");
  world.step();
  world.progress();
  ASSERT_TRUE(world.service.is_steady());
  world.upper_seen = 0;
  world.deploy("d2", "better");
  world.step();
  for (int i = 0; i < 10 && !world.service.is_steady(); ++i) {
    EXPECT_GE(world.serving("good") + world.serving("better"), 2);
    world.progress();
  }
  EXPECT_EQ(world.serving("better"), 4);
  EXPECT_LE(world.upper_seen, 6);
  EXPECT_EQ(world.service.deployments().size(), 1u);
}

TEST(ServiceMachine, TheBreakerRollsBack) {
  World world;
  world.service.set_rule({.breaker = true, .rollback = true});
  world.service.set_desired(2, world.now);
  world.deploy("d1", "good");
  world.step();
  world.progress();
  ASSERT_TRUE(world.service.is_steady());
  world.deploy("d2", "bad");
  world.step();
  for (int i = 0; i < 10; ++i) world.progress();
  EXPECT_EQ(world.serving("good"), 2);
  EXPECT_EQ(world.service.deployments()[0].id, "rollback");
  EXPECT_EQ(world.service.deployments()[0].state, RolloutState::kCompleted);
}

TEST(ServiceMachine, ADeploymentIsCompleteOnlyAfterItsBake) {
  World world;
  world.service.set_rule({.bake = 60s});
  world.service.set_desired(1, world.now);
  world.deploy("d1", "good");
  world.step();
  for (int i = 0; i < 3; ++i) world.progress();
  EXPECT_TRUE(world.service.is_steady());  // the first one of all
  world.deploy("d2", "better");
  world.step();
  for (int i = 0; i < 20; ++i) world.progress();
  EXPECT_EQ(world.serving("better"), 1);
  EXPECT_EQ(world.service.deployments()[0].state, RolloutState::kInProgress);
  const auto wakes = world.service.wakes();
  ASSERT_TRUE(wakes);
  EXPECT_GT(*wakes, world.now + 30s);
  world.now = *wakes;
  world.step();
  EXPECT_EQ(world.service.deployments()[0].state, RolloutState::kCompleted);
  EXPECT_EQ(world.events.back(), "has reached a steady state.");
}

TEST(ServiceMachine, ABadVersionWithoutBreakerIsTriedEverMoreRarely) {
  World world;
  world.service.set_desired(1, world.now);
  world.deploy("d1", "bad");
  world.step();
  for (int i = 0; i < 100; ++i) world.progress();
  EXPECT_LT(world.next, 15);
  EXPECT_GT(world.next, 5);
}

TEST(ServiceMachine, UnhealthyTasksAreReplacedAfterTheGrace) {
  World world;
  world.service.set_rule({.probed = true, .grace = 30s});
  world.service.set_desired(1, world.now);
  world.deploy("d1", "good");
  world.step();
  world.progress();
  world.service.task_health("t0", false, world.now);
  world.step();
  EXPECT_TRUE(world.stopping.empty());
  EXPECT_FALSE(world.service.is_steady());
  world.now += 31s;
  world.step();
  EXPECT_EQ(world.stopping, std::set<std::string>{"t0"});
}

// One seed, one history: versions good and bad, deaths, scaling. In the end everything settles.
TEST(ServiceMachine, SettlesWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    World world;
    // Bounds that leave room, as rounding may leave none: with one task, 50 % and 150 % allow no step, on AWS too.
    const RolloutRule rule{.minimum_percent = static_cast<int>(random.below(101)), .maximum_percent = static_cast<int>(200 + random.below(50)),
                           .breaker = random.below(2) == 1, .rollback = random.below(2) == 1};
    world.service.set_rule(rule);
    world.service.set_desired(static_cast<int>(1 + random.below(8)), world.now);
    world.deploy("d0", "good");
    for (int i = 1; i < 60; ++i) {
      switch (random.below(6)) {
        case 0: world.deploy("d" + std::to_string(i), random.below(2) ? "good" : "bad"); break;
        case 1: world.service.set_desired(static_cast<int>(random.below(9)), world.now); break;
        case 2:
          if (!world.service.members().empty()) {
            const std::string victim = world.service.members().begin()->first;
            world.stopping.erase(victim);
            world.service.task_stopped(victim, true, world.now);
          }
          break;
        default: world.progress();
      }
      world.step();
      int live = 0;
      for (const auto& [id, member] : world.service.members()) live += member.state != MemberState::kStopping;
      ASSERT_LE(live, std::max(8 * rule.maximum_percent / 100, 8)) << "seed " << seed;
    }
    world.deploy("last", "good");
    world.step();
    for (int i = 0; i < 200 && !world.service.is_steady(); ++i) world.progress();
    ASSERT_TRUE(world.service.is_steady()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace reef::task
