#include "engine/task/task_machine.h"

#include <gtest/gtest.h>

namespace reef::task {
namespace {

using Kind = Action::Kind;
const Time kStart = from_seconds(1000);

TEST(TaskMachine, StartsInTheOrderOfDependencies) {
  TaskMachine task({{.depends_on = {{1, Reach::kHealthy}, {2, Reach::kSuccess}}},
                    {.health = HealthRule{.interval = 5s, .retries = 2}},
                    {.essential = false}}, kStart);
  EXPECT_EQ(task.apply(kStart), (std::vector<Action>{{Kind::kStart, 1}, {Kind::kStart, 2}}));
  task.started(1, kStart);
  task.started(2, kStart);
  EXPECT_TRUE(task.apply(kStart).empty());
  task.exited(2, 0, {}, kStart + 1s);
  EXPECT_TRUE(task.apply(kStart + 1s).empty());
  EXPECT_EQ(task.wakes(), kStart + 5s);
  EXPECT_EQ(task.apply(kStart + 5s), (std::vector<Action>{{Kind::kProbe, 1}}));
  task.probed(1, true, kStart + 6s);
  EXPECT_EQ(task.apply(kStart + 6s), (std::vector<Action>{{Kind::kStart, 0}}));
  EXPECT_EQ(task.state(), TaskState::kPending);
  task.started(0, kStart + 6s);
  static_cast<void>(task.apply(kStart + 6s));
  EXPECT_EQ(task.state(), TaskState::kRunning);
}

TEST(TaskMachine, AnEssentialContainersEndStopsTheOthersDependentsFirst) {
  TaskMachine task({{}, {.depends_on = {{2}}}, {}}, kStart);
  static_cast<void>(task.apply(kStart));
  task.started(0, kStart);
  task.started(2, kStart);
  static_cast<void>(task.apply(kStart));
  task.started(1, kStart);
  static_cast<void>(task.apply(kStart));
  ASSERT_EQ(task.state(), TaskState::kRunning);
  task.exited(0, 3, {}, kStart + 1s);
  EXPECT_EQ(task.apply(kStart + 1s), (std::vector<Action>{{Kind::kStop, 1}}));
  task.exited(1, 143, {}, kStart + 2s);
  EXPECT_EQ(task.apply(kStart + 2s), (std::vector<Action>{{Kind::kStop, 2}}));
  task.exited(2, 143, {}, kStart + 3s);
  static_cast<void>(task.apply(kStart + 3s));
  EXPECT_EQ(task.state(), TaskState::kStopped);
  EXPECT_EQ(task.stop_code(), StopCode::kEssentialExited);
  EXPECT_EQ(task.stop_reason(), "Essential container in task exited");
}

TEST(TaskMachine, AFailedPreconditionFailsTheTask) {
  TaskMachine task({{.depends_on = {{1, Reach::kSuccess}}}, {.essential = false}}, kStart);
  static_cast<void>(task.apply(kStart));
  task.started(1, kStart);
  task.exited(1, 1, {}, kStart);
  static_cast<void>(task.apply(kStart));
  static_cast<void>(task.apply(kStart));
  EXPECT_EQ(task.state(), TaskState::kStopped);
  EXPECT_EQ(task.stop_code(), StopCode::kFailedToStart);
}

TEST(TaskMachine, StartTimeoutEndsTheWaiting) {
  TaskMachine task({{.depends_on = {{1, Reach::kComplete}}, .start_timeout = 10s}, {.essential = false}}, kStart);
  static_cast<void>(task.apply(kStart));
  task.started(1, kStart);
  static_cast<void>(task.apply(kStart + 9s));
  EXPECT_EQ(task.state(), TaskState::kPending);
  EXPECT_EQ(task.wakes(), kStart + 10s);
  EXPECT_EQ(task.apply(kStart + 10s), (std::vector<Action>{{Kind::kStop, 1}}));
}

TEST(TaskMachine, RestartsByItsRule) {
  TaskMachine task({{.restart = RestartRule{.least_run = 60s, .ignored_codes = {0}}}}, kStart);
  static_cast<void>(task.apply(kStart));
  task.started(0, kStart);
  static_cast<void>(task.apply(kStart));
  task.exited(0, 1, {}, kStart + 61s);
  EXPECT_EQ(task.apply(kStart + 61s), (std::vector<Action>{{Kind::kStart, 0}}));
  task.started(0, kStart + 61s);
  EXPECT_EQ(task.containers()[0].restarts, 1);
  task.exited(0, 0, {}, kStart + 200s);
  static_cast<void>(task.apply(kStart + 200s));
  EXPECT_EQ(task.state(), TaskState::kStopped);
}

TEST(TaskMachine, UnhealthyNeedsItsRetriesAfterTheGrace) {
  TaskMachine task({{.health = HealthRule{.interval = 10s, .grace = 15s, .retries = 2}}}, kStart);
  static_cast<void>(task.apply(kStart));
  task.started(0, kStart);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(task.apply(kStart + i * 10s), (std::vector<Action>{{Kind::kProbe, 0}}));
    EXPECT_EQ(task.health(), Health::kUnknown);
    task.probed(0, false, kStart + i * 10s);
  }
  EXPECT_EQ(task.health(), Health::kUnhealthy);
}

}  // namespace
}  // namespace reef::task
