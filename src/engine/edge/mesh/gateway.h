// A mesh's gateway: an address of this machine where clients from outside reach services of the mesh.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine/edge/mesh/plan.h"
#include "engine/edge/mesh/routes.h"
#include "io/reactor.h"
#include "io/tls.h"

namespace reef::edge::mesh {

class Mesh;

struct GatewayListener {
  int port = 80;
  bool needs_tls = false;                  // plain connections are not served
  std::vector<io::PemPair> certificates;   // empty: no TLS
};

// Where a gateway's routes lead, by the index of the route in `GatewayPlan::routes`.
struct GatewayTarget {
  std::string service;         // id
  std::string service_name;    // what requests are addressed to, unless the host is kept
  int port = 0;                // of the service; 0: its first
};

struct GatewayPlan {
  std::string identity;        // whose calls these are
  std::string address;         // of this machine
  std::vector<GatewayListener> listeners;
  std::vector<Route> routes;   // only what they match and how they rewrite is looked at
  std::vector<GatewayTarget> targets;
};

// One of its listeners, as it was opened.
struct GatewayDoor {
  GatewayListener settings;
  int port = 0;                        // where it really listens
  std::shared_ptr<io::TlsContext> tls;
};

// A gateway as the loops follow it; replaced whole.
struct GatewayView {
  std::uint64_t id = 0;
  GatewayPlan plan;
  std::shared_ptr<const Routes> routes;
  std::vector<std::shared_ptr<const GatewayDoor>> doors;
};

// On the control shard: it accepts there, and the mesh's loops serve in turn.
class Gateway {
 public:
  Gateway(Mesh& mesh, io::Reactor& reactor);
  ~Gateway();
  // Begins to listen where it did not yet. A Failure says what could not be listened on.
  Result<void, Failure> apply(GatewayPlan plan);
  const GatewayPlan& plan() const { return plan_; }
  // Where a listener really listens: ports below 1024 take a privilege that an ordinary user lacks, and become 8000 more.
  int port_of(int declared) const;

 private:
  class Acceptor;
  Result<void, Failure> listen(const GatewayListener& settings);
  void publish();

  Mesh& mesh_;
  io::Reactor& reactor_;
  const std::uint64_t id_;
  GatewayPlan plan_;
  std::shared_ptr<const Routes> routes_;
  std::list<std::unique_ptr<Acceptor>> listening_;
};

}  // namespace reef::edge::mesh
