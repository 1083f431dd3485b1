#include "engine/edge/mesh/access_format.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

AccessFacts facts() {
  AccessFacts out{.start = from_micros(1'800'000'000'123'456), .took = 12ms, .until_head = 9ms, .method = "GET", .path = "/a?b=1", .protocol = "HTTP/1.1", .authority = "orders.local"};
  out.status = 200;
  out.received = 3;
  out.sent = 42;
  out.upstream_host = "10.0.0.7:8080";
  out.downstream = "10.0.0.9:4321";
  out.request_headers = {{"user-agent", "curl \"8\""}};
  out.reply_headers = {{"x-version", "seven"}};
  return out;
}

TEST(AccessFormat, WritesTheStandardLine) {
  EXPECT_EQ(AccessFormat::standard().line(facts()),
            "[2027-01-15T08:00:00.123Z] \"GET /a?b=1 HTTP/1.1\" 200 - 3 42 12 - \"-\" \"curl \"8\"\" \"-\" \"orders.local\" \"10.0.0.7:8080\"");
}

TEST(AccessFormat, WritesOperators) {
  const auto write = [](std::string_view format) { return AccessFormat::text(format)->line(facts()); };
  EXPECT_EQ(write("%REQ(X-MISSING?USER-AGENT):4% 100%% %RESP(x-version)%\n"), "curl 100% seven");
  EXPECT_EQ(write("%START_TIME(%Y/%m/%d %s.%3f %f)%|"), "2027/01/15 1800000000.123 123456000|");
  EXPECT_EQ(write("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %RESPONSE_DURATION% %GRPC_STATUS%"), "10.0.0.9 9 -");
  EXPECT_EQ(write("%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)% %REQ(:PATH):2% %LOCAL_REPLY_BODY%"), "/a /a -");
}

TEST(AccessFormat, WritesJsonWithTypes) {
  AccessFacts given = facts();
  given.grpc_status = 14;
  EXPECT_EQ(AccessFormat::json({{"code", "%RESPONSE_CODE%"}, {"who", "%REQ(USER-AGENT)%"}, {"no", "%ROUTE_NAME%"}, {"all", "%PROTOCOL% %RESPONSE_CODE%"}, {"grpc", "%GRPC_STATUS%"}})->line(given),
            R"({"code":200,"who":"curl \"8\"","no":null,"all":"HTTP/1.1 200","grpc":"Unavailable"})");
}

TEST(AccessFormat, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(AccessFormat::text("%FILTER_STATE(x)%").error().message, "the operator %FILTER_STATE(x)% of an access log format");
  for (const char* bad : {"%", "100% sure", "%REQ()%", "%REQ(a):0%", "%REQ(a):x%", "%REQ(a%", "%RESPONSE_CODE:3%"}) EXPECT_FALSE(AccessFormat::text(bad)) << bad;
}

}  // namespace
}  // namespace reef::edge::mesh
