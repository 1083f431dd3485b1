// All load balancers: their listeners and target groups, the health of the targets, and what the loops are told of it.
// Everything here is called on the control shard; a task is done when every loop has taken the change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/text.h"
#include "engine/edge/balancer/loop.h"
#include "engine/edge/balancer/plan.h"
#include "engine/edge/balancer/target.h"
#include "io/tls.h"

namespace reef::edge {

struct TargetSpec {
  std::string id;   // "10.0.0.7", "i-0123", or a function's ARN
  std::string ip;   // where it is reached; empty for functions and instances that do not run
  int port = 0;
};

struct TargetStatus {
  std::string id;
  int port = 0;
  int check_port = 0;
  HealthState state = HealthState::kUnused;
  HealthReason reason = HealthReason::kNone;
  std::string description;
  bool is_anomalous = false;
};

// What happened since the last collection: at a listener, and at the targets of a group.
struct ListenerTraffic {
  Counters own;             // answers of the balancer itself
  std::uint64_t client_resets = 0, new_connections = 0, bytes = 0, desync = 0;
  std::uint64_t active = 0; // connections that are open now
};
struct GroupTraffic {
  Counters targets;
  std::size_t healthy = 0, unhealthy = 0;  // now
};
struct Traffic {
  std::map<std::string, ListenerTraffic> listeners;
  std::map<std::string, GroupTraffic> groups;
};

// A health check that has ended.
struct CheckNote {
  const std::string& group;
  std::string target;
  int port = 0;
  const HealthSettings& settings;
  CheckResult result;
  HealthReason reason = HealthReason::kNone;   // of its failure
  Time began{};
  std::int64_t latency_micros = 0;
};

class Balancers {
 public:
  explicit Balancers(const Dialer& dialer);
  ~Balancers();

  // --- target groups ---
  Task<void> put_group(GroupSettings settings);
  Task<void> remove_group(const std::string& id);
  Task<void> register_targets(const std::string& group, const std::vector<TargetSpec>& targets);
  // Those in flight may end within the group's delay. Unknown targets are passed over.
  Task<void> deregister_targets(const std::string& group, const std::vector<TargetSpec>& targets);
  std::vector<TargetStatus> targets(const std::string& group) const;
  // Called when the health of some target of a group has changed.
  void on_health_change(std::function<void(const std::string& group)> notice) { notices_.push_back(std::move(notice)); }

  // Called at the end of every check.
  void on_check(std::function<void(const CheckNote&)> notice) { check_notice_ = std::move(notice); }

  // --- listeners ---
  // Begins to listen, or changes a listener. `tls` for those that end TLS. The port is another than declared when that one
  // may not be taken; a Failure says why when none can.
  Task<Result<int, Failure>> put_listener(ListenerPlan plan, std::optional<io::ServerTls> tls);
  Task<void> remove_listener(const std::string& id);
  bool has_listener(const std::string& id) const { return listeners_.contains(id); }
  // Where a listener really listens: 0 when it does not.
  int port_of(const std::string& id) const;

  // A request that came to the gateway with a balancer's host name. Any loop.
  Task<http::Response> serve(const std::string& listener, http::Request& request);
  // How function targets are called; before the first listener.
  void set_function_target(FunctionTarget call);
  // Whose certificates identity providers may show, besides those that the system trusts; before the first listener.
  void set_trusted(const std::string& pem);
  // Where identity providers of this machine are found without a connection.
  void set_sites(const Sites& sites);
  // Takes what the loops counted.
  Task<Traffic> collect();
  // Forgets everything.
  Task<void> clear();
  // Stops accepting.
  void stop();

  BalancerLoop& loop(std::size_t index) { return *loops_[index]; }

 private:
  struct Entry;
  struct Group;
  struct Listener {
    ListenerPlan plan;
    int port = 0;
  };
  template <class F>
  Task<void> on_each_loop(F apply);
  Task<void> publish(Group& group, std::vector<std::shared_ptr<Target>> gone = {});
  void refresh_use();
  void schedule(const std::shared_ptr<Group>& group, const std::shared_ptr<Entry>& entry);
  Task<void> check(std::shared_ptr<Group> group, std::shared_ptr<Entry> entry);
  Task<void> drain(std::shared_ptr<Group> group, std::shared_ptr<Entry> entry);
  void watch_anomalies();

  const Dialer& dialer_;
  std::vector<std::unique_ptr<BalancerLoop>> loops_;
  std::map<std::string, std::shared_ptr<Group>, std::less<>> groups_;
  std::map<std::string, Listener, std::less<>> listeners_;
  std::vector<std::function<void(const std::string&)>> notices_;
  std::function<void(const CheckNote&)> check_notice_;
  io::Reactor::TimerId anomaly_timer_ = 0;
};

}  // namespace reef::edge
