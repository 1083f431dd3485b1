#include "engine/naming/health_checks.h"

#include <gtest/gtest.h>

namespace reef::naming {
namespace {

TEST(HealthState, FlipsAfterTheThreshold) {
  HealthState state;
  EXPECT_FALSE(state.add(false, 3));
  EXPECT_FALSE(state.add(false, 3));
  EXPECT_FALSE(state.add(true, 3));  // begins anew
  EXPECT_FALSE(state.add(false, 3));
  EXPECT_FALSE(state.add(false, 3));
  EXPECT_TRUE(state.add(false, 3));
  EXPECT_FALSE(state.healthy);
  EXPECT_TRUE(state.add(true, 1));
}

TEST(JudgeHttp, StatusDecides) {
  EXPECT_FALSE(judge_http("HTTP/1.1 20", false, ""));
  EXPECT_TRUE(judge_http("HTTP/1.1 200 OK\r\n", false, "")->ok);
  EXPECT_EQ(judge_http("HTTP/1.1 200 OK\r\n", false, "")->text, "Success: HTTP Status Code 200, OK");
  EXPECT_TRUE(judge_http("HTTP/1.1 302 Found\r\n", false, "")->ok);
  EXPECT_FALSE(judge_http("HTTP/1.1 503 Busy\r\n", false, "")->ok);
  EXPECT_FALSE(judge_http("SSH-2.0-x\r\n", false, "")->ok);
  EXPECT_FALSE(judge_http("", true, "")->ok);
}

TEST(JudgeHttp, SearchesTheBodyOnly) {
  const std::string head = "HTTP/1.1 200 OK\r\nX: fine\r\n\r\n";
  EXPECT_FALSE(judge_http(head + "not yet", false, "fine"));
  EXPECT_TRUE(judge_http(head + "all fine", false, "fine")->ok);
  EXPECT_FALSE(judge_http(head + "no", true, "fine")->ok);
  EXPECT_FALSE(judge_http(head + std::string(6000, 'x') + "fine", false, "fine")->ok);
}

TEST(ParseResolvConf, NameserversOnly) {
  EXPECT_EQ(parse_resolv_conf("# nameserver 1.1.1.1\nsearch a.b\nnameserver 10.0.0.2 # one\nnameserver\t::1\nnameservers 3\n"),
            (std::vector<std::string>{"10.0.0.2", "::1"}));
}

}  // namespace
}  // namespace reef::naming
