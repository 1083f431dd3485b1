// A UDP listener of a network load balancer on one loop: each client's flow goes to one target, whose replies go back.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/edge/balancer/loop.h"
#include "io/datagrams.h"

namespace reef::edge {

class UdpListener final : public io::FdHandler {
 public:
  UdpListener(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, io::Fd fd);
  ~UdpListener() override;
  void on_ready(std::uint32_t events) override;
  // Ends the flows that have been silent for two minutes.
  void expire(std::int64_t now);
  // Ends the flows to those targets: what their clients send next goes elsewhere.
  void cut(const std::vector<std::shared_ptr<Target>>& targets);

 private:
  struct Flow;
  Flow* flow_of(const std::string& client);

  BalancerLoop& loop_;
  std::shared_ptr<ListenerSlot> slot_;
  io::Fd fd_;
  std::unordered_map<std::string, std::unique_ptr<Flow>> flows_;   // by the bytes of the client's address
};

}  // namespace reef::edge
