// One connection of bytes from a caller to a service.
#include <sys/socket.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/mesh/mesh_loop.h"
#include "engine/edge/mesh/trip.h"
#include "io/socket.h"

namespace reef::edge::mesh {
namespace {

constexpr Duration kConnectTimeout = 10s, kDefaultIdle = 3600s;

// Waits until a connection that was begun is made, or is not.
class Connected final : public io::FdHandler {
 public:
  Connected(io::Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {
    reactor_.watch(fd_, EPOLLOUT, this);
    timer_ = reactor_.after(kConnectTimeout, [this] { end(false); });
  }
  void on_ready(std::uint32_t) override { end(io::connect_error(fd_) == 0); }
  Later<bool> made;

 private:
  void end(bool is_made) {
    reactor_.cancel(timer_);
    reactor_.unwatch(fd_, this);
    reactor_.post([this, is_made] { made.set(is_made); });
  }
  io::Reactor& reactor_;
  int fd_;
  io::Reactor::TimerId timer_;
};

}  // namespace

Task<void> MeshLoop::pass_bytes(std::shared_ptr<const MemberPlan> caller, std::shared_ptr<const Service> service, Arrival arrival, int client) {
  io::Fd from(client);
  const std::int64_t began = io::monotonic_micros();
  const Time start = reactor().now();
  const Route* const route = service->routes->find_tcp(arrival.port);
  const WeightedNode* const weighted = choose_node(route->to, loop_.random());
  const auto node = weighted ? view_->node(weighted->node) : nullptr;
  std::string_view error = "no-endpoint";
  io::Fd to;
  std::string endpoint;
  int tries = 0;
  const auto place = node ? co_await node->state->enter(reactor()) : NodeState::Place::kNone;
  const bool admitted = place != NodeState::Place::kNone;
  if (node && !admitted) error = "overflow";
  std::shared_ptr<Target> target;
  while (admitted && !to) {
    target = choose(*node, target.get());
    if (!target) break;
    ++tries;
    endpoint = fmt::format("{}:{}", target->ip, target->port);
    const auto reached = via(*caller, service->plan, *node, target);
    // A lane has no address that a network knows.
    const bool may = reached == target || shared_.dialer.admits(arrival.origin, target->ip, target->port);
    const auto fd = may ? co_await shared_.dialer.dial(reached->ip, reached->port, reached == target ? arrival.origin : std::string()) : Result<int, Failure>(Err(Failure{"refused by security groups or network ACLs", kRefusedByNetwork}));
    bool is_made = false;
    if (fd) {
      to = io::Fd(*fd);
      Connected connected(reactor(), *fd);
      is_made = co_await connected.made;
      if (!is_made) {
        shared_.dialer.closing(to.get());
        to.reset();
      }
    }
    node->state->note(target->id, !is_made, node->targets.size(), reactor().now());
    error = is_made ? "" : "not-connected";
    if (!is_made && !retries(route->retry, {.outcome = TryOutcome::kNotConnected}, tries)) break;
  }
  const Duration took(io::monotonic_micros() - began);
  Figures& figures = figures_of(caller->name, service->plan.shown, node ? std::string_view(node->plan.name) : std::string_view{});
  ++figures.requests;
  if (!error.empty()) ++figures.errors;
  if (tries > 1) figures.retries += static_cast<std::uint64_t>(tries - 1);
  figures.latency.add(took.count());
  if (shared_.tracing.end) {
    const auto position = shared_.tracing.begin({}, {}, start);
    shared_.tracing.end({.caller = caller->name, .service = service->plan.shown, .target = node ? std::string_view(node->plan.name) : std::string_view{}, .endpoint = endpoint,
                  .method = "TCP", .account = caller->account, .region = caller->region, .root = position.root, .parent = position.parent, .id = position.id,
                  .retries = tries > 0 ? tries - 1 : 0, .error = error, .start = start, .took = took, .caller_group = caller->group, .owner = service->plan.owner, .group = service->plan.group});
  }
  const auto entry = begin_entry(*caller, arrival.origin, node.get(), target ? std::string_view(target->id) : std::string_view(), error);
  if (entry) {
    entry->facts.start = start;
    entry->facts.upstream_host = endpoint;
    entry->facts.route = route->name;
    entry->facts.details.clear();
    entry->began = began;
  }
  if (!to) {
    if (entry) write(*entry, nullptr);
    const linger now{1, 0};  // as the refusal that it is
    ::setsockopt(from.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    if (admitted) node->state->leave(place);
    co_return;
  }
  io::set_no_delay(to.get());
  const Duration idle = route->idle_timeout.value_or(node->plan.idle_timeout.value_or(kDefaultIdle));
  join(io::Transport(from.release()), io::Transport(to.release()), idle,
       [this, node, place, entry](std::uint64_t received, std::uint64_t sent) {
         node->state->leave(place);
         if (!entry) return;
         entry->known_size = received;
         entry->facts.sent = sent;
         write(*entry, nullptr);
       },
       {});
}

}  // namespace reef::edge::mesh
