#include "aws/served_request.h"

#include <gtest/gtest.h>

namespace reef::aws {
namespace {

const http::Request& request() {
  static const http::Request made = [] {
    http::Request out;
    out.method = "GET";
    out.peer = "127.0.0.1:5123";
    out.headers = {{"user-agent", "curl/8"}};
    return out;
  }();
  return made;
}

ServedRequest sample() {
  ServedRequest out(request());
  out.request_id = "r-1";
  out.path = "/a%20b";
  out.status = 200;
  out.at = from_seconds(1'700'000'000);
  out.latency_micros = 12'400;
  return out;
}

TEST(ServedRequest, KnowsItsValuesByName) {
  ServedRequest one = sample();
  EXPECT_EQ(one.value("requestId"), "r-1");
  EXPECT_EQ(one.value("status"), "200");
  EXPECT_EQ(one.value("httpMethod"), "GET");
  EXPECT_EQ(one.value("path"), "/a b");
  EXPECT_EQ(one.value("protocol"), "HTTP/1.1");
  EXPECT_EQ(one.value("identity.sourceIp"), "127.0.0.1");
  EXPECT_EQ(one.value("identity.userAgent"), "curl/8");
  EXPECT_EQ(one.value("requestTime"), "14/Nov/2023:22:13:20 +0000");
  EXPECT_EQ(one.value("requestTimeEpoch"), "1700000000000");
  EXPECT_EQ(one.value("responseLatency"), "12");
  EXPECT_EQ(one.value("nothing"), "");
}

TEST(ServedRequest, SaysNothingOfAnIntegrationThatWasNotAsked) {
  ServedRequest one = sample();
  EXPECT_EQ(one.value("integrationLatency"), "");
  one.integration_micros = 1'000, one.integration_status = 201;
  EXPECT_EQ(one.value("integrationLatency"), "1");
  EXPECT_EQ(one.value("integration.status"), "201");
}

TEST(ServedRequest, LooksIntoTheAuthorizersContext) {
  ServedRequest one = sample();
  one.authorizer = *wire::Json::parse(R"({"jwt":{"claims":{"sub":"u-1","a.b":"c"}},"tenant":7})");
  EXPECT_EQ(one.value("authorizer.claims.sub"), "u-1");
  EXPECT_EQ(one.value("authorizer.jwt.claims.a.b"), "c");
  EXPECT_EQ(one.value("authorizer.tenant"), "7");
  EXPECT_EQ(one.value("authorizer.principalId"), "");
}

TEST(ServedRequest, QuotesTheErrorWhereAsked) {
  ServedRequest one = sample();
  one.error = "not \"this\" one";
  EXPECT_EQ(one.value("error.message"), "not \"this\" one");
  EXPECT_EQ(one.value("error.messageString"), R"("not \"this\" one")");
}

}  // namespace
}  // namespace reef::aws
