#include "engine/sandbox/relay.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace reef::sandbox {

constexpr std::size_t kBufferBytes = 64 * 1024;

struct Relay::Side : io::FdHandler {
  Relay& relay;
  int fd;
  std::unique_ptr<char[]> buffer;  // read from fd, not yet written to the other side; none while idle
  std::size_t begin = 0, end = 0;
  bool end_of_input = false, sent_end = false;
  std::uint32_t watched = 0;

  Side(Relay& r, int f) : relay(r), fd(f) {}
  ~Side() override {
    if (fd < 0) return;
    if (watched) relay.reactor_.unwatch(fd, this);
    ::close(fd);
  }
  void on_ready(std::uint32_t events) override { relay.on_ready(*this, events); }
  bool pending() const { return begin < end; }
};

Relay::Relay(io::Reactor& reactor, int a, int b, std::function<void()> done)
    : reactor_(reactor), a_(std::make_unique<Side>(*this, a)), b_(std::make_unique<Side>(*this, b)), done_(std::move(done)) {
  b_->watched = EPOLLOUT;
  reactor_.watch(b, EPOLLOUT, b_.get());
}

Relay::~Relay() {
  if (closing_ && a_->fd >= 0) closing_(a_->fd);
}

void Relay::update(Side& side) {
  Side& other = &side == a_.get() ? *b_ : *a_;
  std::uint32_t wanted = 0;
  if (!side.end_of_input && !side.pending()) wanted |= EPOLLIN;
  if (other.pending()) wanted |= EPOLLOUT;
  if (wanted == side.watched) return;
  if (side.watched == 0)
    reactor_.watch(side.fd, wanted, &side);
  else if (wanted == 0)
    reactor_.unwatch(side.fd, &side);
  else
    reactor_.rewatch(side.fd, wanted, &side);
  side.watched = wanted;
}

// Moves what is there until one of the two would block.
void Relay::pump(Side& from, Side& to) {
  for (int round = 0; round < 16; ++round) {
    if (!from.pending() && !from.end_of_input) {
      if (!from.buffer) from.buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
      const ssize_t size = ::recv(from.fd, from.buffer.get(), kBufferBytes, 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (size < 0) return finish(true);
      if (size == 0) from.end_of_input = true;
      from.begin = 0;
      from.end = static_cast<std::size_t>(size);
    }
    if (from.pending()) {
      const ssize_t size = ::send(to.fd, from.buffer.get() + from.begin, from.end - from.begin, MSG_NOSIGNAL);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) return finish(true);
      from.begin += static_cast<std::size_t>(size);
    }
    if (!from.pending() && from.end_of_input) {
      if (!to.sent_end) ::shutdown(to.fd, SHUT_WR);
      to.sent_end = true;
      break;
    }
  }
  if (!from.pending()) from.buffer.reset();
}

void Relay::on_ready(Side& side, std::uint32_t events) {
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(side.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return finish(true);
    connecting_ = false;
  }
  pump(*a_, *b_);
  if (!done_) return;
  pump(*b_, *a_);
  if (!done_) return;
  if (a_->sent_end && b_->sent_end) return finish(false);
  if ((events & (EPOLLHUP | EPOLLERR)) && side.end_of_input && !side.pending()) return finish(true);
  update(*a_);
  update(*b_);
}

void Relay::finish(bool reset) {
  if (!done_) return;
  if (reset) {
    const linger now{1, 0};
    ::setsockopt(a_->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  if (closing_) closing_(a_->fd);
  // The handlers may be on the stack: they go with the relay, at the next tick.
  for (Side* side : {a_.get(), b_.get()}) {
    if (side->watched) reactor_.unwatch(side->fd, side);
    side->watched = 0;
    ::close(side->fd);
    side->fd = -1;
  }
  reactor_.post(std::exchange(done_, nullptr));
}

}  // namespace reef::sandbox
