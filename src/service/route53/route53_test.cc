#include "service/route53/route53.h"

#include <gtest/gtest.h>

namespace reef::service::route53 {
namespace {

TEST(Route53Names, AreKeptAsRoute53ShowsThem) {
  EXPECT_EQ(canonical_name("*.Example.com"), "\\052.example.com.");
  EXPECT_EQ(canonical_name("a b.example.com"), "a\\040b.example.com.");
  EXPECT_FALSE(canonical_name("a..b"));
  EXPECT_EQ(reversed_name("www.example.com."), "com.example.www.");
  EXPECT_EQ(bare_id("/hostedzone/Z1"), "Z1");
}

TEST(Route53Names, SetsSortByNameThenTypeThenIdentifier) {
  const auto key = [](std::string name, std::string type, std::optional<std::string> id = {}) {
    model::ResourceRecordSet set{.name = std::move(name), .type = std::move(type)};
    set.set_identifier = std::move(id);
    return set_key(set);
  };
  EXPECT_LT(key("example.com.", "NS"), key("example.com.", "SOA"));
  EXPECT_LT(key("example.com.", "TXT"), key("a.example.com.", "A"));
  EXPECT_LT(key("a.example.com.", "A", "1"), key("a.example.com.", "A", "2"));
  EXPECT_LT(key("a.example.com.", "TXT"), key("x.a.example.com.", "A"));
  EXPECT_LT(key("x.a.example.com.", "A"), key("b.example.com.", "A"));
}

TEST(Route53Changes, CarryTheirTime) {
  Call call;
  call.now = from_seconds(1'790'000'000);
  const auto change = make_change(call);
  EXPECT_EQ(time_of_change(change.id), call.now);
  EXPECT_EQ(time_of_change(bare_id(change.id)), call.now);
  EXPECT_FALSE(time_of_change("C0000000000000000000A"));
  EXPECT_FALSE(time_of_change("CX"));
}

}  // namespace
}  // namespace reef::service::route53
