// What the loops know of the mesh: replaced whole when something changes, and read without a lock.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "engine/edge/balancer/target.h"
#include "engine/edge/mesh/node_state.h"
#include "engine/edge/mesh/plan.h"
#include "engine/edge/mesh/routes.h"

namespace reef::edge::mesh {

// A destination.
struct Node {
  NodePlan plan;
  std::shared_ptr<const GroupSettings> group;
  std::vector<std::shared_ptr<Target>> all;       // where it is
  std::vector<std::shared_ptr<Target>> targets;   // those that take requests: all, but for the unhealthy ones
  std::shared_ptr<NodeState> state = std::make_shared<NodeState>();   // the same for every later version of the node
};

struct Service {
  ServicePlan plan;
  std::shared_ptr<const Routes> routes;
};

struct Member {
  std::shared_ptr<const MemberPlan> plan;
  std::string identity;   // instead of a plan
  std::shared_ptr<const AccessSink> log;   // null: where everything goes that has no place of its own
};

struct View {
  std::map<std::string, std::shared_ptr<const Node>, std::less<>> nodes;
  TextMap<std::shared_ptr<const Service>> services;
  TextMap<Member> members;
  TextMap<std::shared_ptr<const MemberPlan>> identities;
  TextMap<std::shared_ptr<const Node>> guarded;   // nodes that end TLS, by "ip:port"

  std::shared_ptr<const Node> node(std::string_view id) const {
    const auto found = nodes.find(id);
    return found == nodes.end() ? nullptr : found->second;
  }
  std::shared_ptr<const Service> service(std::string_view id) const {
    const auto found = services.find(id);
    return found == services.end() ? nullptr : found->second;
  }
  std::shared_ptr<const MemberPlan> identity(std::string_view name) const {
    const auto found = identities.find(name);
    return found == identities.end() ? nullptr : found->second;
  }
  std::shared_ptr<const MemberPlan> member(std::string_view key) const {
    const auto found = members.find(key);
    if (found == members.end()) return nullptr;
    return found->second.plan ? found->second.plan : identity(found->second.identity);
  }
};

}  // namespace reef::edge::mesh
