#include "service/cloudformation/recovery.h"

#include <gtest/gtest.h>

namespace reef::cloudformation {
namespace {

Resource resource(std::string physical_id, std::string status) {
  return {.logical_id = "Queue", .type = "AWS::SQS::Queue", .status = std::move(status), .state = {std::move(physical_id), {}}};
}

Stack updating(Resource now) {
  Stack stack;
  stack.work = Work::kUpdate;
  stack.previous.emplace();
  stack.leftovers.push_back({resource("old", "CREATE_COMPLETE"), true});
  stack.resources["Queue"] = std::move(now);
  return stack;
}

TEST(Recovery, AReplacementThatMayHaveBeenMadeIsLookedForAndTheOldOneStays) {
  Resource half_made = resource("old", "UPDATE_IN_PROGRESS");
  half_made.is_making = true;
  half_made.attempt = "attempt";
  Stack stack = updating(half_made);
  resume_interrupted(stack);
  EXPECT_EQ(stack.work, Work::kRollBackUpdate);
  prepare_rollback(stack);
  EXPECT_EQ(stack.resources["Queue"].state.physical_id, "old");
  EXPECT_EQ(stack.resources["Queue"].status, "CREATE_COMPLETE");
  ASSERT_EQ(stack.leftovers.size(), 1u);
  EXPECT_TRUE(stack.leftovers[0].resource.is_making);
  EXPECT_EQ(stack.leftovers[0].resource.attempt, "attempt");
  EXPECT_FALSE(stack.leftovers[0].resource.exists());
}

TEST(Recovery, AReplacementThatWasMadeBecomesTheLeftover) {
  Stack stack = updating(resource("new", "UPDATE_COMPLETE"));
  resume_interrupted(stack);
  prepare_rollback(stack);
  EXPECT_EQ(stack.resources["Queue"].state.physical_id, "old");
  ASSERT_EQ(stack.leftovers.size(), 1u);
  EXPECT_EQ(stack.leftovers[0].resource.state.physical_id, "new");
}

TEST(Recovery, AReplacementThatHadNotBegunLeavesNothing) {
  Stack stack = updating(resource("old", "UPDATE_IN_PROGRESS"));
  resume_interrupted(stack);
  prepare_rollback(stack);
  EXPECT_EQ(stack.resources["Queue"].state.physical_id, "old");
  EXPECT_TRUE(stack.leftovers.empty());
}

TEST(Recovery, HalfMadeStacksAreRolledBackOrDeleted) {
  Stack stack;
  stack.work = Work::kCreate;
  stack.on_failure = "ROLLBACK";
  stack.resources["Queue"] = resource("", "CREATE_IN_PROGRESS");
  resume_interrupted(stack);
  EXPECT_EQ(stack.work, Work::kRollBackCreate);
  EXPECT_EQ(stack.resources["Queue"].status, "CREATE_FAILED");
  stack.work = Work::kCreate;
  stack.on_failure = "DELETE";
  resume_interrupted(stack);
  EXPECT_EQ(stack.work, Work::kDelete);
  EXPECT_EQ(stack.status, "DELETE_IN_PROGRESS");
}

}  // namespace
}  // namespace reef::cloudformation
