#include "engine/sandbox/dns_question.h"

#include <gtest/gtest.h>

#include "engine/sandbox/outbound.h"

namespace reef::sandbox {
namespace {

std::string query(std::string_view labels, char type) {
  std::string bytes("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  bytes += labels;
  bytes += std::string("\x00\x00", 2) + type + std::string("\x00\x01", 2);
  return bytes;
}

TEST(DnsQuestion, ReadsTheNameInLowerCase) {
  const auto question = parse_question(query("\x03" "WWW" "\x02" "io", 1));
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->name, "www.io");
  EXPECT_EQ(question->type, kDnsA);
}

TEST(DnsQuestion, AnswersOwnNamesWithTheApiAddress) {
  const std::string asked = query("\x02" "s3" "\x09" "localhost" "\x0a" "localstack" "\x05" "cloud", 1);
  const auto reply = default_dns("", asked);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->substr(0, 2), asked.substr(0, 2));
  EXPECT_EQ(reply->substr(reply->size() - 4), "\xA9\xFE\x64\x01");
}

TEST(DnsQuestion, HasNoIpv6AddressesAndForwardsTheRest) {
  const auto none = default_dns("", query("\x03" "www" "\x02" "io", 28));
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ((*none)[7], 0);
  EXPECT_EQ((*none)[3] & 0x0F, 0);
  EXPECT_FALSE(default_dns("", query("\x03" "www" "\x02" "io", 1)).has_value());
}

TEST(DnsQuestion, RefusesMalformedQueries) {
  const std::string good = query("\x03" "www" "\x02" "io", 1);
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse_question(good.substr(0, size)).has_value());
}

TEST(OutboundPolicy, KeepsTheHostsLoopbackAndMetadataOutOfReach) {
  const OutboundPolicy policy = default_outbound_policy(4599);
  EXPECT_EQ(policy("", {kApiAddress, 4566}), (Destination{0x7F000001, 4599}));
  EXPECT_FALSE(policy("", {0xA9FEA9FE, 80}).has_value());
  EXPECT_FALSE(policy("", {0x7F000001, 22}).has_value());
  EXPECT_EQ(policy("", {0x08080808, 443}), (Destination{0x08080808, 443}));
}

}  // namespace
}  // namespace reef::sandbox
