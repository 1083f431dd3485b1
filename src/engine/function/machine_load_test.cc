#include "engine/function/machine_load.h"

#include <gtest/gtest.h>

namespace reef::function {
namespace {

TEST(MachineLoad, ReadsTheFirstLine) {
  const auto ticks = parse_processor_ticks("cpu  10 20 30 400 50 6 7 8 100 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n");
  ASSERT_TRUE(ticks.has_value());
  EXPECT_EQ(ticks->total, 531u);
  EXPECT_EQ(ticks->idle, 450u);
}

TEST(MachineLoad, TakesTheFewFieldsOfOldKernelsAndNothingElse) {
  const auto ticks = parse_processor_ticks("cpu 1 2 3 4\n");
  ASSERT_TRUE(ticks.has_value());
  EXPECT_EQ(ticks->idle, 4u);
  EXPECT_FALSE(parse_processor_ticks("").has_value());
  EXPECT_FALSE(parse_processor_ticks("cpu ").has_value());
  EXPECT_FALSE(parse_processor_ticks("cpu 1 2").has_value());
  EXPECT_FALSE(parse_processor_ticks("intr 1 2 3 4").has_value());
}

TEST(MachineLoad, IsNotBusyBeforeItHasWatched) {
  MachineLoad load;
  EXPECT_FALSE(load.is_busy(1h));
  EXPECT_FALSE(load.is_busy(1h + 1ms));
}

}  // namespace
}  // namespace reef::function
