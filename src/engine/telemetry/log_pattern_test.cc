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
  EXPECT_TRUE(matches(R"("say \"hi\"")", R"(they say "hi")"));
  EXPECT_FALSE(matches("-\"two words\"", "the two words here"));
  // Optional terms are ignored beside others.
  EXPECT_TRUE(matches("?ERROR REQUEST", "a REQUEST"));
}

TEST(LogPattern, RegularExpressions) {
  EXPECT_TRUE(matches("%AUTHORIZED%", "UNAUTHORIZED 401"));
  EXPECT_TRUE(matches(R"(%10\.10\.0\.\d{1,3}$%)", "from 10.10.0.37"));
  EXPECT_FALSE(matches("%^ERROR%", "an ERROR"));
  EXPECT_TRUE(matches("%gr[ae]y|colou?r%", "the color"));
}

TEST(LogPattern, Selectors) {
  const std::string_view line = R"({"level":"error","ms":12,"tags":["x","y"],"none":null,"ok":true,"users":[{"id":1},{"id":7}],"a-b":{"c d":"10.0.0.1"}})";
  EXPECT_TRUE(matches("{ $.level = \"err*\" }", line));
  EXPECT_TRUE(matches("{ $.ms > 10 && $.tags[1] = y }", line));
  EXPECT_FALSE(matches("{ $.ms > 10 && ($.level = \"info\" || $.missing = 1) }", line));
  EXPECT_TRUE(matches("{ $.none IS NULL }", line));
  EXPECT_TRUE(matches("{ $.gone NOT EXISTS }", line));
  EXPECT_FALSE(matches("{ $.users[*].id NOT EXISTS }", line));
  EXPECT_TRUE(matches("{ $.ok IS TRUE }", line));
  EXPECT_FALSE(matches("{ $.ok IS FALSE }", line));
  EXPECT_TRUE(matches("{ $.users[*].id = 7 }", line));
  EXPECT_TRUE(matches("{ $.a-b['c d'] = 10.0.* }", line));
  EXPECT_TRUE(matches("{ $.level = %^e.*r$% }", line));
  EXPECT_FALSE(matches("{ $.level != %^e% }", line));
  EXPECT_TRUE(matches("{ ($.ms >= 1.2e1) && $.ms != 13 }", line));
  EXPECT_FALSE(matches("{ $.level = \"err*\" }", "not json"));
}

TEST(LogPattern, FieldsBetweenSpaces) {
  const std::string_view line = R"(127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534)";
  EXPECT_TRUE(matches("[ip, user, username, timestamp, request, status_code, bytes]", line));
  EXPECT_FALSE(matches("[ip, user, username, timestamp, request, status_code]", line));
  EXPECT_TRUE(matches("[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", line));
  EXPECT_TRUE(matches("[..., status_code, bytes > 1000]", line));
  EXPECT_FALSE(matches("[..., status_code, bytes > 2000]", line));
  EXPECT_TRUE(matches("[ip=%127\\.0\\.0\\.[1-9]%, ..., status = 410 || status = 404, bytes]", line));
  EXPECT_TRUE(matches("[ip, ..., status >= 400 && status != 403, bytes]", line));
  EXPECT_FALSE(matches("[ip != 127.*, ...]", line));
  EXPECT_TRUE(matches("[ip, ..., timestamp = \"10/Oct/2000:13:25:15 -0700\", request, s, b]", line));
  EXPECT_TRUE(matches("[w1=ERROR, ...]", "ERROR"));
  EXPECT_FALSE(matches("[w1=ERROR, w2]", "ERROR"));
}

std::string fault(std::string_view pattern) {
  const auto parsed = LogPattern::parse(pattern);
  return parsed ? "" : parsed.error();
}

TEST(LogPattern, SaysWhatItDoesNotUnderstand) {
  for (const char* pattern : {"{ $.a }", "{ $.a = 1", "\"open", "{ (((( }", "{ $.a = 1 ) }", "%%", "%[%", "[a, ..., ...]", "[a = ]", "[a b]", "{ $.a > x }",
                              "[status = 4* && bytes > 1000]"})
    EXPECT_NE(fault(pattern), "") << pattern;
  EXPECT_EQ(fault("?Status: timeout"), "Invalid character(s) in term ':'");
  EXPECT_EQ(fault("%something!%"), "Invalid character(s) in term '!'");
  EXPECT_EQ(fault("{ $.\"sc-status\" = 5* }"), "Invalid character(s) in term '$.\"'");
  EXPECT_EQ(fault("{ $.a = 1"), "If a filter pattern starts with '{' it must end with '}'");
}

}  // namespace
}  // namespace reef::telemetry
