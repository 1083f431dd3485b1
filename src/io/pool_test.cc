#include "io/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

namespace reef::io {
namespace {

TEST(Pool, WorkThatEndsAfterItsLoopIsDropped) {
  SystemClock clock;
  auto loop = std::make_unique<Reactor>(clock);
  bool posted = false;
  post_if_living(*loop, [&] { posted = true; });
  loop->run_once(Duration(0));
  EXPECT_TRUE(posted);
  Reactor* const gone = loop.get();
  loop.reset();
  auto work = std::make_shared<int>(1);
  post_if_living(*gone, [work] {});
  EXPECT_EQ(work.use_count(), 1);
}

TEST(Pool, GivesWhatWasMadeOnTheLoopThatAsked) {
  SystemClock clock;
  Reactor loop(clock);
  Pool pool("test", 1);
  std::optional<int> got;
  const auto ask = [&]() -> Task<void> {
    got = co_await pool.run([] { return 7; });
    EXPECT_EQ(Reactor::current_or_null(), &loop);
  };
  loop.post([&] { ask().detach(); });
  while (!got) loop.run_once(std::chrono::seconds(1));
  EXPECT_EQ(got, 7);
}

}  // namespace
}  // namespace reef::io
