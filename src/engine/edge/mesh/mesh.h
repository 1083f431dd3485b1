// The mesh: names that callers in sandboxes use, and what happens to the connections they make to them. A name is an
// address of its own inside sandboxes (240.192.x.y), so that a connection's destination tells the service, and its
// sandbox the caller.
//
// Always true: everything here is on the control shard, where the connections of sandboxes are, and takes no lock. A plan
// that is replaced counts for the next request; requests in flight end under the old one.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/task.h"
#include "base/text.h"
#include "engine/edge/balancer/balancers.h"
#include "engine/edge/dialer.h"
#include "engine/edge/mesh/figures.h"
#include "engine/edge/mesh/keyring.h"
#include "engine/edge/mesh/outliers.h"
#include "engine/edge/mesh/plan.h"
#include "engine/edge/mesh/pool.h"
#include "engine/edge/mesh/routes.h"
#include "http/server.h"

namespace reef::edge::mesh {

class Gateway;
class Joint;

// A destination and how it does.
struct Node {
  NodePlan plan;
  std::shared_ptr<const GroupSettings> group;
  std::vector<std::shared_ptr<Target>> targets;
  std::size_t cursor = 0;
  Outliers outliers;
  Pool pool;
  std::deque<Later<bool>*> waiting;   // for a place in the pool
};

// How one caller reaches one target by TLS: the connections of different callers are never each other's.
struct Lane {
  std::shared_ptr<Target> real, target;   // `target` has an address that only the mesh knows: "mesh:7"
  ClientTlsPlan tls;
};

struct Service {
  ServicePlan plan;
  std::shared_ptr<const Routes> routes;
};

class Mesh {
 public:
  static constexpr std::uint32_t kFirstAddress = 240u << 24 | 192u << 16 | 1;   // 240.192.0.1: 127.64.0.0/10 is the balancers'
  static bool is_virtual(std::uint32_t address) { return address >> 16 == kFirstAddress >> 16; }

  Mesh(Balancers& balancers, const Dialer& dialer);
  ~Mesh();
  void set_tracing(Tracing tracing) { tracing_ = std::move(tracing); }
  void set_secrets(SecretSource source) { keyring_.set_source(std::move(source)); }
  // How addresses inside sandboxes are reached, past the mesh.
  void set_inside(Dialer::Inside inside) { inside_ = std::move(inside); }

  // --- configuration ---
  void put_node(NodePlan plan);
  void set_endpoints(const std::string& node, std::vector<Endpoint> endpoints);
  void remove_node(const std::string& node);
  void put_service(ServicePlan plan);
  void remove_service(const std::string& service);
  // A member is known by the name of what runs it, as `adopt` is given it.
  void put_member(const std::string& key, MemberPlan plan) { members_[key] = {std::make_shared<const MemberPlan>(std::move(plan)), {}}; }
  // The same for one that is whatever `identity` is at the time; nothing while there is no such identity.
  void put_member_as(const std::string& key, std::string identity) { members_[key] = {nullptr, std::move(identity)}; }
  void remove_member(std::string_view key);
  void put_identity(const std::string& identity, MemberPlan plan) { identities_[identity] = std::make_shared<const MemberPlan>(std::move(plan)); }
  void remove_identity(const std::string& identity) { identities_.erase(identity); }
  std::shared_ptr<const MemberPlan> member(std::string_view key) const;
  std::shared_ptr<const MemberPlan> identity(std::string_view identity) const;
  // Forgets everything but what is in flight.
  void clear();

  // --- what sandboxes do ---
  // The address of a name that the member's scopes have.
  std::optional<std::uint32_t> resolve(std::string_view member, std::string_view name) const;
  // Takes a connection to a virtual address over; and one that the member may not make, to end it. Address in host byte order.
  bool adopt(std::string_view member, std::uint32_t address, int port, int fd);

  // A connection to an address that the mesh has to do with: a node that ends TLS, or a lane of its own. On any loop.
  std::optional<Task<Result<int, Failure>>> dial(std::string_view ip, int port);

