#include "engine/edge/balancer/cookies.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace reef::edge {
namespace {

constexpr Time kNow = Time(Duration(1'000'000'000'000));

std::string value_of(std::string_view lines, std::string_view name) {
  const auto at = lines.find(std::string(name) + "=");
  return at == std::string_view::npos ? "" : std::string(lines.substr(at, lines.find(';', at) - at));
}

std::string cookies(const GroupSettings& group, const Target& target, std::uint64_t came_with, std::string_view reply, const Forward* groups = nullptr, std::size_t chosen = 0) {
  wire::Http1Head head;
  wire::parse_response_head(reply, 65536, head);
  return make_cookies(group, target, came_with, sets_cookie(reply, head, group.app_cookie), groups, chosen, kNow);
}

TEST(Cookies, FindsAValueAmongOthers) {
  EXPECT_EQ(cookie_value("a=1; b=2;c=3", "b"), "2");
  EXPECT_EQ(cookie_value("ab=1; b", "b"), "");
  EXPECT_EQ(cookie_value("", "b"), "");
  EXPECT_EQ(cookie_value(";;=;b=x=y", "b"), "x=y");
}

TEST(Cookies, ATargetIsFoundAgainUntilItsCookieExpires) {
  const Target target("10.0.0.1", "10.0.0.1", 80, 1);
  GroupSettings group{.stickiness = Stickiness::kBalancerCookie, .stickiness_duration = 60s};
  const std::string cookie = value_of(cookies(group, target, 0, "HTTP/1.1 200 OK\r\n\r\n"), "AWSALB");
  EXPECT_EQ(read_target_cookie("x=y; " + cookie, group, kNow + 59s), target.key);
  EXPECT_EQ(read_target_cookie(cookie, group, kNow + 61s), 0u);
  for (const char* bad : {"AWSALB=", "AWSALB=!!!", "AWSALB=AAAA", "AWSALBX=1"}) EXPECT_EQ(read_target_cookie(bad, group, kNow), 0u) << bad;
}

TEST(Cookies, AnApplicationsCookieDecides) {
  const Target target("10.0.0.1", "10.0.0.1", 80, 1);
  GroupSettings group{.stickiness = Stickiness::kAppCookie, .app_cookie = "SESSION"};
  EXPECT_EQ(cookies(group, target, 0, "HTTP/1.1 200 OK\r\nSet-Cookie: SESSIONS=1\r\n\r\n"), "");
  const std::string cookie = value_of(cookies(group, target, 0, "HTTP/1.1 200 OK\r\nset-cookie: SESSION=1\r\n\r\n"), "AWSALBAPP-0");
  EXPECT_EQ(read_target_cookie("SESSION=1; " + cookie, group, kNow), target.key);
  EXPECT_EQ(read_target_cookie(cookie, group, kNow), 0u);
}

TEST(Cookies, GroupsByWeightAndByCookie) {
  const std::vector<WeightedGroup> groups = {{"a", 3}, {"b", 0}, {"c", 1}};
  SeededRandom random(5);
  int counts[3] = {};
  for (int i = 0; i < 4000; ++i) ++counts[choose_group(groups, random.next())];
  EXPECT_NEAR(counts[0], 3000, 150);
  EXPECT_EQ(counts[1], 0);
  EXPECT_EQ(choose_group({{"a", 0}, {"b", 0}}, ~0ull), 0u);
  const Target target("10.0.0.1", "10.0.0.1", 80, 1);
  const Forward forward{.groups = groups, .stickiness = 60s};
  const std::string cookie = value_of(cookies({}, target, 0, "HTTP/1.1 200 OK\r\n\r\n", &forward, 2), "AWSALBTG");
  EXPECT_EQ(read_group_cookie(cookie, groups, kNow), 2u);
  EXPECT_EQ(read_group_cookie(cookie, {{"a", 1}}, kNow), std::nullopt);
}

}  // namespace
}  // namespace reef::edge
