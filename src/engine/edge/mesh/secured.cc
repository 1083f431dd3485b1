// Mutual TLS between nodes. A node that ends TLS is guarded: whoever connects to it, by the mesh or past it, speaks TLS with
// the mesh, which looks at the certificate and passes the bytes on to the task. A caller that has a policy reaches it
// through a lane: a connection that the mesh makes with the caller's identity. Both ends really shake hands.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "engine/edge/mesh/joint.h"
#include "engine/edge/mesh/mesh_loop.h"
#include "engine/store/shard.h"
#include "io/socket.h"

namespace reef::edge::mesh {
namespace {

constexpr Duration kIdle = 3600s;
constexpr char kTlsHandshake = 0x16;   // the first byte of TLS

// Two ends of one connection within this process.
Result<std::pair<io::Fd, io::Fd>, Failure> make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return Err(io::last_error("socketpair"));
  return std::pair(io::Fd(ends[0]), io::Fd(ends[1]));
}

// Waits for the first byte.
class FirstByte final : public io::FdHandler {
 public:
  FirstByte(io::Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {
    reactor_.watch(fd_, EPOLLIN, this);
    timer_ = reactor_.after(10s, [this] { end(); });
  }
  void on_ready(std::uint32_t) override { end(); }
  Later<bool> came;

 private:
  void end() {
    reactor_.cancel(timer_);
    reactor_.unwatch(fd_, this);
    reactor_.post([this] { came.set(true); });
  }
  io::Reactor& reactor_;
  int fd_;
  io::Reactor::TimerId timer_;
};

}  // namespace

Joint& MeshLoop::join(io::Transport&& a, io::Transport&& b, Duration idle, std::function<void(std::uint64_t, std::uint64_t)> done, std::function<bool(const io::Transport&)> accepts) {
  const auto at = joints_.emplace(joints_.end());
  *at = std::make_unique<Joint>(
      reactor(), std::move(a), std::move(b), idle,
      [this, at, done = std::move(done)](std::uint64_t from_a, std::uint64_t from_b) {
        joints_.erase(at);
        if (done) done(from_a, from_b);
      },
      std::move(accepts));
  (*at)->on_closing([this](int fd) { shared_.dialer.closing(fd); });
  return **at;
}

std::shared_ptr<Target> MeshLoop::via(const MemberPlan& caller, const ServicePlan& service, const Node& node, const std::shared_ptr<Target>& target) {
  const auto own = std::find_if(caller.tls_of.begin(), caller.tls_of.end(), [&](const auto& one) { return one.first == service.id; });
  const ClientTlsPlan* const plan = own != caller.tls_of.end() ? &own->second : caller.tls ? &*caller.tls : service.tls ? &*service.tls : nullptr;
  if (!plan || (!plan->enforced && node.plan.tls.mode == ServerTlsPlan::Mode::kDisabled)) return target;
  if (!plan->ports.empty() && std::find(plan->ports.begin(), plan->ports.end(), target->port) == plan->ports.end()) return target;
  const std::string key = fmt::format("{}\n{}\n{}\n{}:{}", caller.node.empty() ? caller.name : caller.node, service.id, target->id, target->ip, target->port);
  auto found = lanes_.find(key);
  // A policy that has changed counts for new connections.
  if (found != lanes_.end() && (found->second.real != target || !(found->second.tls == *plan))) {
    const auto before = found->second.target;
    lane_at_.erase(before->ip);
    lanes_.erase(found);
    let_go(before);
    found = lanes_.end();
  }
  if (found == lanes_.end()) {
    const std::string ip = fmt::format("mesh:{}", next_lane_++);
    found = lanes_.emplace(key, Lane{.real = target, .target = std::make_shared<Target>(target->id, ip, target->port, target->sides.size()), .tls = *plan}).first;
    lane_at_[ip] = key;
  }
  return found->second.target;
}

std::optional<Task<Result<int, Failure>>> MeshLoop::dial(std::string_view ip, int port) {
  if (ip.starts_with("mesh:")) return dial_lane(std::string(ip));
  if (view_->guarded.empty()) return std::nullopt;
  const auto found = view_->guarded.find(fmt::format("{}:{}", ip, port));
  if (found == view_->guarded.end()) return std::nullopt;
  return dial_guarded(found->second, std::string(ip), port);
}

Task<Result<int, Failure>> MeshLoop::dial_lane(std::string ip) {
  const auto key = lane_at_.find(ip);
  const auto lane = key == lane_at_.end() ? lanes_.end() : lanes_.find(key->second);
  if (lane == lanes_.end()) co_return Err(Failure{"the lane is gone", EHOSTUNREACH});
  const Lane kept = lane->second;
  const Time now = reactor().now();
  store::Shard& home = store::Shard::current();
  co_await store::Shard::control().enter();
  const auto context = shared_.keyring.client(kept.tls, now);
  co_await home.enter();
  if (!context) {
    log::warn("a caller of the mesh has no identity", {{"reason", context.error().message}});
    co_return Err(context.error());
  }
  const auto fd = co_await shared_.dialer.dial(kept.real->ip, kept.real->port);
  if (!fd) co_return Err(fd.error());
  io::Transport secured(*fd);
  auto ends = CO_TRY(make_pair());
  secured.start_client_tls(**context, {});
  secured.verify_as_of(to_seconds(now));
  join(io::Transport(ends.first.release()), std::move(secured), kIdle, [context = *context](std::uint64_t, std::uint64_t) {},
       [tls = kept.tls](const io::Transport& peer) { return is_wanted(peer.peer_names(), tls.names, tls.trust); });
  co_return ends.second.release();
}

Task<Result<int, Failure>> MeshLoop::dial_guarded(std::shared_ptr<const Node> node, std::string ip, int port) {
  auto ends = CO_TRY(make_pair());
  admit(std::move(node), std::move(ip), port, ends.first.release()).detach();
  co_return ends.second.release();
}

Task<void> MeshLoop::admit(std::shared_ptr<const Node> node, std::string ip, int port, int fd) {
  io::Fd from(fd);
  bool is_tls = true;
  if (node->plan.tls.mode == ServerTlsPlan::Mode::kPermissive) {
    FirstByte first(reactor(), fd);
    co_await first.came;
    char byte = 0;
    is_tls = ::recv(fd, &byte, 1, MSG_PEEK) == 1 && byte == kTlsHandshake;
  }
  const Time now = reactor().now();
  std::shared_ptr<io::TlsContext> context;
  if (is_tls) {
    store::Shard& home = store::Shard::current();
    co_await store::Shard::control().enter();
    auto made = shared_.keyring.server(node->plan.tls, now);
    co_await home.enter();
    if (!made) {
      log::warn("a node of the mesh has no certificate", {{"node", node->plan.name}, {"reason", made.error().message}});
      co_return;
    }
    context = *std::move(made);
  }
  auto inside = shared_.inside ? shared_.inside(ip, port) : std::nullopt;
  Result<int, Failure> to = Err(Failure{"no task has this address", EHOSTUNREACH});
  if (inside) to = co_await *std::move(inside);
  else if (auto direct = io::connect_tcp(ip, port)) to = direct->release();
  if (!to) {
    const linger reset{1, 0};
    ::setsockopt(from.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    co_return;
  }
  io::set_no_delay(from.get());
  io::set_no_delay(*to);
  io::Transport outer(from.release());
  if (context) {
    outer.start_server_tls(*context);
    outer.verify_as_of(to_seconds(now));
  }
  join(std::move(outer), io::Transport(*to), kIdle, [context](std::uint64_t, std::uint64_t) {}, [tls = node->plan.tls](const io::Transport& peer) {
    return tls.trust.empty() || is_wanted(peer.peer_names(), tls.names, {tls.trust});
  });
}

}  // namespace reef::edge::mesh
