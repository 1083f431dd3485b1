#include "engine/edge/balancer/loop.h"

#include <sys/epoll.h>

#include <algorithm>

#include "base/log.h"
#include "engine/edge/balancer/client_connection.h"
#include "engine/edge/balancer/tcp_connection.h"
#include "engine/edge/balancer/udp_listener.h"
#include "http/http2_client.h"
#include "io/socket.h"

namespace reef::edge {
namespace {

constexpr std::size_t kClientsMax = 50'000;          // per loop
constexpr std::size_t kIdleUpstreamsMax = 256;       // per target and loop

}  // namespace

class BalancerLoop::Acceptor final : public io::FdHandler {
 public:
  Acceptor(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, io::Fd fd) : loop_(loop), slot_(std::move(slot)), fd_(std::move(fd)) {
    loop_.reactor_.watch(fd_.get(), EPOLLIN, this);
  }
  ~Acceptor() override {
    if (paused_) loop_.reactor_.cancel(paused_);
    else loop_.reactor_.unwatch(fd_.get(), this);
  }
  void on_ready(std::uint32_t) override {
    constexpr int kPerTick = 64;
    for (int i = 0; i < kPerTick; ++i) {
      io::Fd accepted = io::accept_connection(fd_.get());
      if (!accepted) {
        if (errno == EMFILE || errno == ENFILE) pause();
        return;
      }
      if (loop_.clients_.size() >= kClientsMax) continue;   // closed at once
      io::set_no_delay(accepted.get());
      loop_.adopt_client(slot_, accepted.release());
    }
  }

