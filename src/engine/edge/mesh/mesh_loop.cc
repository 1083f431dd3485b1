#include "engine/edge/mesh/mesh_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/mesh/joint.h"
#include "engine/edge/mesh/message_request.h"
#include "http/http2_client.h"
#include "io/socket.h"

namespace reef::edge::mesh {

void end_connection(int fd) {
  const linger now{1, 0};  // as the refusal that it is
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(fd);
}

MeshLoop::MeshLoop(BalancerLoop& loop, Shared& shared) : loop_(loop), shared_(shared) {}
MeshLoop::~MeshLoop() = default;

void MeshLoop::set_view(std::shared_ptr<const View> view) {
  const auto before = std::exchange(view_, std::move(view));
  for (const auto& [id, was] : before->nodes) {
    const auto now = view_->node(id);
    if (now == was) continue;
    // Connections that were made under another policy are not used again.
    const bool is_same = now && now->plan.tls == was->plan.tls;
    for (const auto& target : was->all)
      if (!is_same || std::find(now->all.begin(), now->all.end(), target) == now->all.end()) let_go(target);
  }
}

void MeshLoop::clear() {
  figures_.clear();
  lanes_.clear();
  lane_at_.clear();
}

void MeshLoop::let_go(const std::shared_ptr<Target>& target) {
  Target::LoopSide& side = target->sides[loop_.index()];
  for (Upstream* upstream : std::exchange(side.idle, {})) upstream->abandon();
  if (const auto http2 = std::exchange(side.http2, nullptr)) http2->close();
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    if (it->second.real != target) {
      ++it;
      continue;
    }
    const auto lane = it->second.target;
    lane_at_.erase(lane->ip);
    it = lanes_.erase(it);
    let_go(lane);
  }
}

void MeshLoop::adopt(Arrival arrival, int fd) {
  const auto caller = view_->member(arrival.member);
  const auto service = view_->service(arrival.service);
  if (!caller || !service) return end_connection(fd);
  io::set_no_delay(fd);
  if (service->routes->find_tcp(arrival.port)) return pass_bytes(caller, service, std::move(arrival), fd).detach();
  if (!server_) {
    // The hook may outlive this object.
    reactor().at_tick_end([self = std::weak_ptr(self_)] {
      const auto loop = self.lock();
      if (!loop || (*loop)->awake_until_ == 0) return;
      if (io::monotonic_micros() < (*loop)->awake_until_) (*loop)->reactor().do_not_wait();
      else (*loop)->awake_until_ = 0;
    });
    http::ServerOptions options;
    options.idle_timeout = 3600s;   // as long as the caller likes
    server_ = std::make_unique<http::Server>(
        reactor(), [this](http::Request& request) { return serve(request); }, std::move(options));
  }
  // The peer's name is all that the server gives back with a request.
  server_->adopt_connection(fd, fmt::format("{}\n{}\n{}\n{}", arrival.member, arrival.origin, arrival.service, arrival.port));
}

Task<http::Response> MeshLoop::serve(http::Request& request) {
  const auto parts = split(request.peer, '\n');
  const auto caller = parts.size() == 4 ? view_->member(parts[0]) : nullptr;
  const auto found = caller ? view_->service(parts[2]) : nullptr;
  if (!found) {
    auto out = plain(503, "the service or its caller has left the mesh");
    answer_in_kind(request, out);
    co_return out;
  }
  const int port = parse_int<int>(parts[3]).value_or(0);
  co_return co_await pass(caller, std::string(parts[1]), found, port, request);
}

void MeshLoop::deny(const MemberPlan& caller, std::string_view service, std::string_view endpoint, int fd) {
  Figures& figures = figures_of(caller.name, service, "");
  ++figures.requests;
  ++figures.errors;
  ++figures.denied;
  if (shared_.tracing.end) {
    const Time now = reactor().now();
    const auto position = shared_.tracing.begin({}, {}, now);
    shared_.tracing.end({.caller = caller.name, .service = service, .endpoint = endpoint, .account = caller.account, .region = caller.region, .root = position.root, .parent = position.parent,
                         .id = position.id, .error = "denied", .start = now});
  }
  end_connection(fd);
}

Figures& MeshLoop::figures_of(std::string_view caller, std::string_view service, std::string_view target) {
  thread_local std::string key;
  key.assign(caller).append("\n").append(service).append("\n").append(target);
  auto found = figures_.find(key);
  if (found == figures_.end()) {
    found = figures_.emplace(key, std::make_unique<Figures>()).first;
    found->second->caller = caller;
    found->second->service = service;
    found->second->target = target;
  }
  return *found->second;
}

std::vector<Figures> MeshLoop::figures() const {
  std::vector<Figures> out;
  for (const auto& [key, figures] : figures_) out.push_back(*figures);
  return out;
}

std::shared_ptr<Target> MeshLoop::choose(const Node& node, const Target* not_this) {
  const std::size_t count = node.targets.size();
  if (count == 0) return nullptr;
  const Time now = reactor().now();
  std::shared_ptr<Target> second;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& target = node.targets[node.state->next_turn() % count];
    if (node.state->is_ejected(target->id, now)) continue;
    if (target.get() != not_this || count == 1) return target;
    second = target;
  }
  // The same again rather than none.
  return second;
}

}  // namespace reef::edge::mesh
