#include "engine/edge/mesh/joint.h"

#include <sys/epoll.h>

#include "engine/edge/balancer/scratch.h"
#include "io/socket.h"

namespace reef::edge::mesh {
namespace {

constexpr std::size_t kBacklogMax = 256 * 1024;
constexpr int kReadsPerTick = 16;

}  // namespace

Joint::Joint(io::Reactor& reactor, io::Transport&& a, io::Transport&& b, Duration idle, Done done,
             std::function<bool(const io::Transport&)> accepts)
    : reactor_(reactor), a_(*this, std::move(a)), b_(*this, std::move(b)), idle_(idle), done_(std::move(done)), accepts_(std::move(accepts)), last_(io::monotonic_micros()) {
  for (Side* side : {&a_, &b_}) reactor_.watch(side->transport.fd(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, side);
  watch_idle();
}

Joint::~Joint() {
  done_ = nullptr;
  finish();
}

void Joint::watch_idle() {
  if (idle_.count() == 0) return;
  timer_ = reactor_.after(idle_, [this] {
    timer_ = 0;
    if (io::monotonic_micros() - last_ >= idle_.count()) finish();
    else watch_idle();
  });
}

void Joint::on_ready(Side& side, std::uint32_t events) {
  if (finished_) return;
  Side& other = &side == &a_ ? b_ : a_;
  if (!side.is_open) {
    if (!(events & (EPOLLOUT | EPOLLIN | EPOLLERR | EPOLLHUP))) return;
    if (io::connect_error(side.transport.fd()) != 0) return finish();
    if (side.transport.is_tls()) {
      const long done = side.transport.handshake();
      if (done == io::kBroken) return finish();
      if (done != 1) return;
      if (accepts_ && !accepts_(side.transport)) return finish();
    }
    side.is_open = side.can_read = true;
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side.can_read = true;
  if (!flush(side)) return finish();
  // Nothing passes before both sides are who they should be.
  if (!a_.is_open || !b_.is_open) return;
  pump(side, other);
  if (!finished_) pump(other, side);
}

bool Joint::flush(Side& side) {
  while (side.is_open && side.backlog() > 0) {
    const long n = side.transport.write(side.pending.data() + side.pending_at, side.backlog());
    if (n == io::kWouldBlock) return true;
    if (n == io::kBroken) return false;
    side.pending_at += static_cast<std::size_t>(n);
  }
  if (side.backlog() == 0) {
    side.pending.clear();
    side.pending_at = 0;
    if (side.pending.capacity() > 64 * 1024) side.pending.shrink_to_fit();
  }
  return true;
}

void Joint::pump(Side& from, Side& to) {
  char* const scratch = proxy_scratch();
  for (int reads = 0; from.is_open && from.can_read && !from.read_ended && to.backlog() < kBacklogMax; ++reads) {
    if (reads == kReadsPerTick) {
      // One sender may not keep the loop for itself.
      reactor_.post([this, alive = std::weak_ptr(alive_), &from, &to] {
        if (!alive.expired() && !finished_) pump(from, to);
      });
      return;
    }
    const long n = from.transport.read(scratch, kProxyScratchBytes);
    if (n == io::kWouldBlock) {
      from.can_read = false;
      break;
    }
    if (n == io::kBroken) return finish();
    if (n == 0) {
      from.read_ended = true;
      break;
    }
    last_ = io::monotonic_micros();
    from.received += static_cast<std::uint64_t>(n);
    std::string_view bytes(scratch, static_cast<std::size_t>(n));
    if (to.is_open && to.backlog() == 0) {
      const long written = to.transport.write(bytes.data(), bytes.size());
      if (written == io::kBroken) return finish();
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    to.pending += bytes;
  }
  if (from.read_ended && to.is_open && to.backlog() == 0 && !to.write_ended) {
    to.write_ended = true;
    to.transport.end();
  }
  if (a_.read_ended && b_.read_ended && a_.backlog() == 0 && b_.backlog() == 0) finish();
}

void Joint::finish() {
  if (finished_) return;
  finished_ = true;
  alive_.reset();
  reactor_.cancel(timer_);
  for (Side* side : {&a_, &b_}) {
    reactor_.unwatch(side->transport.fd(), side);
    if (closing_) closing_(side->transport.fd());
    side->transport.close();
  }
  if (done_) reactor_.post([done = std::exchange(done_, nullptr), from_a = a_.received, from_b = b_.received] { done(from_a, from_b); });
}

}  // namespace reef::edge::mesh