 private:
  // Out of descriptors: the socket stays readable, so the loop would spin on it.
  void pause() {
    log::warn("no descriptor left for a connection to a load balancer; waiting for some to close", {{"open", loop_.clients_.size()}});
    loop_.reactor_.unwatch(fd_.get(), this);
    paused_ = loop_.reactor_.after(200ms, [this] {
      paused_ = 0;
      loop_.reactor_.watch(fd_.get(), EPOLLIN, this);
    });
  }
  BalancerLoop& loop_;
  std::shared_ptr<ListenerSlot> slot_;
  io::Fd fd_;
  io::Reactor::TimerId paused_ = 0;
};

BalancerLoop::BalancerLoop(io::Reactor& reactor, std::size_t index, const Dialer& dialer)
    : reactor_(reactor), index_(index), dialer_(dialer), random_(thread_random().next()) {
  // The hook may outlive this object.
  reactor_.at_tick_end([self = std::weak_ptr(self_)] {
    if (const auto loop = self.lock()) (*loop)->end_tick();
  });
}

BalancerLoop::~BalancerLoop() {
  self_.reset();
  reactor_.cancel(sweep_timer_);
  acceptors_.clear();
  udp_listeners_.clear();
  servers_.clear();
  for (auto it = tcp_.begin(); it != tcp_.end();) (*it++)->close();
  tcp_.clear();
  while (!clients_.empty()) clients_.front()->close();
  for (auto it = upstreams_.begin(); it != upstreams_.end();) (*it++)->abandon();
  upstreams_.clear();
  buried_clients_.clear();
  buried_upstreams_.clear();
  buried_tcp_.clear();
}

void BalancerLoop::end_tick() {
  tick_micros_ = 0;
  if (!resumable_.empty()) {
    for (ClientConnection* client : std::exchange(resumable_, {}))
      if (client) client->resume();
  }
  if (!resumable_upstreams_.empty())
    for (Upstream* upstream : std::exchange(resumable_upstreams_, {}))
      if (upstream && !upstream->is_paused()) upstream->resume();
  if (!resumable_tcp_.empty())
    for (TcpConnection* connection : std::exchange(resumable_tcp_, {}))
      if (connection) connection->resume();
  if (!resumable_.empty() || !resumable_upstreams_.empty() || !resumable_tcp_.empty()) reactor_.do_not_wait();
  if (!buried_clients_.empty()) buried_clients_.clear();
  if (!buried_upstreams_.empty()) buried_upstreams_.clear();
  if (!buried_tcp_.empty()) buried_tcp_.clear();
}

void BalancerLoop::resume_later(ClientConnection& client) {
  if (std::find(resumable_.begin(), resumable_.end(), &client) == resumable_.end()) resumable_.push_back(&client);
}

void BalancerLoop::resume_later(Upstream& upstream) {
  if (std::find(resumable_upstreams_.begin(), resumable_upstreams_.end(), &upstream) == resumable_upstreams_.end()) resumable_upstreams_.push_back(&upstream);
}

void BalancerLoop::resume_later(TcpConnection& connection) {
  if (std::find(resumable_tcp_.begin(), resumable_tcp_.end(), &connection) == resumable_tcp_.end()) resumable_tcp_.push_back(&connection);
}

// Deadlines are looked at once a second for all connections, which costs less than a timer for each.
void BalancerLoop::sweep() {
  sweep_timer_ = reactor_.after(1s, [this] {
    const std::int64_t at = io::monotonic_micros();
    for (auto it = clients_.begin(); it != clients_.end();) (*it++)->expire(at);
    for (auto it = upstreams_.begin(); it != upstreams_.end();) (*it++)->expire(at);
    for (auto it = tcp_.begin(); it != tcp_.end();) (*it++)->expire(at);
    for (const auto& [id, listeners] : udp_listeners_)
      for (const auto& listener : listeners) listener->expire(at);
    if (tcp_.empty() && udp_listeners_.empty() && clients_.empty() && upstreams_.empty() && acceptors_.empty()) sweep_timer_ = 0;
    else sweep();
  });
}

Web& BalancerLoop::web() {
  if (!web_) web_ = std::make_unique<Web>(reactor_, trusted_pem, sites);
  return *web_;
}

KeySets& BalancerLoop::key_sets() {
  if (!key_sets_) key_sets_ = std::make_unique<KeySets>(web());
  return *key_sets_;
}

const io::TlsContext& BalancerLoop::target_tls() {
  if (!target_tls_) target_tls_ = *io::TlsContext::unverified_client();
  return *target_tls_;
}

std::shared_ptr<LoopGroup> BalancerLoop::group(const std::string& id) {
  auto& found = groups_[id];
  if (!found) found = std::make_shared<LoopGroup>();
  return found;
}

void BalancerLoop::put_group(std::shared_ptr<const GroupSettings> settings) { group(settings->id)->settings = settings; }

void BalancerLoop::put_targets(const std::string& id, std::shared_ptr<const TargetSet> targets, const std::vector<std::shared_ptr<Target>>& gone) {
  if (!targets->cut.empty()) {
    std::vector<TcpConnection*> ending;   // closing takes them out of the list
    for (const auto& one : tcp_)
      if (std::find(targets->cut.begin(), targets->cut.end(), one->target_) != targets->cut.end()) ending.push_back(one.get());
    for (TcpConnection* one : ending) one->close();
    for (const auto& [listener, sockets] : udp_listeners_)
      for (const auto& one : sockets) one->cut(targets->cut);
  }
  group(id)->targets = std::move(targets);
  for (const auto& target : gone) {
    for (Upstream* upstream : std::exchange(target->sides[index_].idle, {})) upstream->abandon();
    if (const auto http2 = std::exchange(target->sides[index_].http2, nullptr)) http2->close();
  }
}

void BalancerLoop::remove_group(const std::string& id) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return;
  found->second->settings = nullptr;
  found->second->targets = std::make_shared<TargetSet>();
  groups_.erase(found);
}

std::shared_ptr<ListenerSlot> BalancerLoop::slot(const std::string& id) {
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : found->second;
}

void BalancerLoop::put_listener(const ListenerPlan& plan, std::shared_ptr<const RuleIndex> index, std::shared_ptr<io::TlsContext> tls) {
  auto made = std::make_shared<LoopListener>();
  made->plan = plan;
  made->plan.conditions.clear();   // the index has them
  made->index = std::move(index);
  made->port_text = std::to_string(plan.port);
  made->tls = std::move(tls);
  for (const RuleActions& actions : plan.actions) {
    auto& groups = made->groups.emplace_back();
    made->signs_in = made->signs_in || actions.sign_in;
    if (!actions.forward) continue;
    for (const WeightedGroup& weighted : actions.forward->groups) groups.push_back(group(weighted.group));
  }
  auto& slot = slots_[plan.id];
  if (!slot) slot = std::make_shared<ListenerSlot>();
  slot->now = std::move(made);
}

void BalancerLoop::listen(const std::shared_ptr<ListenerSlot>& slot, int fd) {
  acceptors_[slot->now->plan.id].push_back(std::make_unique<Acceptor>(*this, slot, io::Fd(fd)));
  if (sweep_timer_ == 0) sweep();
}

