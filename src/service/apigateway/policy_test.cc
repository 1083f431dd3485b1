#include "service/apigateway/policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace reef::service::apigateway {
namespace {

using aws::Verdict;

Verdict judged(std::string_view statements, std::string_view address, const aws::Principal* who = nullptr) {
  const auto policy = wire::Json::parse(fmt::format(R"({{"Version":"2012-10-17","Statement":[{}]}})", statements)).value();
  return judge_policy(policy, {.arn = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/orders/7", .principal = who, .keys = {{"aws:sourceip", std::string(address)}}});
}

constexpr std::string_view kAllow = R"({"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":["execute-api:/prod/GET/orders/*"]})";
constexpr std::string_view kDenyOthers = R"({"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]}}})";

TEST(ResourcePolicy, LetsInByAddress) {
  const std::string both = fmt::format("{},{}", kAllow, kDenyOthers);
  EXPECT_EQ(judged(both, "10.1.2.3"), Verdict::kAllowed);
  EXPECT_EQ(judged(both, "::1"), Verdict::kAllowed);
  EXPECT_EQ(judged(both, "192.168.0.1"), Verdict::kDenied);
  EXPECT_EQ(judged("", "10.1.2.3"), Verdict::kNotAllowed);
}

TEST(ResourcePolicy, KnowsPrincipals) {
  const aws::Principal who{.arn = "arn:aws:iam::111122223333:user/ann", .user_id = {}, .account = "111122223333", .access_key = {}};
  constexpr std::string_view kAccount = R"({"Effect":"Allow","Principal":{"AWS":["111122223333"]},"Action":"execute-api:*","Resource":"arn:aws:execute-api:*:*:abc/*"})";
  EXPECT_EQ(judged(kAccount, "10.0.0.1", &who), Verdict::kAllowed);
  EXPECT_EQ(judged(kAccount, "10.0.0.1"), Verdict::kNotAllowed);
  constexpr std::string_view kOther = R"({"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"*","Resource":"*"})";
  EXPECT_EQ(judged(fmt::format("{},{}", kAccount, kOther), "10.0.0.1", &who), Verdict::kAllowed);
}

TEST(ResourcePolicy, MissingKeysFailOnlyWhatIsNotNegated) {
  EXPECT_EQ(judged(R"({"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}})", "10.0.0.1"), Verdict::kDenied);
  EXPECT_EQ(judged(R"({"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}})", "10.0.0.1"), Verdict::kNotAllowed);
}

TEST(ResourcePolicy, Blocks) {
  EXPECT_TRUE(is_in_block("10.0.0.129", "10.0.0.128/25"));
  EXPECT_FALSE(is_in_block("10.0.0.127", "10.0.0.128/25"));
  EXPECT_TRUE(is_in_block("2001:db8::1", "2001:db8::/32"));
  EXPECT_FALSE(is_in_block("10.0.0.1", "10.0.0.0/33"));
  EXPECT_FALSE(is_in_block("::1", "10.0.0.0/8"));
  EXPECT_TRUE(is_in_block("127.0.0.1", "0.0.0.0/0"));
}

}  // namespace
}  // namespace reef::service::apigateway
