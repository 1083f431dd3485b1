#include "engine/task/port_forward.h"

#include <sys/epoll.h>
#include <unistd.h>

namespace reef::task {

constexpr std::size_t kConnectionsMax = 4096;

Result<std::unique_ptr<PortForward>, Failure> PortForward::listen(io::Reactor& reactor, int port, Connect connect) {
  io::Fd listener = TRY(io::listen_tcp("127.0.0.1", port, false));
  return std::unique_ptr<PortForward>(new PortForward(reactor, std::move(listener), std::move(connect)));
}

PortForward::PortForward(io::Reactor& reactor, io::Fd listener, Connect connect)
    : reactor_(reactor), listener_(std::move(listener)), connect_(std::move(connect)), port_(io::local_port(listener_.get())) {
  reactor_.watch(listener_.get(), EPOLLIN, this);
}

PortForward::~PortForward() {
  *alive_ = false;
  reactor_.unwatch(listener_.get(), this);
}

void PortForward::on_ready(std::uint32_t) {
  for (int i = 0; i < 64; ++i) {
    io::Fd from = io::accept_connection(listener_.get());
    if (!from) return;
    if (relays_.size() >= kConnectionsMax) continue;
    io::set_no_delay(from.get());
    connect_([this, alive = alive_, from = std::make_shared<io::Fd>(std::move(from))](Result<int, Failure> to) {
      if (!to) return;  // refused inside: closed here
      if (!*alive) {
        ::close(*to);
        return;
      }
      io::set_no_delay(*to);
      const auto at = relays_.emplace(relays_.end());
      *at = std::make_unique<sandbox::Relay>(reactor_, from->release(), *to, [this, at, alive] {
        if (!*alive) return;
        // Not from inside the relay itself.
        reactor_.post([this, at, alive] {
          if (*alive) relays_.erase(at);
        });
      });
    });
  }
}

}  // namespace reef::task
