// Where connections between workloads meet the network engine: who connects to whom is told by sandbox and address, what
// is refused is reset and logged with what to change, what passes is relayed, counted, and cut when it may not go on.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "engine/edge/dialer.h"
#include "engine/function/functions.h"
#include "engine/network/connections.h"
#include "engine/network/networks.h"
#include "engine/sandbox/outbound.h"
#include "engine/sandbox/relay.h"
#include "engine/store/shard.h"
#include "engine/task/tasks.h"

namespace reef::app {

class NetworkGate final : public edge::DialGuard {
 public:
  NetworkGate(network::Networks& networks, network::Connections& connections, task::Tasks& tasks, const function::Functions& functions);

  // A connection that a sandbox made to a task, a balancer or the world: true when it was taken over or refused, and then
  // the descriptor is the gate's. Control shard.
  bool adopt(std::string_view sandbox, sandbox::Destination to, int fd);

  // The VPC that a sandbox is in; empty when it is in none. Control shard.
  std::string vpc_of(std::string_view sandbox) const;

  // Those that balancers make.
  bool admits(std::string_view caller, std::string_view ip, int port) override;
  void opened(std::string_view caller, std::string_view ip, int port, int fd) override;
  void closing(int fd) override { connections_.closing(fd); }

 private:
  network::Party sender(const network::View& view, std::string_view sandbox) const;
  std::optional<network::Flow> balancer_flow(const network::View& view, std::string_view caller, std::string_view ip, int port, int fd) const;
  void relay(int from, int to, network::Flow flow);
  void relay_to_task(int from, const std::string& ip, network::Flow flow);
  void log_refusal(const network::Flow& flow, const network::Verdict& verdict);

  network::Networks& networks_;
  network::Connections& connections_;
  task::Tasks& tasks_;
  const function::Functions& functions_;
  // By loop, each touched by its own thread alone; connections are given to the loops in turn.
  std::vector<std::list<std::unique_ptr<sandbox::Relay>>> relays_{store::Shard::count()};
  std::size_t next_loop_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Guarded<std::map<std::string, Time>> logged_;  // when a sentence was last said
};

}  // namespace reef::app
