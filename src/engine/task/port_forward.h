// A port of this machine that leads into a container: accepts, connects inside, and relays until both sides are done.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "base/result.h"
#include "engine/sandbox/relay.h"
#include "io/reactor.h"
#include "io/socket.h"

namespace reef::task {

class PortForward final : public io::FdHandler {
 public:
  using Connected = std::function<void(Result<int, Failure>)>;
  using Connect = std::function<void(Connected)>;

  // Port 0 takes a free one.
  static Result<std::unique_ptr<PortForward>, Failure> listen(io::Reactor& reactor, int port, Connect connect);
  ~PortForward() override;
  int port() const { return port_; }
  void on_ready(std::uint32_t events) override;

 private:
  PortForward(io::Reactor& reactor, io::Fd listener, Connect connect);
  io::Reactor& reactor_;
  io::Fd listener_;
  Connect connect_;
  int port_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::list<std::unique_ptr<sandbox::Relay>> relays_;
};

}  // namespace reef::task
