// The mesh: names that callers in sandboxes use, and what happens to the connections they make to them. A name is an
// address of its own inside sandboxes (240.192.x.y), so that a connection's destination tells the service, and its
// sandbox the caller.
//
// Always true: everything here is called on the control shard unless it says otherwise; what it is told becomes a View that all
// loops follow, and connections are spread over them (mesh_loop.h). A plan that is replaced counts for the next request;
// requests in flight end under the old one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "base/text.h"
#include "engine/edge/balancer/balancers.h"
#include "engine/edge/mesh/checks.h"
#include "engine/edge/mesh/mesh_loop.h"
#include "engine/edge/mesh/view.h"

namespace reef::edge::mesh {

class Gateway;

class Mesh {
 public:
  static constexpr std::uint32_t kFirstAddress = 240u << 24 | 192u << 16 | 1;   // 240.192.0.1: 127.64.0.0/10 is the balancers'
  static bool is_virtual(std::uint32_t address) { return address >> 16 == kFirstAddress >> 16; }

  Mesh(Balancers& balancers, const Dialer& dialer);
  ~Mesh();
  // --- wiring, before there are connections ---
  void set_tracing(Tracing tracing) { shared_.tracing = std::move(tracing); }
  void set_secrets(SecretSource source) { shared_.keyring.set_source(std::move(source)); }
  // How addresses inside sandboxes are reached, past the mesh.
  void set_inside(Dialer::Inside inside) {
    past_.set_inside(inside);
    shared_.inside = std::move(inside);
  }

  // Where lines go of nodes and callers whose tasks have no place for them; `owner` as shown. On any loop.
  void set_access_log(std::function<void(const std::string& owner, const std::string& line)> log) { shared_.access_log = std::move(log); }

  // --- configuration ---
  void put_node(NodePlan plan);
  void set_endpoints(const std::string& node, std::vector<Endpoint> endpoints);
  void remove_node(const std::string& node);
  void put_service(ServicePlan plan);
  void remove_service(const std::string& service);
  // A member is known by the name of what runs it, as `adopt` is given it.
  void put_member(const std::string& key, MemberPlan plan, AccessSink log = {});
  // The same for one that is whatever `identity` is at the time; nothing while there is no such identity.
  void put_member_as(const std::string& key, std::string identity, AccessSink log = {});
  void remove_member(std::string_view key);
  void put_identity(const std::string& identity, MemberPlan plan);
  void remove_identity(const std::string& identity);
  // Forgets everything but what is in flight.
  void clear();

  // --- what sandboxes do ---
  // The address of a name that the member's scopes have.
  std::optional<std::uint32_t> resolve(std::string_view member, std::string_view name) const;
  // Takes a connection to a virtual address over; and one that the member may not make, to end it. Address in host byte order;
  // `origin` is in whose name the network is asked.
  bool adopt(std::string_view member, std::string origin, std::uint32_t address, int port, int fd);

  // A connection to an address that the mesh has to do with: a node that ends TLS, or a lane of its own. On any loop.
  std::optional<Task<Result<int, Failure>>> dial(std::string_view ip, int port);

  // --- what passes ---
  // What this thread's loop serves. On any loop.
  MeshLoop& here() const;
  // Of all loops together, ordered by caller, service and target.
  Task<std::vector<Figures>> figures() const;
  const View& view() const { return draft_; }
  // Those that listen, for whoever shows them; they say so themselves.
  std::vector<const Gateway*> gateways;
  std::uint64_t next_gateway() { return next_gateway_++; }
  // What the loops are told, each on its own thread and after everything that they were told before.
  void on_every_loop(const std::function<void(MeshLoop&)>& work);
  void on_next_loop(std::move_only_function<void(MeshLoop&)> work) {
    publish();
    on(*loops_[next_loop_++ % loops_.size()], std::move(work));
  }

 private:
  void changed();
  // Has the loops see what was changed, before anything else that they are told.
  void publish();
  void on(MeshLoop& loop, std::move_only_function<void(MeshLoop&)> work);
  void put_node_version(std::shared_ptr<Node> node);
  static std::vector<std::shared_ptr<Target>> usable(const Node& node, const Checks& checks);
  void check_changed(const std::string& node);

  MeshLoop::Shared shared_;
  Dialer past_;   // checks look at tasks, not at the TLS before them
  std::vector<std::unique_ptr<MeshLoop>> loops_;
  std::size_t next_loop_ = 0;
  std::uint64_t next_gateway_ = 1;
  View draft_;
  bool is_changed_ = false;
  std::map<std::string, std::unique_ptr<Checks>, std::less<>> checks_;   // by node; null: it is not checked
  TextMap<std::uint32_t> addresses_;                                 // by scope and name
  std::map<std::uint32_t, std::vector<std::string>> services_at_;    // ids
  std::uint32_t next_address_ = kFirstAddress;
  std::shared_ptr<Mesh*> self_ = std::make_shared<Mesh*>(this);
};

}  // namespace reef::edge::mesh
