// What it costs to find a rule among 10,000 and a target among 1,000: nanoseconds each, by how rules are told apart.
//   cmake --preset release && ninja -C build/release bench_lookup && build/release/bench_lookup
#include <chrono>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "base/random.h"
#include "engine/edge/balancer/rules.h"
#include "engine/edge/balancer/target.h"

using namespace reef;
using namespace reef::edge;

namespace {

struct Asked final : RuleRequest {
  Asked(std::string_view asked_host, std::string_view asked_path) {
    method = "GET";
    host = asked_host;
    path = asked_path;
    source = "10.0.0.1";
  }
  bool any_header(std::string_view, const std::function<bool(std::string_view)>&) const override { return false; }
};

template <class F>
double nanoseconds(int count, const F& one) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) one(i);
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - began).count() / count;
}

void rules(const char* what, const std::function<RuleConditions(int)>& make, const std::function<std::pair<std::string, std::string>(int)>& ask) {
  constexpr int kRules = 10'000, kAsked = 1'000'000;
  std::vector<RuleConditions> all;
  for (int i = 0; i < kRules; ++i) all.push_back(make(i));
  const RuleIndex index(std::move(all));
  std::vector<std::pair<std::string, std::string>> questions;
  SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) questions.push_back(ask(static_cast<int>(random.below(kRules))));
  std::size_t found = 0;
  const double cost = nanoseconds(kAsked, [&](int i) {
    const auto& [host, path] = questions[static_cast<std::size_t>(i) % questions.size()];
    found += index.find(Asked(host, path)) != RuleIndex::kNone;
  });
  std::printf("%-60s %6.0f ns  (found %.0f%%)\n", what, cost, 100.0 * static_cast<double>(found) / kAsked);
}

void targets(const char* what, Algorithm algorithm) {
  auto settings = std::make_shared<GroupSettings>();
  settings->algorithm = algorithm;
  auto set = std::make_shared<TargetSet>();
  for (int i = 0; i < 1000; ++i) set->usable.push_back(std::make_shared<Target>(std::to_string(i), "10.0.0.1", 80, 2));
  LoopGroup group{.settings = settings, .targets = set};
  SeededRandom random(1);
  std::size_t ports = 0;
  const double cost = nanoseconds(1'000'000, [&](int) { ports += static_cast<std::size_t>((*choose_target(group, 0, Time{}, random.next()))->port); });
  std::printf("%-60s %6.0f ns  (%zu)\n", what, cost, ports);
}

}  // namespace

int main() {
  rules("10,000 rules by host", [](int i) { return RuleConditions{.hosts = {{fmt::format("s{}.example.com", i)}}}; },
        [](int i) { return std::pair(fmt::format("s{}.example.com", i), std::string("/")); });
  rules("10,000 rules by path prefix", [](int i) { return RuleConditions{.paths = {{fmt::format("/api/s{}/*", i)}}}; },
        [](int i) { return std::pair(std::string("h"), fmt::format("/api/s{}/x/y", i)); });
  rules("10,000 rules by wildcard host and path", [](int i) { return RuleConditions{.hosts = {{fmt::format("*.t{}.example.com", i % 100)}}, .paths = {{fmt::format("/v{}/*", i / 100)}}}; },
        [](int i) { return std::pair(fmt::format("a.t{}.example.com", i % 100), fmt::format("/v{}/x", i / 100)); });
  const auto expression = [](const std::string& text) {
    return RuleExpressions{{text, std::make_shared<const Pattern>(*Pattern::compile(text, {.whole = false}))}};
  };
  rules("10,000 rules by regular expression of the path", [&](int i) { return RuleConditions{.path_expressions = {expression(fmt::format("^/api/s{}/[a-z]+/(.*)$", i))}}; },
        [](int i) { return std::pair(std::string("h"), fmt::format("/api/s{}/x/y", i)); });
  rules("10,000 rules by regular expression of the host", [&](int i) { return RuleConditions{.host_expressions = {expression(fmt::format("^[a-z]+\\.s{}\\.example\\.com$", i))}}; },
        [](int i) { return std::pair(fmt::format("a.s{}.example.com", i), std::string("/")); });
  rules("10,000 rules, none of which fits", [](int i) { return RuleConditions{.hosts = {{fmt::format("s{}.example.com", i)}}}; },
        [](int) { return std::pair(std::string("other.example.com"), std::string("/a/b/c")); });
  targets("1,000 targets, round robin", Algorithm::kRoundRobin);
  targets("1,000 targets, least outstanding requests", Algorithm::kLeastOutstanding);
  targets("1,000 targets, weighted random", Algorithm::kWeightedRandom);
}
