#include "aws/proxy_event.h"

#include <gtest/gtest.h>

namespace reef::aws {
namespace {

TEST(ProxyEvent, BytesThatAreNoTextStillMakeJson) {
  http::Request request;
  request.method = "GET";
  request.path = "/caf\xc3\xa9";
  request.headers = {{"x-name", "caf\xe9 \xe2\x82\xac"}};
  const ProxyRequest proxied{.http = request, .account = "000000000000", .api_id = "a", .stage = "$default", .route_key = "$default", .path = "/caf\xc3\xa9"};
  for (const std::string& text : {event_v2(proxied), event_v1(proxied, true), event_v1(proxied, false)}) {
    const auto event = wire::Json::parse(text);
    ASSERT_TRUE(event.has_value()) << text;
    EXPECT_EQ(event->find("headers")->find("x-name")->as_string(), "caf\xef\xbf\xbd \xe2\x82\xac");
  }
}

}  // namespace
}  // namespace reef::aws
