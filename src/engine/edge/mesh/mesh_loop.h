// The connections of the mesh that one loop serves. Everything here is on that loop's thread.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "engine/edge/balancer/loop.h"
#include "engine/edge/dialer.h"
#include "engine/edge/mesh/figures.h"
#include "engine/edge/mesh/keyring.h"
#include "engine/edge/mesh/view.h"
#include "http/server.h"
#include "io/tls.h"

namespace reef::edge::mesh {

class Joint;
struct AccessEntry;
struct GatewayDoor;
struct GatewayView;

// Who a connection is of, and where it goes to.
struct Arrival {
  std::string member;    // the caller's key
  std::string origin;    // in whose name the network is asked; empty: nobody's
  std::string service;   // id
  int port = 0;
};

// How one caller reaches one target by TLS: the connections of different callers are never each other's.
struct Lane {
  std::shared_ptr<Target> real, target;   // `target` has an address that only this loop knows: "mesh:7"
  ClientTlsPlan tls;
};

class MeshLoop {
 public:
  // What loops share and the control shard owns.
  struct Shared {
    const Dialer& dialer;
    Tracing tracing;
    Dialer::Inside inside;   // how addresses inside sandboxes are reached, past the mesh
    std::function<void(const std::string& owner, const std::string& line)> access_log;
    Keyring keyring;         // on the control shard only
  };
  MeshLoop(BalancerLoop& loop, Shared& shared);
  ~MeshLoop();

  BalancerLoop& balancer() const { return loop_; }
  void set_view(std::shared_ptr<const View> view);
  void clear();
  std::vector<Figures> figures() const;

  // Serves a connection to a service; and one that its caller may not make, to end it.
  void adopt(Arrival arrival, int fd);
  void deny(const MemberPlan& caller, std::string_view service, std::string_view endpoint, int fd);
  // Serves a connection to a node that ends TLS.
  Task<void> admit(std::shared_ptr<const Node> node, std::string ip, int port, int fd);
  // A connection to an address that the mesh has to do with: a node that ends TLS, or a lane of its own.
  std::optional<Task<Result<int, Failure>>> dial(std::string_view ip, int port);
  // One HTTP request of a caller to a service; `origin` as in Arrival.
  Task<http::Response> pass(std::shared_ptr<const MemberPlan> caller, std::string origin, std::shared_ptr<const Service> service, int port, http::Request& request);

  // --- gateways; see gateway.h ---
  void put_gateway(std::shared_ptr<const GatewayView> view);
  void remove_gateway(std::uint64_t id);
  void adopt_outsider(std::uint64_t gateway, const std::shared_ptr<const GatewayDoor>& door, int fd, std::string peer);

 private:
  struct Trip;   // one request under way
  // A gateway on this loop, with a server for each of its doors that was used.
  struct Outside {
    std::shared_ptr<const GatewayView> now;
    std::map<std::shared_ptr<const GatewayDoor>, std::unique_ptr<http::Server>> servers;
  };
  Task<http::Response> serve_outsider(std::uint64_t gateway, std::shared_ptr<const GatewayDoor> door, http::Request& request);
  io::Reactor& reactor() const { return loop_.reactor(); }
  Task<http::Response> serve(http::Request& request);
  // Where a request goes; says why it goes nowhere, with the answer to that.
  std::string_view find_way(Trip& trip, int port, http::Response& out);
  void renew(Trip& trip);
  Task<std::string_view> try_all(Trip& trip, const std::string& origin, http::Response& out);   // says what went wrong
  Task<http::Response> try_http1(Trip& trip, const Node& node, const std::shared_ptr<Target>& target);
  Task<http::Response> try_http2(Trip& trip, const std::shared_ptr<Target>& target);
  std::shared_ptr<Target> choose(const Node& node, const Target* not_this);
  void note(Trip& trip, int status, std::string_view error);
  // --- access logs; null when nobody keeps one ---
  std::shared_ptr<AccessEntry> begin_entry(const MemberPlan& caller, std::string_view origin, const Node* node, std::string_view target, std::string_view error) const;
  std::shared_ptr<AccessEntry> begin_entry(const Trip& trip, std::string_view origin, std::string_view error, const http::Response& reply) const;
  void write(AccessEntry& entry, const http::Body* reply) const;
  Task<void> pass_bytes(std::shared_ptr<const MemberPlan> caller, std::shared_ptr<const Service> service, Arrival arrival, int fd);
  Figures& figures_of(std::string_view caller, std::string_view service, std::string_view target);
  // The loop does not sleep for a moment: what comes next is on its way, and waking up would take longer than it takes to come.
  void stay_awake() { awake_until_ = io::monotonic_micros() + kAwakeMicros; }
  // Connections that nobody uses are closed; those in use end with their requests.
  void let_go(const std::shared_ptr<Target>& target);
  // The target as the caller reaches it: itself, or a lane to it.
  std::shared_ptr<Target> via(const MemberPlan& caller, const ServicePlan& service, const Node& node, const std::shared_ptr<Target>& target);
  Task<Result<int, Failure>> dial_lane(std::string ip);
  Task<Result<int, Failure>> dial_guarded(std::shared_ptr<const Node> node, std::string ip, int port);
  Joint& join(io::Transport&& a, io::Transport&& b, Duration idle, std::function<void(std::uint64_t, std::uint64_t)> done, std::function<bool(const io::Transport&)> accepts);

  BalancerLoop& loop_;
  Shared& shared_;
  std::shared_ptr<const View> view_ = std::make_shared<const View>();
  std::map<std::string, std::unique_ptr<Figures>, std::less<>> figures_;
  std::unique_ptr<http::Server> server_;
  std::map<std::uint64_t, Outside> outside_;
  std::list<std::unique_ptr<Joint>> joints_;
  static constexpr std::int64_t kAwakeMicros = 50;
  std::int64_t awake_until_ = 0;
  std::map<std::string, Lane, std::less<>> lanes_;           // by caller, service and target
  std::map<std::string, std::string, std::less<>> lane_at_;  // "mesh:7" to its key
  std::uint64_t next_lane_ = 1;
  std::shared_ptr<MeshLoop*> self_ = std::make_shared<MeshLoop*>(this);
};

// Ends a connection as a refusal.
void end_connection(int fd);

}  // namespace reef::edge::mesh
