#include "engine/edge/web_tokens.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "engine/edge/balancer/token_check.h"
#include "io/signing_key.h"

namespace reef::edge {
namespace {

using wire::Json;

TEST(WebTokens, AreReadAndVerifiedWithPublishedKeys) {
  const auto key = io::make_rsa_signing_key();
  ASSERT_TRUE(key);
  const auto text = make_web_token({"k1", key->private_pem}, Json::object({{"sub", "ann"}, {"exp", 1'800'000'000}}));
  ASSERT_TRUE(text);
  auto token = parse_web_token(*text);
  ASSERT_TRUE(token);
  const auto keys = parse_key_set(Json::object({{"keys", Json::array({*key_json("k1", key->public_pem)})}}).dump(), 10);
  ASSERT_TRUE(keys);
  EXPECT_TRUE(is_signed(*token, *keys));
  EXPECT_EQ(claim_time(token->claims, "exp"), from_seconds(1'800'000'000));
  KeySet other = *keys;
  other[0].id = "k2";
  EXPECT_FALSE(is_signed(*token, other));
  token->signed_text += "x";
  EXPECT_FALSE(is_signed(*token, *keys));
  token->head.set("alg", "none");
  EXPECT_FALSE(is_signed(*token, *keys));
  for (const char* bad : {"", "a.b", "a.b.c", "a.b.c.d", "e30.e30", "W10.e30.", "e30.W10."}) EXPECT_FALSE(parse_web_token(bad)) << bad;
  EXPECT_FALSE(parse_key_set("{}", 10));
  EXPECT_FALSE(parse_key_set(R"({"keys":[{},{}]})", 1));
}

TEST(WebTokens, ClaimsAreCheckedByTheirFormat) {
  const Time now = from_seconds(1'800'000'000);
  const TokenCheck check{.jwks_endpoint = {}, .issuer = "i", .claims = {{"scope", TokenCheck::Format::kWords, {"a", "b"}}, {"groups", TokenCheck::Format::kArray, {"g"}}}};
  const auto claims = [&](std::initializer_list<std::pair<std::string_view, Json>> changed) {
    Json out = Json::object({{"iss", "i"}, {"exp", to_seconds(now) + 1}, {"scope", "x b"}, {"groups", Json::array({"g"})}});
    for (const auto& [name, value] : changed) out.set(name, value);
    return out;
  };
  EXPECT_EQ(claims_fault(check, claims({}), now), "");
  EXPECT_EQ(claims_fault(check, claims({{"exp", to_seconds(now)}}), now), "exp");
  EXPECT_EQ(claims_fault(check, claims({{"nbf", to_seconds(now) + 1}}), now), "nbf");
  EXPECT_EQ(claims_fault(check, claims({{"iss", 7}}), now), "iss");
  EXPECT_EQ(claims_fault(check, claims({{"scope", "ab"}}), now), "scope");
  EXPECT_EQ(claims_fault(check, claims({{"groups", "g"}}), now), "groups");
  EXPECT_EQ(bearer_token("bearer  t "), "t");
  EXPECT_EQ(bearer_token("Basic t"), "");
}

}  // namespace
}  // namespace reef::edge
