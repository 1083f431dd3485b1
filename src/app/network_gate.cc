#include "app/network_gate.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "engine/store/shard.h"
#include "io/socket.h"

namespace reef::app {
namespace {

constexpr std::uint32_t kLoopback = 127, kInside = 240;  // see Names::with_loopback_range
constexpr std::size_t kSentencesMax = 1000;
constexpr std::uint16_t kSomeClientPort = 50000;  // before there is a socket

std::uint16_t port_of(int fd, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  return fd >= 0 && name(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? ntohs(address.sin_port) : 0;
}

std::string function_owner(const function::Version& version) { return "lambda/" + version.function; }

void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

}  // namespace

NetworkGate::NetworkGate(network::Networks& networks, network::Connections& connections, task::Tasks& tasks,
                         const function::Functions& functions)
    : networks_(networks), connections_(connections), tasks_(tasks), functions_(functions) {
  // What was open stays open when a group changes, and ends when an access list or a partition is in its way.
  networks_.on_publish([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    connections_.cut([view = networks_.view()](const network::Flow& flow) { return !view->decide_open(view->as_now(flow)).passes(); });
  });
}

network::Party NetworkGate::sender(const network::View& view, std::string_view sandbox) const {
  network::Party out;
  if (const task::LiveTask* task = tasks_.owner_of(sandbox)) {
    out.address = network::parse_address(task->address).value_or(0);
    out.interface = view.at(out.address);
    if (!out.interface) out.names = {task->plan.id};
  } else if (const function::VersionPtr version = functions_.version_in(sandbox)) {
    out.names = {version->name};
    const auto& interfaces = view.of(function_owner(*version));
    if (!interfaces.empty()) {
      out.interface = interfaces.front();
      out.address = out.interface->address;
    }
  }
  return out;
}

std::string NetworkGate::vpc_of(std::string_view sandbox) const {
  const network::Party party = sender(*networks_.view(), sandbox);
  return party.interface ? party.interface->vpc : std::string();
}

bool NetworkGate::adopt(std::string_view sandbox, sandbox::Destination to, int fd) {
  if (to.address >> 16 == 0xA9FE || to.address >> 24 == kLoopback) return false;  // AWS's own endpoints
  const auto view = networks_.view();
  network::Flow flow{.from = sender(*view, sandbox), .to = {.address = to.address, .interface = {}, .names = {}}, .from_port = port_of(fd, ::getpeername), .to_port = to.port};
  const bool is_front = to.address >> 24 == kInside;
  if (is_front) {
    const std::string* owner = view->front(kLoopback << 24 | (to.address & 0xFFFFFF));
    if (!owner) return false;
    flow.to.interface = network::View::nearest(view->of(*owner), flow.from.interface);
    if (flow.to.interface) flow.to.address = flow.to.interface->address;
    flow.to_front = true;
  } else {
    flow.to.interface = view->at(to.address);
  }
  if (const network::Verdict verdict = view->decide(flow); !verdict.passes()) {
    log_refusal(flow, verdict);
    reset(fd);
    return true;
  }
  const std::string ip = network::address_text(is_front ? kLoopback << 24 | (to.address & 0xFFFFFF) : to.address);
  if (is_front) {
    auto balancer = io::connect_tcp(ip, to.port);
    if (balancer) relay(fd, balancer->release(), std::move(flow));
    else reset(fd);
    return true;
  }
  if (!tasks_.has_network(ip)) return false;
  relay_to_task(fd, ip, std::move(flow));
  return true;
}

void NetworkGate::relay_to_task(int fd, const std::string& ip, network::Flow flow) {
  const int port = flow.to_port;
  tasks_.connect_to(ip, port, [this, from = std::make_shared<io::Fd>(fd), flow = std::move(flow)](Result<int, Failure> inside) mutable {
    if (inside) relay(from->release(), *inside, std::move(flow));
    else reset(from->release());
  });
}

void NetworkGate::relay(int from, int to, network::Flow flow) {
  io::set_no_delay(from);
  io::set_no_delay(to);
  store::Shard& shard = store::Shard::at(next_loop_++ % relays_.size());
  auto begin = [this, from, to, &shard, flow = std::move(flow)]() mutable {
    // What was changed while it connected.
    if (const auto view = networks_.view(); !view->decide_open(view->as_now(flow)).passes()) {
      ::close(to);
      return reset(from);
    }
    auto& mine = relays_[shard.index()];
    connections_.opened(from, std::move(flow), true);
    const auto at = mine.emplace(mine.end());
    *at = std::make_unique<sandbox::Relay>(shard.reactor(), from, to, [&shard, &mine, at] {
      shard.reactor().post([&mine, at] { mine.erase(at); });
    });
    (*at)->on_closing([this, alive = std::weak_ptr(alive_)](int fd) {
      if (!alive.expired()) connections_.closing(fd);
    });
  };
  if (shard.index() == store::Shard::current().index()) begin();
  else shard.reactor().post(std::move(begin));
}

// --- balancers -------------------------------------------------------------------------------------------------------

std::optional<network::Flow> NetworkGate::balancer_flow(const network::View& view, std::string_view caller, std::string_view ip, int port, int fd) const {
  constexpr std::string_view kTask = "task:";   // the mesh, for a task: "task:id@10.0.0.7", on any loop
  if (caller.starts_with(kTask)) {
    caller.remove_prefix(kTask.size());
    const auto at = caller.rfind('@');
    const auto address = network::parse_address(ip);
    if (at == std::string_view::npos || !address) return std::nullopt;
    network::Flow flow{.from = {}, .to = {.address = *address, .interface = view.at(*address), .names = {}}, .from_port = fd < 0 ? kSomeClientPort : port_of(fd, ::getsockname), .to_port = static_cast<std::uint16_t>(port)};
    flow.from.address = network::parse_address(caller.substr(at + 1)).value_or(0);
    flow.from.interface = view.at(flow.from.address);
    if (!flow.from.interface) flow.from.names = {std::string(caller.substr(0, at))};
    return flow;
  }
  const auto& interfaces = view.behind(caller);
  const auto address = network::parse_address(ip);
  if (interfaces.empty() || !address) return std::nullopt;
  network::Flow flow{.from = {}, .to = {.address = *address, .interface = view.at(*address), .names = {}}, .from_port = fd < 0 ? kSomeClientPort : port_of(fd, ::getsockname), .to_port = static_cast<std::uint16_t>(port)};
  flow.from.interface = network::View::nearest(interfaces, flow.to.interface);
  flow.from.address = flow.from.interface->address;
  return flow;
}

bool NetworkGate::admits(std::string_view caller, std::string_view ip, int port) {
  const auto view = networks_.view();
  const auto flow = balancer_flow(*view, caller, ip, port, -1);
  if (!flow) return true;
  const network::Verdict verdict = view->decide(*flow);
  if (!verdict.passes()) log_refusal(*flow, verdict);
  return verdict.passes();
}

void NetworkGate::opened(std::string_view caller, std::string_view ip, int port, int fd) {
  const auto view = networks_.view();
  auto flow = balancer_flow(*view, caller, ip, port, fd);
  if (!flow) return;
  if (!view->decide_open(*flow).passes()) ::shutdown(fd, SHUT_RDWR);  // changed while it connected
  connections_.opened(fd, *std::move(flow), false);
}

void NetworkGate::log_refusal(const network::Flow& flow, const network::Verdict& verdict) {
  if (networks_.on_refused) networks_.on_refused(flow, verdict);
  const std::string sentence = network::View::explain(flow, verdict);
  const Time now = store::Shard::current().now();
  const bool is_due = logged_.write([&](auto& logged) {
    if (logged.size() > kSentencesMax) logged.clear();
    const auto [at, is_new] = logged.try_emplace(sentence, now);
    if (!is_new && now - at->second < 1s) return false;
    at->second = now;
    return true;
  });
  if (is_due) log::warn("connection refused", {{"network", sentence}});
}

}  // namespace reef::app
