#include "engine/edge/mesh/node_state.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

// Reactors are posted to only when somebody waits for a place: nobody does in these tests.
NodeState::Place enter(NodeState& state) {
  NodeState::Place out = NodeState::Place::kNone;
  [](NodeState& of, NodeState::Place& place) -> Task<void> {
    io::SystemClock clock;
    io::Reactor reactor(clock);
    place = co_await of.enter(reactor);
  }(state, out)
      .detach();
  return out;
}

TEST(NodeState, PlacesAreCountedOnlyWhereTheyAreLimited) {
  NodeState state;
  const auto free = enter(state);
  EXPECT_EQ(free, NodeState::Place::kFree);
  state.set_policies({}, {.in_use_max = 1, .pending_max = 0});
  const auto counted = enter(state);
  EXPECT_EQ(counted, NodeState::Place::kCounted);
  EXPECT_EQ(enter(state), NodeState::Place::kNone);
  EXPECT_EQ(state.in_use(), 2u);
  state.leave(free);
  EXPECT_EQ(enter(state), NodeState::Place::kNone);   // it never had a place of the pool
  state.leave(counted);
  EXPECT_EQ(enter(state), NodeState::Place::kCounted);
}

TEST(NodeState, IsQuietUntilSomethingFails) {
  NodeState state;
  const Time now = from_seconds(1'800'000'000);
  state.set_policies({.errors_max = 1, .ejected_percent_max = 100}, {});
  state.note("a", false, 2, now);
  EXPECT_TRUE(state.is_quiet());
  state.note("a", true, 2, now);
  EXPECT_FALSE(state.is_quiet());
  EXPECT_TRUE(state.is_ejected("a", now));
  EXPECT_FALSE(state.is_ejected("b", now));
  state.forget("a");
  EXPECT_FALSE(state.is_ejected("a", now));
}

}  // namespace
}  // namespace reef::edge::mesh
