#include "base/task.h"

#include <gtest/gtest.h>

#include <string>

#include "base/result.h"

namespace reef {
namespace {

Task<Result<std::string, int>> half(int value) {
  if (value % 2) co_return Err(value);
  co_return std::to_string(value / 2);
}

Task<Result<std::string, int>> quarter(int value) {
  const std::string first = CO_TRY(co_await half(value));
  const std::string second = CO_TRY(co_await half(std::stoi(first)));
  co_return second + "!";
}

TEST(Task, PassesValuesAndErrorsThroughTry) {
  auto good = quarter(8);
  ASSERT_TRUE(good.done());
  EXPECT_EQ(*std::move(good).take(), "2!");
  EXPECT_EQ(quarter(6).await_resume().error(), 3);
}

TEST(Task, SuspendsUntilTheValueArrives) {
  Later<int> later;
  auto wait = [](Later<int>& l) -> Task<int> { co_return co_await l + 1; };
  auto task = wait(later);
  EXPECT_FALSE(task.done());
  later.set(41);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(std::move(task).take(), 42);
}

TEST(Task, DetachedRunsToItsEnd) {
  Later<int> later;
  int seen = 0;
  auto wait = [](Later<int>& l, int& out) -> Task<void> { out = co_await l; };
  wait(later, seen).detach();
  later.set(7);
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace reef
