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

TEST(Pattern, MatchesAPartAndIgnoresCaseWhenAsked) {
  const auto part = Pattern::compile("b+", {.whole = false, .ignores_case = true});
  EXPECT_TRUE(part->matches("aBBc"));
  EXPECT_FALSE(part->matches("ac"));
}

TEST(Pattern, ReplacesTheFirstMatch) {
  const auto pattern = Pattern::compile("^/dp/([A-Z0-9]+)(x)?/?$", {.whole = false});
  EXPECT_EQ(pattern->groups(), 2u);
  EXPECT_EQ(pattern->replaced("/dp/B09/", "/product.php?id=$1&c=${1}$2&d=$$", 100)->value_or(""), "/product.php?id=B09&c=B09&d=$");
  EXPECT_FALSE(pattern->replaced("/other", "$1", 100)->has_value());
  EXPECT_FALSE(pattern->replaced("/dp/B09", "$1$1$1", 8));
  EXPECT_FALSE(pattern->replaced("/dp/B09", "$3", 100));
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
