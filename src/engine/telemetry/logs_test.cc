#include "engine/telemetry/logs.h"

#include <gtest/gtest.h>

#include "engine/store/simulation.h"

namespace reef::telemetry {
namespace {

// Found by the simulation: a new group took over the id, and the lines, of one that was removed.
TEST(Logs, IdsAreNeverUsedTwice) {
  store::SimulatedMachine machine(1, 1);
  auto logs = std::make_unique<Logs>(machine.kv());
  logs->start();
  ASSERT_TRUE(logs->create_group("g", "", machine.now()));
  ASSERT_TRUE(logs->create_stream("g", "s", machine.now()));
  const std::uint64_t group = logs->find_group("g")->id, stream = logs->find_stream("g", "s")->id;
  ASSERT_TRUE(logs->remove_group("g"));
  machine.step();
  logs = std::make_unique<Logs>(machine.kv());
  logs->start();
  ASSERT_TRUE(logs->create_group("h", "", machine.now()));
  EXPECT_GT(logs->find_group("h")->id, std::max(group, stream));
}

TEST(Logs, ARemovedGroupsLinesGo) {
  store::SimulatedMachine machine(1, 1);
  Logs logs(machine.kv());
  logs.start();
  logs.append_anyway("g", "s", "line", machine.now());
  ASSERT_EQ(logs.read("g", "s", 0, INT64_MAX, {}, true, 10).size(), 1u);
  ASSERT_TRUE(logs.remove_group("g"));
  for (int i = 0; i < 5; ++i) machine.step();
  const auto cursor = machine.kv().cursor();
  cursor->seek("logs/");
  EXPECT_FALSE(cursor->valid() && cursor->key().starts_with("logs/"));
}

// Also when the clock was set back between two processes.
TEST(Logs, LineNumbersAreNeverUsedTwice) {
  store::SimulatedMachine machine(1, 1);
  auto logs = std::make_unique<Logs>(machine.kv());
  logs->start();
  machine.step();
  const Time then = machine.now();
  logs->append_anyway("g", "s", "first", then);
  machine.step();
  logs = std::make_unique<Logs>(machine.kv());
  machine.advance(-1h);
  logs->start();
  logs->append("g", "s", {LogLine{.millis = to_millis(then), .message = "second"}}, machine.now());
  EXPECT_EQ(logs->read("g", "s", 0, INT64_MAX, {}, true, 10).size(), 2u);
}

}  // namespace
}  // namespace reef::telemetry
