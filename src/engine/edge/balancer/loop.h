// What one event loop has of all balancers: their listeners, groups and connections.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "engine/edge/balancer/plan.h"
#include "engine/edge/balancer/target.h"
#include "engine/edge/balancer/upstream.h"
#include "engine/edge/dialer.h"
#include "engine/edge/key_sets.h"
#include "http/server.h"
#include "io/reactor.h"
#include "io/tls.h"

namespace reef::edge {

class ClientConnection;
class TcpConnection;
class UdpListener;

// A listener as a loop follows it; replaced whole when its rules change.
struct LoopListener {
  ListenerPlan plan;
  std::shared_ptr<const RuleIndex> index;
  std::string port_text;
  bool signs_in = false;               // some rule does
  std::shared_ptr<io::TlsContext> tls;
  // By rule, then by the rule's groups.
  std::vector<std::vector<std::shared_ptr<LoopGroup>>> groups;
};

// Where the connections of a listener look at the start of each request.
struct ListenerSlot {
  std::shared_ptr<const LoopListener> now;
  Counters counters;                   // answers of the balancer itself
  std::uint64_t client_resets = 0, new_connections = 0, active = 0, bytes = 0;
  std::uint64_t desync = 0;            // requests that departed from the standard
  bool closing = false;
};

// Calls a function for a request, as Lambda targets are called.
using FunctionTarget = std::function<Task<http::Response>(const std::shared_ptr<const GroupSettings>& group, http::Request& request, std::string_view client_ip)>;

class BalancerLoop {
 public:
  BalancerLoop(io::Reactor& reactor, std::size_t index, const Dialer& dialer);
  ~BalancerLoop();

  io::Reactor& reactor() { return reactor_; }
  std::size_t index() const { return index_; }
  // Monotonic microseconds, read once a tick.
  std::int64_t now() {
    if (tick_micros_ == 0) tick_micros_ = io::monotonic_micros();
    return tick_micros_;
  }
  std::uint64_t random() { return random_.next(); }
  const io::TlsContext& target_tls();
  // For identity providers; trusts `trusted_pem` besides what the system does.
  Web& web();
  KeySets& key_sets();
  std::string trusted_pem;
  const Sites* sites = nullptr;
  const Dialer& dialer() const { return dialer_; }

  // --- configuration, on the loop's thread ---
  std::shared_ptr<LoopGroup> group(const std::string& id);   // made when it is new
  void put_group(std::shared_ptr<const GroupSettings> settings);
  void put_targets(const std::string& group, std::shared_ptr<const TargetSet> targets, const std::vector<std::shared_ptr<Target>>& gone);
  void remove_group(const std::string& id);
  std::shared_ptr<ListenerSlot> slot(const std::string& id);
  void put_listener(const ListenerPlan& plan, std::shared_ptr<const RuleIndex> index, std::shared_ptr<io::TlsContext> tls);
  // Listens for a slot; the connections of a closed listener end after the request they are at.
  void listen(const std::shared_ptr<ListenerSlot>& slot, int fd);
  void listen_udp(const std::shared_ptr<ListenerSlot>& slot, int fd);
  void remove_listener(const std::string& id);
  void stop_accepting();
  // Every listener's slot by name, for whoever counts what happened there.
  const TextMap<std::shared_ptr<ListenerSlot>>& slots() const { return slots_; }
  FunctionTarget function_target;

  // --- connections ---
  // A connection to the target: an idle one, or a new one.
  Upstream& take_upstream(const std::shared_ptr<Target>& target, const std::shared_ptr<const GroupSettings>& group);
  void keep_upstream(Upstream& upstream);
  void forget_idle(Upstream& upstream);
  // Destroyed at the end of the tick: whoever calls may be inside one of its methods.
  void bury(Upstream& upstream);
  void bury(ClientConnection& client);
  void bury(TcpConnection& connection);
  void adopt_client(const std::shared_ptr<ListenerSlot>& slot, int fd);
  // Goes on at the end of the tick with what a connection has already received.
  void resume_later(ClientConnection& client);
  void resume_later(Upstream& upstream);
  void resume_later(TcpConnection& connection);
  // To the server of coroutines, for the rest of the connection's life; `unread` was received and not looked at.
  void hand_over(io::Transport&& transport, const std::shared_ptr<ListenerSlot>& slot, std::string peer, std::string unread);
  // Answers a request of another protocol than HTTP/1.1 over a balancer's own connection.
  Task<http::Response> serve(std::shared_ptr<ListenerSlot> slot, http::Request& request);
  // The same under one state of the listener, before it changes the reply.
  Task<http::Response> serve_as(std::shared_ptr<const LoopListener> listener, http::Request& request, AccessEntry* entry);
  // Carries out a rule for whoever may.
  Task<http::Response> serve_rule(std::shared_ptr<const LoopListener> listener, std::size_t rule, http::Request& request, AccessEntry* entry);
  std::size_t clients() const { return clients_.size(); }

 private:
  friend class ClientConnection;
  class Acceptor;
  void sweep();
  void end_tick();

  io::Reactor& reactor_;
  std::size_t index_;
  const Dialer& dialer_;
  SeededRandom random_;
  std::int64_t tick_micros_ = 0;
  TextMap<std::shared_ptr<LoopGroup>> groups_;
  TextMap<std::shared_ptr<ListenerSlot>> slots_;
  TextMap<std::vector<std::unique_ptr<Acceptor>>> acceptors_;
  std::list<std::unique_ptr<Upstream>> upstreams_;
  std::list<std::unique_ptr<ClientConnection>> clients_;
  TextMap<std::vector<std::unique_ptr<UdpListener>>> udp_listeners_;
  std::list<std::unique_ptr<TcpConnection>> tcp_;
  std::vector<TcpConnection*> resumable_tcp_;
  std::vector<std::unique_ptr<TcpConnection>> buried_tcp_;
  TextMap<std::unique_ptr<http::Server>> servers_;   // by listener, made when something is handed over
  std::vector<ClientConnection*> resumable_;
  std::vector<Upstream*> resumable_upstreams_;
  std::vector<std::unique_ptr<Upstream>> buried_upstreams_;
  std::vector<std::unique_ptr<ClientConnection>> buried_clients_;
  std::unique_ptr<io::TlsContext> target_tls_;
  std::unique_ptr<Web> web_;
  std::unique_ptr<KeySets> key_sets_;
  io::Reactor::TimerId sweep_timer_ = 0;
  std::shared_ptr<BalancerLoop*> self_ = std::make_shared<BalancerLoop*>(this);
};

}  // namespace reef::edge
