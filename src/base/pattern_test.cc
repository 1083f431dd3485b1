#include "base/pattern.h"

#include <gtest/gtest.h>

namespace reef {

TEST(Pattern, MatchesTheWholeText) {
  const auto pattern = Pattern::compile("/orders/[0-9]+");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->matches("/orders/17"));
  EXPECT_FALSE(pattern->matches("/orders/17/items"));
  EXPECT_FALSE(pattern->matches("x/orders/17"));
  EXPECT_FALSE(pattern->matches(""));
  const auto either = Pattern::compile("a|ab");
  EXPECT_TRUE(either->matches("ab"));
  EXPECT_TRUE(Pattern::compile("")->matches(""));
}

TEST(Pattern, SaysWhatIsWrong) {
  const auto broken = Pattern::compile("a(b");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("parenthesis"), std::string::npos) << broken.error().message;
}

TEST(Pattern, GivesUpRatherThanTakeForever) {
  const auto pattern = Pattern::compile("(a+)+b");
  EXPECT_FALSE(pattern->matches(std::string(5'000, 'a')));
  EXPECT_FALSE(Pattern::compile("(a|aa)*$x")->matches(std::string(100'000, 'a')));
  EXPECT_TRUE(Pattern::compile(".*")->matches(std::string(100'000, 'a')));
}

}  // namespace reef
