#include "engine/deploy/walk.h"

#include <gtest/gtest.h>

namespace reef::deploy {
namespace {

using Names = std::vector<std::string>;

TEST(DeployWalk, StartsWhatIsReadyAndNothingElse) {
  const Graph graph{{"a", {}}, {"b", {"a"}}, {"c", {"a"}}, {"d", {"b", "c"}}, {"e", {"elsewhere"}}};
  Walk walk(graph, 10);
  EXPECT_EQ(walk.start_ready(), (Names{"a", "e"}));
  EXPECT_EQ(walk.start_ready(), Names{});
  walk.finish("a", true);
  EXPECT_EQ(walk.start_ready(), (Names{"b", "c"}));
  walk.finish("b", true);
  EXPECT_EQ(walk.start_ready(), Names{});
  walk.finish("c", true);
  EXPECT_EQ(walk.start_ready(), Names{"d"});
  walk.finish("d", true);
  EXPECT_FALSE(walk.is_over());
  walk.finish("e", true);
  EXPECT_TRUE(walk.is_over());
  EXPECT_FALSE(walk.has_failed());
}

TEST(DeployWalk, StartsNothingAfterAFailureButWaitsForWhatRuns) {
  const Graph graph{{"a", {}}, {"b", {}}, {"c", {"a"}}};
  Walk walk(graph, 10);
  walk.start_ready();
  walk.finish("b", false);
  EXPECT_FALSE(walk.is_over());
  walk.finish("a", true);
  EXPECT_EQ(walk.start_ready(), Names{});
  EXPECT_TRUE(walk.is_over());
  EXPECT_EQ(walk.failed(), Names{"b"});
  EXPECT_EQ(walk.state("c"), NodeState::kWaiting);
}

TEST(DeployWalk, RunsNoMoreThanAllowed) {
  Walk walk({{"a", {}}, {"b", {}}, {"c", {}}}, 2);
  EXPECT_EQ(walk.start_ready(), (Names{"a", "b"}));
  walk.finish("a", true);
  EXPECT_EQ(walk.start_ready(), Names{"c"});
}

TEST(DeployGraph, FindsCyclesAndTurnsRound) {
  EXPECT_EQ(find_cycle({{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}}), (Names{"b", "c"}));
  EXPECT_TRUE(find_cycle({{"a", {"b"}}, {"b", {"x"}}}).empty());
  EXPECT_EQ(reversed({{"a", {"b"}}, {"b", {}}}), (Graph{{"a", {}}, {"b", {"a"}}}));
}

}  // namespace
}  // namespace reef::deploy
