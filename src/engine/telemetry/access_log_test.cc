#include "engine/telemetry/access_log.h"

#include <gtest/gtest.h>

namespace reef::telemetry {
namespace {

std::string rendered(std::string_view format) {
  return AccessLogFormat(format).render([](std::string_view name) -> std::string {
    if (name == "requestId") return "r-1";
    if (name == "identity.sourceIp") return "127.0.0.1";
    if (name == "authorizer.claims.user-id") return "u";
    return "";
  });
}

TEST(AccessLogFormat, PutsValuesWhereTheyAreNamed) {
  EXPECT_EQ(rendered(R"({"id":"$context.requestId","ip":"$context.identity.sourceIp"})"), R"({"id":"r-1","ip":"127.0.0.1"})");
  EXPECT_EQ(rendered("$context.requestId$context.requestId"), "r-1r-1");
  EXPECT_EQ(rendered("$context.authorizer.claims.user-id, $context.requestId."), "u, r-1.");
}

TEST(AccessLogFormat, WritesADashForWhatIsNotKnown) {
  EXPECT_EQ(rendered("$context.nothing"), "-");
  EXPECT_EQ(rendered("$context."), "-");
}

TEST(AccessLogFormat, LeavesOtherTextAlone) {
  EXPECT_EQ(rendered(""), "");
  EXPECT_EQ(rendered("$contextual $ 5"), "$contextual $ 5");
}

TEST(AccessLogTarget, IsALogGroup) {
  const auto target = access_log_target("arn:aws:logs:eu-west-1:111122223333:log-group:/api/shop:*", "$context.requestId", "s");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->group, "111122223333/eu-west-1//api/shop");
  EXPECT_FALSE(access_log_target("arn:aws:firehose:eu-west-1:111122223333:deliverystream/x", "", "s"));
  EXPECT_FALSE(access_log_target("arn:aws:logs:eu-west-1:111122223333:log-group:", "", "s"));
  EXPECT_FALSE(access_log_target("", "", "s"));
}

}  // namespace
}  // namespace reef::telemetry
