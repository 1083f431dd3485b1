// What it costs to find the rules of a bus that match an event, as rules grow.
//   cmake --preset release && ninja -C build/release bench_events && build/release/bench_events
#include <chrono>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "engine/events/rule_index.h"

using namespace reef;
using namespace reef::events;

namespace {

void measure(const char* what, int rules, std::string (*pattern)(int), const std::string& event) {
  RuleIndex index;
  for (int i = 0; i < rules; ++i) index.add(static_cast<RuleId>(i), *compile_pattern(pattern(i)));
  std::size_t matched = 0;
  const int rounds = 100'000;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) matched += index.match(event).size();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%-28s %6d rules: %7.2f us an event, %9.0f events/s, %.0f matched\n", what, rules, seconds / rounds * 1e6, rounds / seconds, static_cast<double>(matched) / rounds);
}

}  // namespace

int main() {
  const std::string event = R"({"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"placed","source":"orders","account":"111122223333",)"
                            R"("time":"2026-11-22T18:43:48Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-1234567890abcdef0"],)"
                            R"("detail":{"customer":"c-17","total":99.5,"file":"in/17/a.png","items":[{"sku":"s-1","count":2},{"sku":"s-17","count":1}]}})";
  for (const int rules : {10, 100, 1'000, 10'000}) {
    measure("one exact value each", rules, [](int i) { return fmt::format(R"({{"source":["orders"],"detail-type":["placed"],"detail":{{"customer":["c-{}"]}}}})", i); }, event);
    measure("one prefix each", rules, [](int i) { return fmt::format(R"({{"source":["orders"],"detail":{{"file":[{{"prefix":"in/{}/"}}]}}}})", i); }, event);
    measure("one source each", rules, [](int i) { return fmt::format(R"({{"source":["{}"],"detail":{{"total":[{{"numeric":[">",{}]}}]}}}})", i == 7 ? "orders" : fmt::format("s-{}", i), i % 50); }, event);
    measure("in arrays, wildcards", rules, [](int i) { return fmt::format(R"({{"detail":{{"items":{{"sku":["s-{}"],"count":[1]}},"file":[{{"wildcard":"in/*.png"}}]}}}})", i); }, event);
  }
}