  // --- what passes ---
  // One HTTP request of a caller to a service; `member` is the key of the caller when it is one.
  Task<http::Response> pass(std::shared_ptr<const MemberPlan> caller, std::string member, std::shared_ptr<const Service> service, int port, http::Request& request);
  std::shared_ptr<const Service> service(std::string_view id) const;
  std::vector<const Figures*> figures() const;
  const std::map<std::string, std::shared_ptr<Node>, std::less<>>& nodes() const { return nodes_; }
  // Those that listen, for whoever shows them; they say so themselves.
  std::vector<const Gateway*> gateways;

 private:
  struct Trip;   // one request under way
  Task<http::Response> serve(http::Request& request);
  Task<http::Response> try_http1(Trip& trip, Node& node, const std::shared_ptr<Target>& target);
  Task<http::Response> try_http2(Trip& trip, Node& node, const std::shared_ptr<Target>& target);
  Task<bool> enter(std::shared_ptr<Node> node);
  void leave(const std::shared_ptr<Node>& node);
  std::shared_ptr<Target> choose(Node& node, const Target* not_this);
  std::shared_ptr<Node> find_node(std::string_view id) const;
  void note(Trip& trip, int status, std::string_view error);
  Task<void> pass_bytes(std::shared_ptr<const MemberPlan> caller, std::string member, std::shared_ptr<const Service> service, int port, int fd);
  void deny(const MemberPlan& caller, std::string_view service, int fd);
  Figures& figures_of(std::string_view caller, std::string_view service, std::string_view target);
  BalancerLoop& loop() const { return balancers_.loop(0); }
  // The loop does not sleep for a moment: what comes next is on its way, and waking up would take longer than it takes to come.
  void stay_awake() { awake_until_ = io::monotonic_micros() + kAwakeMicros; }
  void let_go(const std::shared_ptr<Target>& target);
  // The target as the caller reaches it: itself, or a lane to it.
  std::shared_ptr<Target> via(const MemberPlan& caller, const ServicePlan& service, const Node& node, const std::shared_ptr<Target>& target);
  void guard_targets();
  std::shared_ptr<Node> guard_of(std::string_view ip, int port) const;
  Task<Result<int, Failure>> dial_lane(std::string ip);
  Task<Result<int, Failure>> dial_guarded(std::string ip, int port);
  // Serves a connection to a node that ends TLS.
  Task<void> admit(std::shared_ptr<Node> node, std::string ip, int port, int fd);
  void join(io::Transport&& a, io::Transport&& b, Duration idle, std::function<void()> done, std::function<bool(const io::Transport&)> accepts);

  Balancers& balancers_;
  const Dialer& dialer_;
  Tracing tracing_;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> nodes_;
  TextMap<std::shared_ptr<const Service>> services_;
  struct Member {
    std::shared_ptr<const MemberPlan> plan;
    std::string identity;   // instead of a plan
  };
  TextMap<Member> members_;
  TextMap<std::shared_ptr<const MemberPlan>> identities_;
  TextMap<std::uint32_t> addresses_;                                 // by scope and name
  std::map<std::uint32_t, std::vector<std::string>> services_at_;    // ids
  std::uint32_t next_address_ = kFirstAddress;
  std::map<std::string, std::unique_ptr<Figures>, std::less<>> figures_;
  std::unique_ptr<http::Server> server_;
  std::list<std::unique_ptr<Joint>> joints_;
  static constexpr std::int64_t kAwakeMicros = 50;
  std::int64_t awake_until_ = 0;
  std::shared_ptr<Mesh*> self_ = std::make_shared<Mesh*>(this);
  Keyring keyring_;
  Dialer::Inside inside_;
  std::map<std::string, Lane, std::less<>> lanes_;           // by caller, service and target
  std::map<std::string, std::string, std::less<>> lane_at_;  // "mesh:7" to its key
  std::uint64_t next_lane_ = 1;
  // "ip:port" of nodes that end TLS, which dial() on other loops must know.
  Guarded<std::set<std::string, std::less<>>> guarded_;
};

}  // namespace reef::edge::mesh
