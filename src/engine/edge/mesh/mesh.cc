#include "engine/edge/mesh/mesh.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/mesh/joint.h"
#include "http/http2_client.h"
#include "io/socket.h"

namespace reef::edge::mesh {
namespace {

std::string name_key(std::string_view scope, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return fmt::format("{}\n{}", scope, to_lower(name));
}

void end_connection(int fd) {
  const linger now{1, 0};  // as the refusal that it is
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(fd);
}

}  // namespace

Mesh::Mesh(Balancers& balancers, const Dialer& dialer) : balancers_(balancers), dialer_(dialer) {}
Mesh::~Mesh() = default;

// --- configuration ---------------------------------------------------------------------------------------------------

std::shared_ptr<Node> Mesh::find_node(std::string_view id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : found->second;
}

void Mesh::put_node(NodePlan plan) {
  auto& node = nodes_[plan.id];
  if (!node) node = std::make_shared<Node>();
  node->outliers.set_policy(plan.outliers);
  node->pool.set_policy(plan.pool);
  auto group = std::make_shared<GroupSettings>();
  group->id = plan.id;
  group->version = plan.protocol == Protocol::kGrpc ? HttpVersion::kGrpc : plan.protocol == Protocol::kHttp2 ? HttpVersion::kHttp2 : HttpVersion::kHttp1;
  node->group = std::move(group);
  // Connections that were made under another policy are not used again.
  if (!(node->plan.tls == plan.tls))
    for (const auto& target : node->targets) let_go(target);
  node->plan = std::move(plan);
  guard_targets();
}

// Connections that nobody uses are of no use any more; those in use end with their requests.
void Mesh::let_go(const std::shared_ptr<Target>& target) {
  for (Upstream* upstream : std::exchange(target->sides[0].idle, {})) upstream->abandon();
  if (const auto http2 = std::exchange(target->sides[0].http2, nullptr)) http2->close();
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

void Mesh::set_endpoints(const std::string& id, std::vector<Endpoint> endpoints) {
  const auto node = find_node(id);
  if (!node) return;
  std::vector<std::shared_ptr<Target>> now;
  for (Endpoint& endpoint : endpoints) {
    const int port = endpoint.port != 0 ? endpoint.port : node->plan.port;
    const auto found = std::find_if(node->targets.begin(), node->targets.end(), [&](const auto& one) { return one->id == endpoint.id && one->ip == endpoint.ip && one->port == port; });
    now.push_back(found != node->targets.end() ? *found : std::make_shared<Target>(endpoint.id, endpoint.ip, port, 1));
  }
  for (const auto& before : node->targets)
    if (std::find(now.begin(), now.end(), before) == now.end()) {
      let_go(before);
      node->outliers.forget(before->id);
    }
  node->targets = std::move(now);
  if (node->plan.tls.mode != ServerTlsPlan::Mode::kDisabled) guard_targets();
}

void Mesh::remove_node(const std::string& id) {
  const auto node = find_node(id);
  if (!node) return;
  for (const auto& target : node->targets) let_go(target);
  node->targets.clear();
  nodes_.erase(id);
  guard_targets();
}

void Mesh::put_service(ServicePlan plan) {
  remove_service(plan.id);
  const auto [at, is_new] = addresses_.try_emplace(name_key(plan.scope, plan.name), next_address_);
  if (is_new) ++next_address_;
  services_at_[at->second].push_back(plan.id);
  auto made = std::make_shared<Service>();
  made->routes = std::make_shared<const Routes>(plan.routes);
  made->plan = std::move(plan);
  services_[made->plan.id] = std::move(made);
}

// Its address stays its name's, for callers that have looked it up.
void Mesh::remove_service(const std::string& id) {
  const auto found = services_.find(id);
  if (found == services_.end()) return;
  const auto at = addresses_.find(name_key(found->second->plan.scope, found->second->plan.name));
  if (at != addresses_.end()) std::erase(services_at_[at->second], id);
  services_.erase(found);
}

void Mesh::remove_member(std::string_view key) {
  if (const auto found = members_.find(key); found != members_.end()) members_.erase(found);
}

std::shared_ptr<const MemberPlan> Mesh::identity(std::string_view name) const {
  const auto found = identities_.find(name);
  return found == identities_.end() ? nullptr : found->second;
}

std::shared_ptr<const MemberPlan> Mesh::member(std::string_view key) const {
  const auto found = members_.find(key);
  if (found == members_.end()) return nullptr;
  return found->second.plan ? found->second.plan : identity(found->second.identity);
}

void Mesh::clear() {
  while (!nodes_.empty()) remove_node(std::string(nodes_.begin()->first));
  services_.clear();
  services_at_.clear();
  addresses_.clear();
  members_.clear();
  identities_.clear();
  figures_.clear();
  lanes_.clear();
  lane_at_.clear();
  keyring_.clear();
  next_address_ = kFirstAddress;
}

std::shared_ptr<const Service> Mesh::service(std::string_view id) const {
  const auto found = services_.find(id);
  return found == services_.end() ? nullptr : found->second;
}

// --- what sandboxes do -----------------------------------------------------------------------------------------------

std::optional<std::uint32_t> Mesh::resolve(std::string_view member, std::string_view name) const {
  const auto known = this->member(member);
  if (!known) return std::nullopt;
  for (const std::string& scope : known->scopes) {
    const auto found = addresses_.find(name_key(scope, name));
    if (found == addresses_.end()) continue;
    const auto services = services_at_.find(found->second);
    if (services != services_at_.end() && !services->second.empty()) return found->second;
  }
  return std::nullopt;
}

bool Mesh::adopt(std::string_view member, std::uint32_t address, int port, int fd) {
  const auto caller = this->member(member);
  if (!is_virtual(address)) {
    const bool is_local = address >> 16 == 0xA9FE;
    const std::string ip = fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    // Link-local addresses are the machine's own: AWS's API among them, which a node may always call.
    if (caller && caller->only_backends && !is_local) {
      deny(*caller, fmt::format("{}:{}", ip, port), fd);
      return true;
    }
    if (is_local || !guarded_.read([&](const auto& all) { return all.contains(fmt::format("{}:{}", ip, port)); })) return false;
    const auto node = guard_of(ip, port);
    if (!node) return false;
    if (!dialer_.admits(fmt::format("task:{}", member), ip, port)) {
      end_connection(fd);
      return true;
    }
    admit(node, ip, port, fd).detach();
    return true;
  }
  const auto at = services_at_.find(address);
  std::shared_ptr<const Service> found;
  if (at != services_at_.end())
    for (const std::string& id : at->second) {
      const auto one = service(id);
      if (one && (one->plan.ports.empty() || std::find(one->plan.ports.begin(), one->plan.ports.end(), port) != one->plan.ports.end())) found = one;
    }
  if (!found || !caller) {
    end_connection(fd);
    return true;
  }
  const auto& scopes = caller->scopes;
  const bool sees = std::find(scopes.begin(), scopes.end(), found->plan.scope) != scopes.end();
  const bool may = !caller->only_backends || std::find(caller->backends.begin(), caller->backends.end(), found->plan.id) != caller->backends.end();
  if (!sees || !may) {
    deny(*caller, found->plan.shown, fd);
    return true;
  }
  io::set_no_delay(fd);
  if (found->routes->find_tcp(port)) {
    pass_bytes(caller, std::string(member), found, port, fd).detach();
    return true;
  }
  if (!server_) {
    // The hook may outlive this object.
    loop().reactor().at_tick_end([self = std::weak_ptr(self_)] {
      const auto mesh = self.lock();
      if (!mesh || (*mesh)->awake_until_ == 0) return;
      if (io::monotonic_micros() < (*mesh)->awake_until_) (*mesh)->loop().reactor().do_not_wait();
      else (*mesh)->awake_until_ = 0;
    });
    http::ServerOptions options;
    options.idle_timeout = 3600s;   // as long as the caller likes
    server_ = std::make_unique<http::Server>(
        loop().reactor(), [this](http::Request& request) { return serve(request); }, std::move(options));
  }
  // The peer's name is all that the server gives back with a request.
  server_->adopt_connection(fd, fmt::format("{}\n{}\n{}", member, found->plan.id, port));
  return true;
}

void Mesh::deny(const MemberPlan& caller, std::string_view service, int fd) {
  Figures& figures = figures_of(caller.name, service, "");
  ++figures.requests;
  ++figures.errors;
  ++figures.denied;
  if (tracing_.end) {
    const Time now = loop().reactor().now();
    const auto position = tracing_.begin({}, {}, now);
    tracing_.end({.caller = caller.name, .service = service, .account = caller.account, .region = caller.region, .root = position.root, .parent = position.parent,
                  .id = position.id, .error = "denied", .start = now});
  }
  end_connection(fd);
}

Figures& Mesh::figures_of(std::string_view caller, std::string_view service, std::string_view target) {
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

std::vector<const Figures*> Mesh::figures() const {
  std::vector<const Figures*> out;
  for (const auto& [key, figures] : figures_) out.push_back(figures.get());
  return out;
}

// --- places ----------------------------------------------------------------------------------------------------------

std::shared_ptr<Target> Mesh::choose(Node& node, const Target* not_this) {
  const std::size_t count = node.targets.size();
  if (count == 0) return nullptr;
  const Time now = loop().reactor().now();
  const bool quiet = node.outliers.is_quiet();
  std::shared_ptr<Target> second;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& target = node.targets[node.cursor++ % count];
    if (!quiet && node.outliers.is_ejected(target->id, now)) continue;
    if (target.get() != not_this || count == 1) return target;
    second = target;
  }
  // The same again rather than none.
  return second;
}

Task<bool> Mesh::enter(std::shared_ptr<Node> node) {
  switch (node->pool.enter()) {
    case Admission::kNow: co_return true;
    case Admission::kRefused: co_return false;
    case Admission::kWaits: break;
  }
  Later<bool> turn;
  node->waiting.push_back(&turn);
  co_return co_await turn;
}

void Mesh::leave(const std::shared_ptr<Node>& node) {
  if (!node->pool.leave() || node->waiting.empty()) return;
  Later<bool>* const next = node->waiting.front();
  node->waiting.pop_front();
  loop().reactor().post([next] { next->set(true); });
}

}  // namespace reef::edge::mesh
