// Joins two connected sockets: what one sends the other gets, half-closes included.
#pragma once

#include <functional>
#include <memory>

#include "io/reactor.h"

namespace reef::sandbox {

// Owns both descriptors. `b` may still be connecting. `done` runs once, after both were closed; the relay may be
// destroyed then, or earlier to cut it off.
class Relay {
 public:
  Relay(io::Reactor& reactor, int a, int b, std::function<void()> done);
  ~Relay();
  // Told of `a` just before it is closed.
  void on_closing(std::function<void(int fd)> closing) { closing_ = std::move(closing); }

 private:
  struct Side;
  void pump(Side& from, Side& to);
  void update(Side& side);
  void finish(bool reset);
  void on_ready(Side& side, std::uint32_t events);

  io::Reactor& reactor_;
  std::unique_ptr<Side> a_, b_;
  bool connecting_ = true;
  std::function<void()> done_;
  std::function<void(int)> closing_;
};

}  // namespace reef::sandbox
