// The DNS server of one loop: UDP in batches, and TCP (RFC 7766).
#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include "engine/naming/resolver.h"
#include "io/datagrams.h"
#include "io/reactor.h"

namespace reef::naming {

class Server {
 public:
  Server(io::Reactor& reactor, std::shared_ptr<const ViewCell> view, Upstream& upstream);
  ~Server();
  // Every loop may listen on the same port. Port 0 takes a free one, the same for UDP and TCP.
  Result<void, Failure> listen(const std::string& address, int port);
  int port() const { return port_; }

 private:
  struct Udp final : io::FdHandler {
    explicit Udp(Server& s) : server(s) {}
    void on_ready(std::uint32_t) override { server.serve_datagrams(); }
    Server& server;
  };
  struct Tcp final : io::FdHandler {
    explicit Tcp(Server& s) : server(s) {}
    void on_ready(std::uint32_t) override { server.accept(); }
    Server& server;
  };
  class Connection;
  void serve_datagrams();
  void accept();
  void close(Connection* connection);

  io::Reactor& reactor_;
  Resolver resolver_;
  io::Fd udp_fd_, tcp_fd_;
  Udp udp_{*this};
  Tcp tcp_{*this};
  io::DatagramBatch batch_;
  std::unordered_set<Connection*> connections_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // replies may come after the server is gone
  int port_ = 0;
};

}  // namespace reef::naming
