#include "engine/telemetry/log_pattern.h"

#include <gtest/gtest.h>

namespace reef::telemetry {
namespace {

bool matches(std::string_view pattern, std::string_view line) {
  const auto parsed = LogPattern::parse(pattern);
  EXPECT_TRUE(parsed.has_value()) << pattern << ": " << (parsed ? "" : parsed.error());
  return parsed && parsed->matches(line);
}

TEST(LogPattern, Terms) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("ERROR disk", "disk ERROR"));
  EXPECT_FALSE(matches("ERROR -disk", "disk ERROR"));
  EXPECT_TRUE(matches("?a1 ?b1", "has b1"));
  EXPECT_FALSE(matches("?a1 ?b1", "none"));
  EXPECT_TRUE(matches("\"two words\"", "the two words here"));
}

TEST(LogPattern, Selectors) {
  const std::string_view line = R"({"level":"error","ms":12,"tags":["x","y"],"none":null,"ok":true})";
  EXPECT_TRUE(matches("{ $.level = \"err*\" }", line));
  EXPECT_TRUE(matches("{ $.ms > 10 && $.tags[1] = y }", line));
  EXPECT_FALSE(matches("{ $.ms > 10 && ($.level = \"info\" || $.missing = 1) }", line));
  EXPECT_TRUE(matches("{ $.none IS NULL }", line));
  EXPECT_TRUE(matches("{ $.gone NOT EXISTS }", line));
  EXPECT_TRUE(matches("{ $.ok IS TRUE }", line));
  EXPECT_FALSE(matches("{ $.level = \"err*\" }", "not json"));
}

TEST(LogPattern, SaysWhatItDoesNotUnderstand) {
  for (const char* pattern : {"{ $.a }", "{ $.a = 1", "[ip, user]", "\"open", "{ (((( }", "{ $.a = 1 ) }"})
    EXPECT_FALSE(LogPattern::parse(pattern).has_value()) << pattern;
}

}  // namespace
}  // namespace reef::telemetry
