#include "service/s3/post_policy.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace reef::s3 {
namespace {

const Time kNow = *parse_iso8601("2026-05-01T00:00:00Z");

std::string answer(const std::string& conditions, FormFields fields, std::uint64_t bytes = 5, const char* expires = "2026-05-01T01:00:00Z") {
  fields.add("policy", "itself");
  const auto done = check_policy(base64_encode(std::string("{\"expiration\": \"") + expires + "\", \"conditions\": [" + conditions + "]}"), fields, bytes, kNow);
  return done ? "" : done.error().code + ": " + done.error().message;
}

FormFields with(std::initializer_list<std::pair<std::string, std::string>> fields) {
  FormFields out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

TEST(PostPolicy, TakesWhatItsConditionsAllow) {
  EXPECT_EQ(answer(R"({"bucket": "b"}, ["starts-with", "$key", "user/"], ["eq", "$Content-Type", "text/plain"], ["content-length-range", 1, 10])",
                   with({{"bucket", "b"}, {"key", "user/a"}, {"content-type", "text/plain"}, {"x-ignore-this", "1"}})), "");
  EXPECT_EQ(answer(R"(["starts-with", "$key", ""])", with({{"key", "anything"}})), "");
}

TEST(PostPolicy, SaysWhichConditionFailed) {
  EXPECT_EQ(answer(R"({"acl": "private"})", with({{"acl", "public-read"}})), "AccessDenied: Invalid according to Policy: Policy Condition failed: [\"eq\", \"$acl\", \"private\"]");
  EXPECT_EQ(answer(R"(["eq", "acl", "private"])", with({{"acl", "private"}})), "AccessDenied: Invalid according to Policy: Policy Condition failed: [\"eq\", \"acl\", \"private\"]");
  EXPECT_EQ(answer(R"(["content-length-range", "test", 10])", {}), "AccessDenied: Invalid according to Policy: Policy Condition failed: [\"content-length-range\", \"test\", \"10\"]");
  EXPECT_EQ(answer("", with({{"key", "a"}})), "AccessDenied: Invalid according to Policy: Extra input fields: key");
  EXPECT_EQ(answer(R"({"a": "1", "b": "2"})", {}), "InvalidPolicyDocument: Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
}

TEST(PostPolicy, EndsAndMeasures) {
  EXPECT_EQ(answer("", {}, 5, "2026-04-30T00:00:00Z"), "AccessDenied: Invalid according to Policy: Policy expired.");
  EXPECT_EQ(answer(R"(["content-length-range", 1, 4])", {}), "EntityTooLarge: Your proposed upload exceeds the maximum allowed size");
  EXPECT_EQ(answer(R"(["content-length-range", 6, 9])", {}), "EntityTooSmall: Your proposed upload is smaller than the minimum allowed size");
  EXPECT_EQ(check_policy("not base64!", {}, 1, kNow).error().code, "InvalidPolicyDocument");
}

}  // namespace
}  // namespace reef::s3
