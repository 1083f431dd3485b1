#include "engine/edge/mesh/mesh.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/store/shard.h"

namespace reef::edge::mesh {
namespace {

std::string name_key(std::string_view scope, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return fmt::format("{}\n{}", scope, to_lower(name));
}

std::string endpoint_key(std::string_view ip, int port) { return fmt::format("{}:{}", ip, port); }

}  // namespace

Mesh::Mesh(Balancers& balancers, const Dialer& dialer) : shared_{.dialer = dialer, .tracing = {}, .inside = {}, .access_log = {}, .keyring = {}} {
  for (std::size_t i = 0; i < store::Shard::count(); ++i) loops_.push_back(std::make_unique<MeshLoop>(balancers.loop(i), shared_));
}

Mesh::~Mesh() = default;

MeshLoop& Mesh::here() const { return *loops_[store::Shard::current().index()]; }

// --- configuration ---------------------------------------------------------------------------------------------------

// Many changes of one tick are one for the loops.
void Mesh::changed() {
  if (std::exchange(is_changed_, true)) return;
  loops_[0]->balancer().reactor().post([self = std::weak_ptr(self_)] {
    if (const auto mesh = self.lock()) (*mesh)->publish();
  });
}

void Mesh::publish() {
  if (!std::exchange(is_changed_, false)) return;
  draft_.guarded.clear();
  for (const auto& [id, node] : draft_.nodes)
    if (node->plan.tls.mode != ServerTlsPlan::Mode::kDisabled)
      for (const auto& target : node->all) draft_.guarded[endpoint_key(target->ip, target->port)] = node;
  const auto view = std::make_shared<const View>(draft_);
  for (const auto& loop : loops_) on(*loop, [view](MeshLoop& one) { one.set_view(view); });
}

// In order, each on its own thread.
void Mesh::on(MeshLoop& loop, std::move_only_function<void(MeshLoop&)> work) {
  if (&loop == loops_[0].get()) return work(loop);
  loop.balancer().reactor().post([&loop, work = std::move(work)]() mutable { work(loop); });
}

void Mesh::on_every_loop(const std::function<void(MeshLoop&)>& work) {
  publish();
  for (const auto& loop : loops_) on(*loop, work);
}

void Mesh::put_node_version(std::shared_ptr<Node> node) {
  auto& checks = checks_[node->plan.id];
  if (!node->plan.health) {
    checks.reset();
    node->targets = node->all;
  } else {
    if (!checks) checks = std::make_unique<Checks>(store::Shard::control().reactor(), past_, [this, id = node->plan.id] { check_changed(id); });
    checks->apply(*node->plan.health, node->all);
    node->targets = usable(*node, *checks);
  }
  draft_.nodes[node->plan.id] = std::move(node);
  changed();
}

std::vector<std::shared_ptr<Target>> Mesh::usable(const Node& node, const Checks& checks) {
  std::vector<std::shared_ptr<Target>> out;
  std::copy_if(node.all.begin(), node.all.end(), std::back_inserter(out), [&](const auto& target) { return checks.is_healthy(target); });
  return out;
}

void Mesh::check_changed(const std::string& id) {
  const auto before = draft_.node(id);
  const auto checks = checks_.find(id);
  if (!before || checks == checks_.end() || !checks->second) return;
  auto node = std::make_shared<Node>(*before);
  node->targets = usable(*node, *checks->second);
  draft_.nodes[id] = std::move(node);
  changed();
}

void Mesh::put_node(NodePlan plan) {
  const auto before = draft_.node(plan.id);
  auto node = before ? std::make_shared<Node>(*before) : std::make_shared<Node>();
  node->state->set_policies(plan.outliers, plan.pool);
  auto group = std::make_shared<GroupSettings>();
  group->id = plan.id;
  group->version = plan.protocol == Protocol::kGrpc ? HttpVersion::kGrpc : plan.protocol == Protocol::kHttp2 ? HttpVersion::kHttp2 : HttpVersion::kHttp1;
  node->group = std::move(group);
  node->plan = std::move(plan);
  put_node_version(std::move(node));
}

void Mesh::set_endpoints(const std::string& id, std::vector<Endpoint> endpoints) {
  const auto before = draft_.node(id);
  if (!before) return;
  std::vector<std::shared_ptr<Target>> now;
  for (Endpoint& endpoint : endpoints) {
    const int port = endpoint.port != 0 ? endpoint.port : before->plan.port;
    const auto found = std::find_if(before->all.begin(), before->all.end(), [&](const auto& one) { return one->id == endpoint.id && one->ip == endpoint.ip && one->port == port; });
    now.push_back(found != before->all.end() ? *found : std::make_shared<Target>(endpoint.id, endpoint.ip, port, loops_.size()));
  }
  if (now == before->all) return;
  for (const auto& one : before->all)
    if (std::find(now.begin(), now.end(), one) == now.end()) before->state->forget(one->id);
  auto node = std::make_shared<Node>(*before);
  node->all = std::move(now);
  put_node_version(std::move(node));
}

void Mesh::remove_node(const std::string& id) {
  checks_.erase(id);
  if (draft_.nodes.erase(id) > 0) changed();
}

void Mesh::put_service(ServicePlan plan) {
  remove_service(plan.id);
  const auto [at, is_new] = addresses_.try_emplace(name_key(plan.scope, plan.name), next_address_);
  if (is_new) ++next_address_;
  services_at_[at->second].push_back(plan.id);
  auto made = std::make_shared<Service>();
  made->routes = std::make_shared<const Routes>(plan.routes);
  made->plan = std::move(plan);
  draft_.services[made->plan.id] = std::move(made);
  changed();
}

// Its address stays its name's, for callers that have looked it up.
void Mesh::remove_service(const std::string& id) {
  const auto found = draft_.services.find(id);
  if (found == draft_.services.end()) return;
  const auto at = addresses_.find(name_key(found->second->plan.scope, found->second->plan.name));
  if (at != addresses_.end()) std::erase(services_at_[at->second], id);
  draft_.services.erase(found);
  changed();
}

void Mesh::put_member(const std::string& key, MemberPlan plan, AccessSink log) {
  draft_.members[key] = {std::make_shared<const MemberPlan>(std::move(plan)), {}, log ? std::make_shared<const AccessSink>(std::move(log)) : nullptr};
  changed();
}

void Mesh::put_member_as(const std::string& key, std::string identity, AccessSink log) {
  draft_.members[key] = {nullptr, std::move(identity), log ? std::make_shared<const AccessSink>(std::move(log)) : nullptr};
  changed();
}

void Mesh::remove_member(std::string_view key) {
  const auto found = draft_.members.find(key);
  if (found == draft_.members.end()) return;
  draft_.members.erase(found);
  changed();
}

void Mesh::put_identity(const std::string& identity, MemberPlan plan) {
  draft_.identities[identity] = std::make_shared<const MemberPlan>(std::move(plan));
  changed();
}

void Mesh::remove_identity(const std::string& identity) {
  draft_.identities.erase(identity);
  changed();
}

void Mesh::clear() {
  draft_ = {};
  checks_.clear();
  addresses_.clear();
  services_at_.clear();
  shared_.keyring.clear();
  next_address_ = kFirstAddress;
  is_changed_ = true;
  publish();
  for (const auto& loop : loops_) on(*loop, [](MeshLoop& one) { one.clear(); });
}

// --- what sandboxes do -----------------------------------------------------------------------------------------------

std::optional<std::uint32_t> Mesh::resolve(std::string_view member, std::string_view name) const {
  const auto known = draft_.member(member);
  if (!known) return std::nullopt;
  for (const std::string& scope : known->scopes) {
    const auto found = addresses_.find(name_key(scope, name));
    if (found == addresses_.end()) continue;
    const auto services = services_at_.find(found->second);
    if (services != services_at_.end() && !services->second.empty()) return found->second;
  }
  return std::nullopt;
}

bool Mesh::adopt(std::string_view member, std::string origin, std::uint32_t address, int port, int fd) {
  publish();
  const auto caller = draft_.member(member);
  if (!is_virtual(address)) {
    const bool is_local = address >> 16 == 0xA9FE;
    const std::string ip = fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    // Link-local addresses are the machine's own: AWS's API among them, which a node may always call.
    if (caller && caller->only_backends && !is_local) {
      loops_[0]->deny(*caller, "outside the mesh", endpoint_key(ip, port), fd);   // one line of figures, however many addresses
      return true;
    }
    const auto guard = is_local ? draft_.guarded.end() : draft_.guarded.find(endpoint_key(ip, port));
    if (guard == draft_.guarded.end()) return false;
    if (!shared_.dialer.admits(origin, ip, port)) {
      end_connection(fd);
      return true;
    }
    on_next_loop([node = guard->second, ip, port, fd](MeshLoop& loop) { loop.admit(node, ip, port, fd).detach(); });
    return true;
  }
  const auto at = services_at_.find(address);
  std::shared_ptr<const Service> found;
  if (at != services_at_.end())
    for (const std::string& id : at->second) {
      const auto one = draft_.service(id);
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
    loops_[0]->deny(*caller, found->plan.shown, {}, fd);
    return true;
  }
  Arrival arrival{.member = std::string(member), .origin = std::move(origin), .service = found->plan.id, .port = port};
  on_next_loop([arrival = std::move(arrival), fd](MeshLoop& loop) mutable { loop.adopt(std::move(arrival), fd); });
  return true;
}

std::optional<Task<Result<int, Failure>>> Mesh::dial(std::string_view ip, int port) {
  if (store::Shard::current().index() == 0) publish();
  return here().dial(ip, port);
}

// --- what passed -----------------------------------------------------------------------------------------------------

Task<std::vector<Figures>> Mesh::figures() const {
  std::map<std::string, Figures> all;
  for (const auto& loop : loops_) {
    // Loops are shards, in the same order.
    auto part = co_await store::on(store::Shard::at(loop->balancer().index()), [&]() -> Task<std::vector<Figures>> { co_return loop->figures(); });
    for (Figures& one : part) {
      const std::string key = fmt::format("{}\n{}\n{}", one.caller, one.service, one.target);
      const auto [at, is_new] = all.try_emplace(key, one);
      if (!is_new) at->second.add(one);
    }
  }
  std::vector<Figures> out;
  for (auto& [key, one] : all) out.push_back(std::move(one));
  co_return out;
}

}  // namespace reef::edge::mesh
