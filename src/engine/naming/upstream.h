// The resolvers that answer what no zone here knows: asked over UDP, and over TCP when a reply is truncated. One per loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "io/datagrams.h"
#include "io/reactor.h"

namespace reef::naming {

// The addresses that a resolv.conf(5) names.
std::vector<std::string> parse_resolv_conf(std::string_view text);

class Upstream final : public io::FdHandler {
 public:
  // The reply with the query's own id; empty when nobody answered in time.
  using Done = std::move_only_function<void(std::string_view reply)>;

  Upstream(io::Reactor& reactor, std::vector<std::string> servers, int port = 53);
  ~Upstream() override;
  // Instead of those before; what was asked already is asked of these from the next try on.
  void set_servers(std::vector<std::string> servers);
  bool available() const { return !servers_.empty(); }
  // Asks one server after the other. `whole`: a truncated reply is asked for again over TCP.
  void ask(std::string_view query, bool whole, Done done);
  void on_ready(std::uint32_t events) override;

 private:
  struct Pending {
    std::string query;
    Done done;
    std::size_t attempt = 0;
    io::Reactor::TimerId timer = 0;
    bool whole = false;
  };
  class Stream;
  void send(std::uint16_t id);
  void expire(std::uint16_t id);
  void finish(std::uint16_t id, std::string_view reply);

  io::Reactor& reactor_;
  std::vector<io::Peer> servers_;
  std::vector<std::string> names_;
  int port_;
  io::Fd sockets_[2];  // IPv4, IPv6
  std::unordered_map<std::uint16_t, Pending> pending_;
  std::unordered_map<std::uint16_t, std::unique_ptr<Stream>> streams_;
};

}  // namespace reef::naming
