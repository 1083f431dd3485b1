#include "engine/naming/view.h"

#include <gtest/gtest.h>

#include "engine/naming/zones.h"

namespace reef::naming {
namespace {

namespace dns = wire::dns;

std::string name(std::string_view text) { return *dns::name_from_text(text); }

RecordSet set_of(std::string_view owner, dns::Type type, std::vector<std::string> values, std::string id = {}) {
  RecordSet set;
  set.name = name(owner);
  set.type = type;
  set.id = std::move(id);
  dns::ValueError error;
  for (const std::string& value : values) set.values.push_back(*dns::encode_value(type, value, error));
  return set;
}

struct Names : testing::Test {
  Names() : zone(zones.add("z1", name("example.com"))) {
    zone.put(set_of("example.com", dns::kSoa, {"ns.example.com. mail.example.com. 1 7200 900 1209600 300"}));
  }
  Looked look(std::string_view what, std::uint16_t type = dns::kA, std::string_view network = kHostView) {
    zones.publish();
    return look_up(*zones.view(network)->load(), name(what), type, random);
  }
  std::vector<std::string> texts(std::string_view what, std::uint16_t type = dns::kA) {
    std::vector<std::string> out;
    for (const auto& record : look(what, type).answers) out.push_back(dns::decode_value(record.type, record.data));
    std::sort(out.begin(), out.end());
    return out;
  }
  Zones zones{"eu-central-1"};
  Zone& zone;
  SeededRandom random{7};
};

using Texts = std::vector<std::string>;

TEST_F(Names, ExistingNamesMissingNamesAndTypes) {
  zone.put(set_of("a.deep.example.com", dns::kA, {"10.0.0.1"}));
  EXPECT_EQ(texts("A.Deep.example.com"), Texts{"10.0.0.1"});
  EXPECT_EQ(look("deep.example.com").code, dns::kNoError);  // lies between
  EXPECT_EQ(look("other.example.com").code, dns::kNxDomain);
  EXPECT_EQ(look("a.deep.example.com", dns::kAaaa).code, dns::kNoError);
  EXPECT_EQ(look("example.org").code, dns::kRefused);
  zone.erase(name("a.deep.example.com"), dns::kA, "");
  EXPECT_EQ(look("deep.example.com").code, dns::kNxDomain);
}

TEST_F(Names, WildcardsStandForWhatDoesNotExist) {
  zone.put(set_of("*.example.com", dns::kA, {"10.0.0.9"}));
  zone.put(set_of("there.example.com", dns::kTxt, {"\"x\""}));
  EXPECT_EQ(texts("x.y.example.com"), Texts{"10.0.0.9"});
  EXPECT_TRUE(texts("there.example.com").empty());
  EXPECT_TRUE(texts("below.there.example.com").empty());
  EXPECT_EQ(look("below.there.example.com").code, dns::kNxDomain);
}

TEST_F(Names, AliasesAnswerUnderTheirOwnName) {
  zone.put(set_of("www.example.com", dns::kA, {"10.0.0.1", "10.0.0.2"}));
  RecordSet alias = set_of("example.com", dns::kA, {});
  alias.alias = Alias{.name = name("www.example.com")};
  zone.put(alias);
  EXPECT_EQ(texts("example.com"), (Texts{"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(look("example.com").answers[0].name, name("example.com"));
  zones.set_host("web.us-east-1.elb.amazonaws.com", {"127.1.2.3"});
  alias = set_of("lb.example.com", dns::kA, {});
  alias.alias = Alias{.name = name("web.us-east-1.elb.amazonaws.com")};
  zone.put(alias);
  EXPECT_EQ(texts("lb.example.com"), Texts{"127.1.2.3"});
  EXPECT_EQ(texts("web.us-east-1.elb.amazonaws.com"), Texts{"127.1.2.3"});
  EXPECT_EQ(texts("dualstack.web.us-east-1.elb.amazonaws.com"), Texts{"127.1.2.3"});
}

TEST_F(Names, ChainsOfCnamesAreFollowed) {
  zone.put(set_of("a.example.com", dns::kCname, {"b.example.com"}));
  zone.put(set_of("b.example.com", dns::kCname, {"c.example.com"}));
  zone.put(set_of("c.example.com", dns::kA, {"10.0.0.3"}));
  const Looked looked = look("a.example.com");
  ASSERT_EQ(looked.answers.size(), 3u);
  EXPECT_EQ(looked.answers[2].name, name("c.example.com"));
  zone.put(set_of("loop.example.com", dns::kCname, {"loop.example.com"}));
  EXPECT_LE(look("loop.example.com").answers.size(), 8u);
}

TEST_F(Names, UnhealthySetsAreLeftOut) {
  for (const char* id : {"1", "2"}) {
    RecordSet set = set_of("m.example.com", dns::kA, {std::string("10.0.1.") + id}, id);
    set.policy = Policy::kMultivalue;
    set.health_check = std::string("h") + id;
    zone.put(set);
  }
  EXPECT_EQ(texts("m.example.com").size(), 2u);
  zones.health().cell("h1")->healthy = false;
  EXPECT_EQ(texts("m.example.com"), Texts{"10.0.1.2"});
  zones.health().cell("h2")->healthy = false;
  EXPECT_EQ(texts("m.example.com").size(), 2u);  // when nothing is healthy, everything is
}

TEST_F(Names, FailoverFollowsTheHealthOfAnAliasTarget) {
  RecordSet target = set_of("blue.example.com", dns::kA, {"10.0.0.1"}, "b");
  target.policy = Policy::kWeighted;
  target.weight = 1;
  target.health_check = "blue";
  zone.put(target);
  RecordSet primary = set_of("www.example.com", dns::kA, {}, "p"), secondary = set_of("www.example.com", dns::kA, {"10.0.0.2"}, "s");
  primary.policy = secondary.policy = Policy::kFailover;
  primary.is_primary = true;
  primary.alias = Alias{.name = name("blue.example.com"), .evaluate_health = true};
  zone.put(primary);
  zone.put(secondary);
  EXPECT_EQ(texts("www.example.com"), Texts{"10.0.0.1"});
  zones.health().cell("blue")->healthy = false;
  EXPECT_EQ(texts("www.example.com"), Texts{"10.0.0.2"});
}

TEST_F(Names, PrivateZonesAreSeenFromTheirNetworks) {
  Zone& inner = zones.add("z2", name("example.com"));
  inner.set_visibility(true, {"vpc-1"});
  inner.put(set_of("db.example.com", dns::kA, {"10.9.9.9"}));
  zone.put(set_of("www.example.com", dns::kA, {"10.0.0.1"}));
  EXPECT_EQ(look("db.example.com", dns::kA, "vpc-1").answers.size(), 1u);
  EXPECT_EQ(look("www.example.com", dns::kA, "vpc-1").code, dns::kNxDomain);  // the private zone hides the public one
  EXPECT_EQ(look("db.example.com", dns::kA, "vpc-2").code, dns::kNxDomain);
  EXPECT_EQ(look("www.example.com", dns::kA, "vpc-2").answers.size(), 1u);
  EXPECT_EQ(texts("db.example.com"), Texts{"10.9.9.9"});  // this machine sees both
  EXPECT_EQ(texts("www.example.com"), Texts{"10.0.0.1"});
}

TEST_F(Names, LongRepliesAreTruncatedOverUdp) {
  std::vector<std::string> many;
  for (int i = 0; i < 90; ++i) many.push_back("10.0.0." + std::to_string(i));
  zone.put(set_of("many.example.com", dns::kA, many));
  zones.publish();
  const std::string packet = dns::build_query(1, name("many.example.com"), dns::kA);
  dns::Query query;
  ASSERT_EQ(dns::parse_query(packet, query), dns::kNoError);
  char buffer[4096];
  Reply reply{.out = buffer, .limit = sizeof buffer};
  answer(*zones.view()->load(), query, dns::kNoError, false, true, random, reply);
  const auto cut = dns::parse_message({buffer, reply.size});
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->flags & dns::kTc);
  EXPECT_TRUE(cut->answers.empty());
  Reply whole{.out = buffer, .limit = sizeof buffer};
  answer(*zones.view()->load(), query, dns::kNoError, true, true, random, whole);
  EXPECT_EQ(dns::parse_message({buffer, whole.size})->answers.size(), 90u);
}

TEST_F(Names, NegativeAnswersCarryTheSoa) {
  zones.publish();
  const std::string packet = dns::build_query(1, name("no.example.com"), dns::kA);
  dns::Query query;
  ASSERT_EQ(dns::parse_query(packet, query), dns::kNoError);
  char buffer[1024];
  Reply reply{.out = buffer, .limit = sizeof buffer};
  answer(*zones.view()->load(), query, dns::kNoError, false, false, random, reply);
  const auto message = dns::parse_message({buffer, reply.size});
  ASSERT_TRUE(message && message->authority.size() == 1);
  EXPECT_EQ(message->authority[0].name, name("example.com"));
  EXPECT_EQ(message->authority[0].ttl, 60u);  // the smaller of its TTL and its minimum
}

TEST_F(Names, EndpointNamesMeanThisMachine) {
  EXPECT_EQ(texts("x.execute-api.eu-west-1.amazonaws.com"), Texts{"127.0.0.1"});
  EXPECT_EQ(texts("bucket.s3.localhost.localstack.cloud"), Texts{"127.0.0.1"});
  EXPECT_EQ(texts("anything.localhost"), Texts{"127.0.0.1"});
  EXPECT_EQ(look("sqs.us-east-1.amazonaws.com").code, dns::kRefused);
}

}  // namespace
}  // namespace reef::naming
