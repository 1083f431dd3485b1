// A walk over a graph of named nodes in the order of their dependencies, as many at a time as are ready. Knows nothing
// of what a node is: the caller asks what may start, does it, and reports back.
//
// Always true: a node starts only after everything it depends on has succeeded; a node starts at most once; after a
// failure nothing new starts, unless told to keep going.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reef::deploy {

// For each node, the nodes that it depends on.
using Graph = std::map<std::string, std::set<std::string>, std::less<>>;

// The nodes of one cycle, in order; empty when there is none. Edges to nodes that are not in the graph do not count.
std::vector<std::string> find_cycle(const Graph& graph);
// The same nodes with every edge turned round: the order in which to take things away.
Graph reversed(const Graph& graph);

enum class NodeState { kWaiting, kRunning, kDone, kFailed };

class Walk {
 public:
  // At most `parallel_max` nodes run at once. The graph must have no cycle.
  Walk(const Graph& graph, std::size_t parallel_max);

  // Marks every node that may start now as running and returns them, in name order.
  std::vector<std::string> start_ready();
  // Reports the end of a running node.
  void finish(std::string_view node, bool succeeded);
  // A failure stops only what depends on it.
  void keep_going() { keeps_going_ = true; }
  // Nothing starts any more.
  void cancel() { cancelled_ = true; }

  std::size_t running() const { return running_; }
  // Every node has succeeded.
  bool is_complete() const;
  // Nothing runs and nothing can start.
  bool is_over() const;
  bool has_failed() const { return !failed_.empty(); }
  // Failed nodes, in the order of their failing.
  const std::vector<std::string>& failed() const { return failed_; }
  NodeState state(std::string_view node) const;

 private:
  struct Node {
    NodeState state = NodeState::kWaiting;
    std::size_t waits_for = 0;
    std::vector<std::string> needed_by;
  };
  std::map<std::string, Node, std::less<>> nodes_;
  std::set<std::string> ready_;
  std::vector<std::string> failed_;
  std::size_t parallel_max_;
  std::size_t running_ = 0;
  bool cancelled_ = false;
  bool keeps_going_ = false;
};

}  // namespace reef::deploy