void BalancerLoop::listen_udp(const std::shared_ptr<ListenerSlot>& slot, int fd) {
  udp_listeners_[slot->now->plan.id].push_back(std::make_unique<UdpListener>(*this, slot, io::Fd(fd)));
  if (sweep_timer_ == 0) sweep();
}

void BalancerLoop::remove_listener(const std::string& id) {
  acceptors_.erase(id);
  udp_listeners_.erase(id);
  const auto found = slots_.find(id);
  if (found == slots_.end()) return;
  found->second->closing = true;
  slots_.erase(found);
  if (const auto server = servers_.find(id); server != servers_.end()) {
    // Its requests in progress may end; the object goes when they have, or after a while.
    std::shared_ptr<http::Server> draining = std::move(server->second);
    servers_.erase(server);
    http::Server* const raw = draining.get();
    raw->drain(5s, [this, draining = std::move(draining)]() mutable { reactor_.post([kept = std::move(draining)] {}); });
  }
}

void BalancerLoop::stop_accepting() { acceptors_.clear(); }

Upstream& BalancerLoop::take_upstream(const std::shared_ptr<Target>& target, const std::shared_ptr<const GroupSettings>& group) {
  auto& idle = target->sides[index_].idle;
  if (!idle.empty()) {
    Upstream* const upstream = idle.back();
    idle.pop_back();
    return *upstream;
  }
  upstreams_.push_back(std::make_unique<Upstream>(*this, target, group));
  upstreams_.back()->place_ = std::prev(upstreams_.end());
  if (sweep_timer_ == 0) sweep();
  return *upstreams_.back();
}

void BalancerLoop::keep_upstream(Upstream& upstream) {
  auto& idle = upstream.target()->sides[index_].idle;
  idle.push_back(&upstream);
  if (idle.size() <= kIdleUpstreamsMax) return;
  Upstream* const oldest = idle.front();
  idle.erase(idle.begin());
  oldest->abandon();
}

void BalancerLoop::forget_idle(Upstream& upstream) { std::erase(upstream.target()->sides[index_].idle, &upstream); }

void BalancerLoop::bury(Upstream& upstream) {
  if (std::exchange(upstream.is_buried_, true)) return;
  std::replace(resumable_upstreams_.begin(), resumable_upstreams_.end(), &upstream, static_cast<Upstream*>(nullptr));
  buried_upstreams_.push_back(std::move(*upstream.place_));
  upstreams_.erase(upstream.place_);
}

void BalancerLoop::bury(ClientConnection& client) {
  std::replace(resumable_.begin(), resumable_.end(), &client, static_cast<ClientConnection*>(nullptr));
  buried_clients_.push_back(std::move(*client.place_));
  clients_.erase(client.place_);
}

void BalancerLoop::bury(TcpConnection& connection) {
  if (std::exchange(connection.buried_, true)) return;
  std::replace(resumable_tcp_.begin(), resumable_tcp_.end(), &connection, static_cast<TcpConnection*>(nullptr));
  buried_tcp_.push_back(std::move(*connection.place_));
  tcp_.erase(connection.place_);
}

void BalancerLoop::adopt_client(const std::shared_ptr<ListenerSlot>& slot, int fd) {
  if (slot->now->plan.protocol != ListenerProtocol::kHttp && slot->now->plan.protocol != ListenerProtocol::kHttps) {
    tcp_.push_back(std::make_unique<TcpConnection>(*this, slot, fd));
    tcp_.back()->place_ = std::prev(tcp_.end());
    tcp_.back()->start();
    return;
  }
  clients_.push_back(std::make_unique<ClientConnection>(*this, slot, fd));
  clients_.back()->place_ = std::prev(clients_.end());
}

void BalancerLoop::hand_over(io::Transport&& transport, const std::shared_ptr<ListenerSlot>& slot, std::string peer, std::string unread) {
  auto& server = servers_[slot->now->plan.id];
  if (!server) {
    http::ServerOptions options;
    options.idle_timeout = slot->now->plan.idle_timeout;
    server = std::make_unique<http::Server>(
        reactor_, [this, slot](http::Request& request) { return serve(slot, request); }, std::move(options));
  }
  server->adopt(std::move(transport), std::move(peer), std::move(unread));
}

}  // namespace reef::edge
