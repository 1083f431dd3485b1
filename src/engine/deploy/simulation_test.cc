// Walks over random graphs with random failures, and again from where a crash left them: nothing starts before what it
// needs, nothing twice, nothing is forgotten, and every end is one of those that are promised.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "engine/deploy/walk.h"
#include "engine/store/simulation.h"

namespace reef::deploy {
namespace {

// Edges go from later to earlier names only, so there is no cycle; some lead out of the graph.
Graph random_graph(Random& random, std::size_t nodes) {
  Graph graph;
  for (std::size_t i = 0; i < nodes; ++i) {
    auto& needs = graph["n" + std::to_string(i)];
    for (std::size_t j = 0; j < i; ++j)
      if (random.below(4) == 0) needs.insert("n" + std::to_string(j));
    if (random.below(5) == 0) needs.insert("outside");
  }
  return graph;
}

void simulate(std::uint64_t seed) {
  SeededRandom random(seed);
  Graph graph = random_graph(random, 1 + random.below(14));
  ASSERT_TRUE(find_cycle(graph).empty());
  if (random.below(2)) graph = reversed(graph);
  ASSERT_TRUE(find_cycle(graph).empty());
  const std::size_t parallel = 1 + random.below(5);
  const bool keeps_going = random.below(2);
  const std::uint64_t fails = random.below(4);  // in 20
  std::set<std::string> done, failed, running;
  auto walk = std::make_unique<Walk>(graph, parallel);
  if (keeps_going) walk->keep_going();
  bool cancelled = false;
  const auto needs_done = [&](const std::string& node) {
    return std::ranges::all_of(graph.at(node), [&](const std::string& needed) { return !graph.contains(needed) || done.contains(needed); });
  };
  for (int step = 0; !walk->is_over() || step == 0; ++step) {
    ASSERT_LT(step, 10'000) << "it never ends";
    for (const std::string& node : walk->start_ready()) {
      ASSERT_FALSE(cancelled);
      ASSERT_TRUE(keeps_going || failed.empty());
      ASSERT_TRUE(needs_done(node)) << node;
      ASSERT_FALSE(done.contains(node) || failed.contains(node)) << node << " again";
      ASSERT_TRUE(running.insert(node).second) << node << " twice";
    }
    ASSERT_LE(running.size(), parallel);
    ASSERT_EQ(walk->running(), running.size());
    if (running.empty()) break;
    if (random.below(60) == 0) walk->cancel(), cancelled = true;
    if (random.below(20) == 0) {
      // A crash: what is done is left out of a new walk, what ran is tried again.
      Graph rest;
      for (const auto& [node, needs] : graph)
        if (!done.contains(node)) rest[node] = needs;
      running.clear();
      failed.clear();
      cancelled = false;
      walk = std::make_unique<Walk>(rest, parallel);
      if (keeps_going) walk->keep_going();
      continue;
    }
    const std::string node = *std::next(running.begin(), static_cast<std::ptrdiff_t>(random.below(running.size())));
    running.erase(node);
    const bool succeeds = random.below(20) >= fails;
    (succeeds ? done : failed).insert(node);
    walk->finish(node, succeeds);
    walk->finish(node, !succeeds);  // a second report means nothing
  }
  ASSERT_TRUE(running.empty());
  ASSERT_EQ(walk->has_failed(), !failed.empty());
  ASSERT_EQ(std::set<std::string>(walk->failed().begin(), walk->failed().end()), failed);
  ASSERT_EQ(walk->is_complete(), done.size() == graph.size());
  for (const auto& [node, needs] : graph) {
    if (done.contains(node) || failed.contains(node)) continue;
    // What did not run had a reason.
    ASSERT_TRUE(cancelled || (!keeps_going && !failed.empty()) || !needs_done(node)) << node << " was forgotten";
  }
}

TEST(WalkSimulation, EveryNodeRunsOnceInOrderOrHasAReasonNotTo) {
  const store::SimulationSeeds seeds(2000);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    simulate(seed);
  }
}

TEST(WalkSimulation, ACycleIsFoundWhereverItIs) {
  const store::SimulationSeeds seeds(500);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    SeededRandom random(seed);
    Graph graph = random_graph(random, 4 + random.below(10));
    // A path from the last node down, and an edge back up.
    const std::size_t low = random.below(graph.size() - 1), high = low + 1 + random.below(graph.size() - low - 1);
    for (std::size_t i = low; i < high; ++i) graph["n" + std::to_string(i + 1)].insert("n" + std::to_string(i));
    graph["n" + std::to_string(low)].insert("n" + std::to_string(high));
    const std::vector<std::string> cycle = find_cycle(graph);
    ASSERT_FALSE(cycle.empty());
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const std::string& next = cycle[(i + 1) % cycle.size()];
      ASSERT_TRUE(cycle.size() == 1 || graph.at(cycle[i]).contains(next) || graph.at(next).contains(cycle[i])) << cycle[i] << " " << next;
    }
  }
}

}  // namespace
}  // namespace reef::deploy
