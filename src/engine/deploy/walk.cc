#include "engine/deploy/walk.h"

#include <algorithm>

namespace reef::deploy {
namespace {

enum class Colour { kNew, kOpen, kClosed };

bool visit(const Graph& graph, const std::string& node, std::map<std::string, Colour>& colours, std::vector<std::string>& path) {
  colours[node] = Colour::kOpen;
  path.push_back(node);
  for (const std::string& next : graph.find(node)->second) {
    if (!graph.contains(next)) continue;
    if (colours[next] == Colour::kOpen) {
      path.erase(path.begin(), std::find(path.begin(), path.end(), next));
      return true;
    }
    if (colours[next] == Colour::kNew && visit(graph, next, colours, path)) return true;
  }
  path.pop_back();
  colours[node] = Colour::kClosed;
  return false;
}

}  // namespace

std::vector<std::string> find_cycle(const Graph& graph) {
  std::map<std::string, Colour> colours;
  std::vector<std::string> path;
  for (const auto& [node, needs] : graph)
    if (colours[node] == Colour::kNew && visit(graph, node, colours, path)) return path;
  return {};
}

Graph reversed(const Graph& graph) {
  Graph out;
  for (const auto& [node, needs] : graph) {
    out.try_emplace(node);
    for (const std::string& needed : needs)
      if (graph.contains(needed)) out[needed].insert(node);
  }
  return out;
}

Walk::Walk(const Graph& graph, std::size_t parallel_max) : parallel_max_(parallel_max) {
  for (const auto& [node, needs] : graph) {
    std::size_t count = 0;
    for (const std::string& needed : needs) {
      if (!graph.contains(needed) || needed == node) continue;
      nodes_[needed].needed_by.push_back(node);
      ++count;
    }
    nodes_[node].waits_for = count;
    if (count == 0) ready_.insert(node);
  }
}

std::vector<std::string> Walk::start_ready() {
  std::vector<std::string> out;
  while (!cancelled_ && (failed_.empty() || keeps_going_) && running_ < parallel_max_ && !ready_.empty()) {
    out.push_back(*ready_.begin());
    ready_.erase(ready_.begin());
    nodes_[out.back()].state = NodeState::kRunning;
    ++running_;
  }
  return out;
}

void Walk::finish(std::string_view name, bool succeeded) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || found->second.state != NodeState::kRunning) return;
  --running_;
  found->second.state = succeeded ? NodeState::kDone : NodeState::kFailed;
  if (!succeeded) {
    failed_.emplace_back(name);
    return;
  }
  for (const std::string& next : found->second.needed_by)
    if (--nodes_[next].waits_for == 0) ready_.insert(next);
}

bool Walk::is_over() const { return running_ == 0 && (cancelled_ || (!failed_.empty() && !keeps_going_) || ready_.empty()); }

bool Walk::is_complete() const {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node.second.state == NodeState::kDone; });
}

NodeState Walk::state(std::string_view node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? NodeState::kWaiting : found->second.state;
}

}  // namespace reef::deploy
