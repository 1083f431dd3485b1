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

}  // namespace
}  // namespace reef::telemetry
