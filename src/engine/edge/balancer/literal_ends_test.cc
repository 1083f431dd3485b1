#include "engine/edge/balancer/literal_ends.h"

#include <gtest/gtest.h>

namespace reef::edge {

TEST(LiteralEnds, AreWhatEveryMatchHas) {
  EXPECT_EQ(literal_ends("^/api/v1/.*$").prefix, "/api/v1/");
  EXPECT_EQ(literal_ends("^\\/api\\/(a|b)/x$").prefix, "/api/");
  EXPECT_EQ(literal_ends("^\\/api\\/(a|b)/x$").suffix, "/x");
  EXPECT_EQ(literal_ends("^(.+)\\.example\\.com$").suffix, ".example.com");
  EXPECT_EQ(literal_ends("^/ab*c").prefix, "/a");
  EXPECT_EQ(literal_ends("^/ab{0,2}c").prefix, "/a");
  EXPECT_EQ(literal_ends("^/a[)|]b").prefix, "/a");
  for (const char* none : {"/api", "^/a|/b", "(?i)^/a$", "^\\d", "^(/a)?", "a$b", "^\\Q/a\\E", "(*ANYCRLF)^/a", "^/a{b|c}", "^/a{,2|c", "^*/a", "^/a[[=[=]b|c"}) EXPECT_EQ(literal_ends(none).prefix, "") << none;
  for (const char* none : {"com", "a|b$", "(?i)com$", "m?$", "com\\$", "\\x41$"}) EXPECT_EQ(literal_ends(none).suffix, "") << none;
}

TEST(LiteralEnds, FeaturesThatBalancersLack) {
  for (const char* good : {"^/a(b|c)+[p+]{1,2}\\.$", "(?:a)", "(?i)x", "a+b", "[\\]++]"}) EXPECT_TRUE(check_expression_features(good)) << good;
  for (const char* bad : {"(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(a)\\1", "(?>a)", "a++", "a*+", "(?R)", "(?1)", "\\p{L}", "[\\p{L}]", "(?P<x>a)(?P=x)", "\\g1", "(*F)"})
    EXPECT_FALSE(check_expression_features(bad)) << bad;
}

}  // namespace reef::edge
