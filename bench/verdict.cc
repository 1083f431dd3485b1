// What it costs to decide one connection among many interfaces and security groups, and to make a view after a change.
//   cmake --preset release && ninja -C build/release bench_verdict && build/release/bench_verdict
#include <chrono>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "base/random.h"
#include "engine/network/networks.h"

using namespace reef;
using namespace reef::network;

namespace {

template <class F>
double nanoseconds(int count, const F& one) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) one(i);
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - began).count() / count;
}

void measure(int groups) {
  Networks networks;
  for (int i = 0; i < groups; ++i) {
    const std::string id = fmt::format("sg-{}", i);
    networks.put_rule("out-" + id, {.group = id, .egress = true, .range = parse_cidr("0.0.0.0/0")});
    for (int rule = 0; rule < 20; ++rule)
      networks.put_rule(fmt::format("in-{}-{}", id, rule), {.group = id, .protocol = kTcp, .from_port = static_cast<std::uint16_t>(1000 + 10 * rule), .to_port = static_cast<std::uint16_t>(1009 + 10 * rule),
                                                            .peer_group = fmt::format("sg-{}", (i + rule) % groups)});
    networks.put_interface({.id = fmt::format("eni-{}", i), .vpc = "vpc", .subnet = "subnet", .address = 0x0A000000u + static_cast<std::uint32_t>(i), .groups = {id}});
  }
  networks.publish();
  const auto view = networks.view();
  SeededRandom random(1);
  int passed = 0;
  constexpr int kDecisions = 1'000'000;
  const double verdict = nanoseconds(kDecisions, [&](int) {
    const auto from = 0x0A000000u + static_cast<std::uint32_t>(random.next() % static_cast<std::uint64_t>(groups)), to = 0x0A000000u + static_cast<std::uint32_t>(random.next() % static_cast<std::uint64_t>(groups));
    const Flow flow{.from = {.address = from, .interface = view->at(from), .names = {}}, .to = {.address = to, .interface = view->at(to), .names = {}}, .from_port = 40000,
                    .to_port = static_cast<std::uint16_t>(1000 + random.next() % 200)};
    passed += view->decide(flow).passes();
  });
  const double change = nanoseconds(20, [&](int i) {
    networks.put_rule("changing", {.group = "sg-0", .protocol = kTcp, .from_port = static_cast<std::uint16_t>(i), .to_port = static_cast<std::uint16_t>(i), .peer_group = "sg-1"});
    networks.publish();
  });
  std::printf("%6d groups of 20 rules, as many interfaces: %4.0f ns a verdict (%d%% pass), %.2f ms a change\n", groups, verdict, passed / (kDecisions / 100), change / 1e6);
}

}  // namespace

int main() {
  for (const int groups : {10, 100, 1000, 10'000}) measure(groups);
}
