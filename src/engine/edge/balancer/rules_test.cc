#include "engine/edge/balancer/rules.h"

#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace reef::edge {
namespace {

struct Asked final : RuleRequest {
  std::vector<std::pair<std::string, std::string>> headers;
  Asked(std::string_view asked_method, std::string_view asked_host, std::string_view asked_path, std::string_view asked_query = {}) {
    method = asked_method;
    host = asked_host;
    path = asked_path;
    query = asked_query;
    source = "10.1.2.3";
  }
  bool any_header(std::string_view name, const std::function<bool(std::string_view)>& visit) const override {
    for (const auto& [key, value] : headers)
      if (key == name && visit(value)) return true;
    return false;
  }
};

RuleConditions host_rule(std::vector<std::string> hosts) { return {.hosts = {std::move(hosts)}}; }
RuleConditions path_rule(std::vector<std::string> paths) { return {.paths = {std::move(paths)}}; }

TEST(Rules, FirstByPriorityWinsWhereverItIsIndexed) {
  const RuleIndex index({path_rule({"/api/v2/*"}), host_rule({"*.example.com"}), path_rule({"/api/*"}), host_rule({"shop.example.com"}), {}});
  EXPECT_EQ(index.find(Asked("GET", "shop.example.com", "/api/v2/x")), 0u);
  EXPECT_EQ(index.find(Asked("GET", "SHOP.example.com", "/api/v1")), 1u);
  EXPECT_EQ(index.find(Asked("GET", "other.org", "/api/v1")), 2u);
  EXPECT_EQ(index.find(Asked("GET", "example.com", "/")), 4u);
}

TEST(Rules, PathsKeepTheirCaseHostsDoNot) {
  const RuleIndex index({path_rule({"/Img/?.png"}), host_rule({"A.b"})});
  EXPECT_EQ(index.find(Asked("GET", "x", "/Img/1.png")), 0u);
  EXPECT_EQ(index.find(Asked("GET", "x", "/img/1.png")), RuleIndex::kNone);
  EXPECT_EQ(index.find(Asked("GET", "a.B", "/img/1.png")), 1u);
}

TEST(Rules, AllConditionsAndAnyValue) {
  RuleConditions rule{.methods = {{"GET", "HEAD"}}, .headers = {{"user-agent", {"*Chrome*", "*Safari*"}}}};
  rule.queries = {{{"version", "v1"}, {"", "*example*"}}};
  rule.sources = {{*AddressBlock::parse("10.0.0.0/8"), *AddressBlock::parse("192.0.2.0/24")}};
  const RuleIndex index({rule});
  Asked asked("GET", "h", "/", "a=1&VERSION=V1");
  EXPECT_EQ(index.find(asked), RuleIndex::kNone);
  asked.headers = {{"user-agent", "curl"}, {"user-agent", "mozilla chrome 1"}};
  EXPECT_EQ(index.find(asked), 0u);
  asked.method = "POST";
  EXPECT_EQ(index.find(asked), RuleIndex::kNone);
  asked.method = "HEAD";
  asked.query = "x=some-example-text";
  EXPECT_EQ(index.find(asked), 0u);
  asked.source = "11.0.0.1";
  EXPECT_EQ(index.find(asked), RuleIndex::kNone);
}

RuleExpressions expressions(const std::string& text, bool ignores_case = false) {
  return {{text, std::make_shared<const Pattern>(*Pattern::compile(text, {.whole = false, .ignores_case = ignores_case}))}};
}

TEST(Rules, ExpressionsAreFoundByTheirLiteralEnds) {
  RuleConditions host{.host_expressions = {expressions("^(.+)\\.Example\\.com$", true)}}, path{.path_expressions = {expressions("^/api/v[0-9]+/")}}, loose{.path_expressions = {expressions("x|y$")}};
  RuleConditions header{.headers = {{"user-agent", {}, expressions("^curl/[78]")}}};
  const RuleIndex index({host, path, loose, header});
  EXPECT_EQ(index.find(Asked("GET", "shop.EXAMPLE.com", "/")), 0u);
  EXPECT_EQ(index.find(Asked("GET", "example.com", "/api/v12/a")), 1u);
  EXPECT_EQ(index.find(Asked("GET", "example.com", "/api/vx/a")), 2u);
  EXPECT_EQ(index.find(Asked("GET", "example.com", "/a/y")), 2u);
  Asked asked("GET", "example.com", "/");
  EXPECT_EQ(index.find(asked), RuleIndex::kNone);
  asked.headers = {{"user-agent", "curl/8.1"}};
  EXPECT_EQ(index.find(asked), 3u);
}

TEST(Rules, Blocks) {
  EXPECT_TRUE(AddressBlock::parse("10.16.0.0/12")->contains("10.31.255.255"));
  EXPECT_FALSE(AddressBlock::parse("10.16.0.0/12")->contains("10.32.0.0"));
  EXPECT_TRUE(AddressBlock::parse("2001:db8::/33")->contains("2001:db8:7fff::1"));
  EXPECT_FALSE(AddressBlock::parse("2001:db8::/33")->contains("2001:db8:8000::1"));
  for (const char* bad : {"10.0.0.0/33", "x/8", "10.0.0.0/-1", "10.0.0.0/"}) EXPECT_FALSE(AddressBlock::parse(bad)) << bad;
}

// The index must agree with reading the rules one by one.
TEST(Rules, IndexAgreesWithAPlainScan) {
  SeededRandom random(7);
  const auto word = [&] { return std::string(1 + random.below(2), static_cast<char>('a' + random.below(3))); };
  const auto pattern = [&](char separator) {
    std::string out;
    for (std::uint64_t i = 0, n = 1 + random.below(3); i < n; ++i) {
      if (separator == '/' || i > 0) out += separator;
      out += random.below(4) == 0 ? (random.below(2) ? "*" : "?") : word();
    }
    return out;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<RuleConditions> rules(random.below(30));
    for (RuleConditions& rule : rules) {
      if (random.below(2)) rule.hosts = {{pattern('.'), pattern('.')}};
      if (random.below(2)) rule.paths = {{pattern('/'), pattern('/')}};
      else if (random.below(3) == 0) rule.path_expressions = {expressions("^" + replace_all(replace_all(pattern('/'), "*", ".*"), "?", "."))};
      if (rule.hosts.empty() && random.below(3) == 0) rule.host_expressions = {expressions(replace_all(replace_all(replace_all(pattern('.'), ".", "\\."), "*", ".*"), "?", "[a-c]") + "$", true)};
    }
    const RuleIndex index(rules);
    for (int i = 0; i < 30; ++i) {
      const std::string host = pattern('.'), path = pattern('/');
      const Asked asked("GET", host, path);
      std::size_t expected = RuleIndex::kNone;
      for (std::size_t r = 0; r < rules.size() && expected == RuleIndex::kNone; ++r)
        if (meets(rules[r], asked)) expected = r;
      ASSERT_EQ(index.find(asked), expected) << host << ' ' << path;
    }
  }
}

}  // namespace
}  // namespace reef::edge
