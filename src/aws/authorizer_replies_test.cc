#include "aws/authorizer_replies.h"

#include <gtest/gtest.h>

namespace reef::aws {
namespace {

TEST(AuthorizerReplies, HoldForTheirTime) {
  AuthorizerReplies replies;
  replies.keep("k", wire::Json("yes"), from_seconds(10));
  ASSERT_TRUE(replies.find("k", from_seconds(9)));
  EXPECT_EQ(replies.find("k", from_seconds(9))->as_string(), "yes");
  EXPECT_FALSE(replies.find("k", from_seconds(10)));
  EXPECT_FALSE(replies.find("other", from_seconds(9)));
}

// Regression: values were joined by line feeds, which a query may contain, so that one caller could get another's reply.
TEST(AuthorizerReplies, TellCallersApart) {
  const auto key = [](std::vector<std::string> identity) { return AuthorizerReplies::key("api", "s", "auth", identity); };
  EXPECT_NE(key({"a\nb", "c"}), key({"a", "b\nc"}));
  EXPECT_NE(key({"a/1:b"}), key({"a", "b"}));
  EXPECT_NE(key({"", "a"}), key({"a", ""}));
  EXPECT_EQ(key({"a", "b"}), key({"a", "b"}));
}

TEST(AuthorizerReplies, AreBounded) {
  AuthorizerReplies replies;
  for (int i = 0; i < 25'000; ++i) replies.keep(std::to_string(i), wire::Json(i), from_seconds(100));
  EXPECT_FALSE(replies.find("0", from_seconds(1)));
  EXPECT_TRUE(replies.find("24999", from_seconds(1)));
}

}  // namespace
}  // namespace reef::aws
