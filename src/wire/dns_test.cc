#include "wire/dns.h"

#include <gtest/gtest.h>

namespace reef::wire::dns {
namespace {

std::string name(std::string_view text) { return name_from_text(text).value_or("?"); }

TEST(Dns, NamesAreLowerCaseAndEscaped) {
  EXPECT_EQ(name("WWW.Example.com."), std::string("\3www\7example\3com\0", 17));
  EXPECT_EQ(name_to_text(name("*.example.com")), "\\052.example.com.");
  EXPECT_EQ(name("\\052.example.com"), name("*.example.com"));
  EXPECT_EQ(name_to_text(name(".")), ".");
  EXPECT_FALSE(name_from_text("a..b"));
  EXPECT_FALSE(name_from_text(std::string(64, 'a') + ".com"));
  EXPECT_FALSE(name_from_text(""));
  EXPECT_TRUE(is_below(name("a.b.c"), name("b.c")));
  EXPECT_FALSE(is_below(name("ab.c"), name("b.c")));
}

TEST(Dns, QueriesAreRead) {
  const std::string packet = build_query(7, name("a.example"), kAaaa);
  Query query;
  ASSERT_EQ(parse_query(packet, query), kNoError);
  EXPECT_EQ(query.id, 7);
  EXPECT_EQ(query.type, kAaaa);
  EXPECT_EQ(query.qname(), name("a.example"));
  ASSERT_TRUE(query.edns);
  EXPECT_EQ(query.edns->udp_size, 1232);
  EXPECT_FALSE(parse_query(packet.substr(0, 11), query));
  EXPECT_EQ(parse_query(packet.substr(0, 20), query), kFormErr);
  std::string other = packet;
  other[2] = 0x28;  // an update
  EXPECT_EQ(parse_query(other, query), kNotImp);
  other = packet;
  other[2] = static_cast<char>(0x80);  // a reply
  EXPECT_FALSE(parse_query(other, query));
}

TEST(Dns, CompressedRepliesAreRead) {
  std::string reply = build_query(1, name("www.example.com"), kCname);
  reply.resize(reply.size() - 11);
  put16(reply.data() + 2, kQr);
  put16(reply.data() + 6, 1);
  put16(reply.data() + 10, 0);
  const std::string record("\xC0\x0C\0\5\0\1\0\0\0\x3C\0\6\3api\xC0\x10", 18);
  const auto message = parse_message(reply + record);
  ASSERT_TRUE(message);
  ASSERT_EQ(message->answers.size(), 1u);
  EXPECT_EQ(message->answers[0].name, name("www.example.com"));
  EXPECT_EQ(decode_value(kCname, message->answers[0].data), "api.example.com.");
  // A pointer to itself or forward never ends, and is refused.
  EXPECT_FALSE(parse_message(reply + std::string("\xC0\x21\0\1\0\1\0\0\0\0\0\0", 12)));
  EXPECT_FALSE(parse_message(reply));
}

TEST(Dns, ValuesGoBothWays) {
  const std::pair<Type, std::string_view> kValues[] = {
      {kA, "10.1.2.3"}, {kAaaa, "2001:db8::1"}, {kCname, "a.example.com."}, {kMx, "10 mail.example.com."}, {kSrv, "1 2 8080 a.example.com."},
      {kTxt, "\"v=spf1 -all\" \"more \\\"quoted\\\"\""}, {kCaa, "0 issue \"amazon.com\""}, {kNs, "ns-1.awsdns-1.com."},
      {kSoa, "ns.example.com. mail.example.com. 1 7200 900 1209600 86400"}};
  for (const auto& [type, text] : kValues) {
    ValueError error;
    const auto value = encode_value(type, text, error);
    ASSERT_TRUE(value) << text << ": " << error.message;
    EXPECT_EQ(decode_value(type, *value), text);
  }
}

TEST(Dns, WrongValuesSayWhatIsWrong) {
  ValueError error;
  EXPECT_FALSE(encode_value(kA, "300.1.1.1", error));
  EXPECT_EQ(error.message, "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '300.1.1.1''");
  EXPECT_FALSE(encode_value(kTxt, "no quotes", error));
  EXPECT_NE(error.message.find("Value should be enclosed in quotation marks"), std::string::npos);
  EXPECT_FALSE(encode_value(kMx, "mail.example.com", error));
  EXPECT_FALSE(encode_value(kSrv, "1 2 70000 a.example.com", error));
  EXPECT_FALSE(encode_value(kTxt, "\"" + std::string(256, 'x') + "\"", error));
}

// Regression: quotes were taken into the tag, and what was stored could not be read back.
TEST(Dns, TagsOfCaaAreLettersAndDigits) {
  ValueError error;
  EXPECT_FALSE(encode_value(kCaa, "0 \"\" \"amazon.com\"", error));
  EXPECT_FALSE(encode_value(kCaa, "0 is-sue \"amazon.com\"", error));
  EXPECT_EQ(decode_value(kCaa, std::string_view("\0\0x", 3)), "\\# 3 000078");
}

TEST(Dns, ServiceBindingsAreInOrderOfTheirKeys) {
  ValueError error;
  const auto value = encode_value(kHttps, "1 . port=8443 alpn=\"h2,h3\"", error);
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, std::string("\0\1\0\0\1\0\6\2h2\2h3\0\3\0\2\x20\xFB", 19));
}

}  // namespace
}  // namespace reef::wire::dns
