#include "engine/edge/balancer/rewrite.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

Rewrite of(const std::string& expression, std::string replacement) {
  return {.pattern = std::make_shared<const Pattern>(*Pattern::compile(expression, {.whole = false})), .replacement = std::move(replacement)};
}

TEST(Rewrite, ChangesWhatMatchesAndLeavesTheRest) {
  const Rewrites rewrites{.host = of("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com"), .url = of("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1")};
  const auto both = rewrite(rewrites, "mywebsite-example.com", "/dp/B09G3HRMW");
  EXPECT_EQ(both->host, "internal.dev.example.myweb.com");
  EXPECT_EQ(both->target, "/product.php?id=B09G3HRMW");
  const auto neither = rewrite(rewrites, "other.com", "/x?y");
  EXPECT_TRUE(neither && !neither->host && !neither->target);
}

TEST(Rewrite, FailsRatherThanSendWhatIsNoUrl) {
  EXPECT_FALSE(rewrite({.url = of("^/a", "a")}, "h", "/a"));
  EXPECT_FALSE(rewrite({.url = of("^/a", "/a b")}, "h", "/a"));
  EXPECT_FALSE(rewrite({.url = of("^/a", "/a\r\nX: y")}, "h", "/a"));
  EXPECT_FALSE(rewrite({.host = of("h", "")}, "h", "/a"));
  EXPECT_FALSE(rewrite({.host = of("h", "h/x")}, "h", "/a"));
}

}  // namespace
}  // namespace reef::edge
