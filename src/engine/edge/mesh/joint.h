// Joins two connections, each plain or TLS: what one sends the other gets, half-closes included.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/reactor.h"
#include "io/tls.h"

namespace reef::edge::mesh {

class Joint {
 public:
  using Done = std::function<void(std::uint64_t from_a, std::uint64_t from_b)>;
  // `done` runs once, with how many bytes came from each side, from a tick of its own, after both were closed; the Joint may be destroyed then, or earlier to cut it off.
  // `idle` 0: for ever. Handshakes of a side that has begun TLS are done here.
  // `accepts`, when given, looks at each side that has done its TLS handshake, before anything passes.
  Joint(io::Reactor& reactor, io::Transport&& a, io::Transport&& b, Duration idle, Done done, std::function<bool(const io::Transport&)> accepts = {});
  ~Joint();
  // What was received of either side before, and is to be sent to the other first. At once after the constructor.
  void begin_with(std::string from_a, std::string from_b) {
    b_.pending = std::move(from_a);
    a_.pending = std::move(from_b);
  }
  // Told of each descriptor just before it is closed.
  void on_closing(std::function<void(int)> hook) { closing_ = std::move(hook); }

 private:
  struct Side final : io::FdHandler {
    Side(Joint& of, io::Transport&& with) : owner(of), transport(std::move(with)) {}
    void on_ready(std::uint32_t events) override { owner.on_ready(*this, events); }
    std::size_t backlog() const { return pending.size() - pending_at; }
    Joint& owner;
    io::Transport transport;
    std::string pending;   // to be written here, from pending_at
    std::size_t pending_at = 0;
    std::uint64_t received = 0;
    bool is_open = false, can_read = false, read_ended = false, write_ended = false;
  };
  void on_ready(Side& side, std::uint32_t events);
  void pump(Side& from, Side& to);
  bool flush(Side& side);
  void finish();
  void watch_idle();

  io::Reactor& reactor_;
  Side a_, b_;
  Duration idle_;
  Done done_;
  std::function<bool(const io::Transport&)> accepts_;
  std::function<void(int)> closing_;
  std::int64_t last_ = 0;
  io::Reactor::TimerId timer_ = 0;
  bool finished_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reef::edge::mesh
