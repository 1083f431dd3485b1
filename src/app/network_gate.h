// Where connections between workloads meet the network engine: who connects to whom is told by sandbox and address, what
// is refused is reset and logged with what to change.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/network/networks.h"
#include "engine/sandbox/outbound.h"
#include "engine/task/tasks.h"

namespace reef::app {

class NetworkGate {
 public:
  NetworkGate(network::Networks& networks, task::Tasks& tasks) : networks_(networks), tasks_(tasks) {}

  // A connection that a sandbox made: true when it must not be, and then it is closed. Control shard.
  bool refuse(std::string_view sandbox, sandbox::Destination to, int fd);

 private:
  network::Party sender(const network::View& view, std::string_view sandbox) const;
  void log_refusal(const network::Flow& flow, const network::Verdict& verdict);

  network::Networks& networks_;
  task::Tasks& tasks_;
  std::map<std::string, Time> logged_;  // when a sentence was last said
};

}  // namespace reef::app
