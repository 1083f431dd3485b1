// One client's connection to a TCP or TLS listener of a network load balancer, and the one to its target: bytes pass
// both ways, each direction ends on its own.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "engine/edge/balancer/loop.h"

namespace reef::edge {

class TcpConnection {
 public:
  TcpConnection(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, int fd);
  ~TcpConnection();
  void start();
  void expire(std::int64_t now);
  void resume();

 private:
  friend class BalancerLoop;
  // One of the two sockets.
  struct Side final : io::FdHandler {
    Side(TcpConnection& of, int fd) : owner(of), transport(fd) {}
    void on_ready(std::uint32_t events) override { owner.on_ready(*this, events); }
    TcpConnection& owner;
    io::Transport transport;
    std::string pending;      // to be written here, from pending_at
    std::size_t pending_at = 0;
    std::uint64_t received = 0;
    bool is_open = false;     // connected, and its handshake done
    bool watched = false, can_read = false, hung_up = false, read_ended = false, write_ended = false;
    std::size_t backlog() const { return pending.size() - pending_at; }
  };

  void on_ready(Side& side, std::uint32_t events);
  void choose();
  Task<void> dial();
  void on_dialled(int fd);
  void pump(Side& from, Side& to);
  void flush(Side& side);
  void write(Side& side, std::string_view bytes);
  std::string proxy_header() const;
  void close();

  BalancerLoop& loop_;
  std::shared_ptr<ListenerSlot> slot_;
  std::shared_ptr<const LoopListener> listener_;
  std::shared_ptr<const GroupSettings> group_;
  std::shared_ptr<Target> target_;
  std::string ip_;
  int port_ = 0, tries_ = 0;
  Side client_, server_;
  void log();
  std::uint64_t hash_ = 0;   // of the flow
  Time began_{};
  std::int64_t opened_ = 0, handshake_micros_ = -1;
  std::int64_t last_activity_ = 0;
  bool closed_ = false, dialling_ = false, counted_ = false, buried_ = false;
  std::list<std::unique_ptr<TcpConnection>>::iterator place_;
};

}  // namespace reef::edge
