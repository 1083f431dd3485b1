#include "engine/edge/balancer/balancers.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "engine/edge/balancer/handler.h"
#include "engine/edge/balancer/probe.h"
#include "engine/store/shard.h"
#include "io/datagrams.h"
#include "io/socket.h"

namespace reef::edge {
namespace {

constexpr Duration kDrainLook = 50ms;
constexpr Duration kAnomalyWindow = 5s;
constexpr std::uint32_t kAnomalyRequestsMin = 10;

std::string target_key(std::string_view id, int port) { return fmt::format("{}:{}", id, port); }

}  // namespace

// One registered target.
struct Balancers::Entry {
  TargetSpec spec;
  std::shared_ptr<Target> target;
  TargetHealth health;
  io::Reactor::TimerId timer = 0;
  bool checking = false;
  bool removed = false;
  Time drains_until{};
};

struct Balancers::Group {
  std::shared_ptr<const GroupSettings> settings;
  std::map<std::string, std::shared_ptr<Entry>> entries;   // by id and port
  std::vector<std::shared_ptr<Entry>> draining;            // the same target may be registered anew meanwhile
  bool used = false, removed = false;
};

Balancers::Balancers(const Dialer& dialer) : dialer_(dialer) {
  for (std::size_t i = 0; i < store::Shard::count(); ++i) loops_.push_back(std::make_unique<BalancerLoop>(store::Shard::at(i).reactor(), i, dialer));
}

Balancers::~Balancers() = default;

template <class F>
Task<void> Balancers::on_each_loop(F apply) {
  for (auto& loop : loops_) {
    if (loop->index() == store::Shard::current().index()) {
      apply(*loop);
      continue;
    }
    co_await store::on(store::Shard::at(loop->index()), [&]() -> Task<void> {
      apply(*loop);
      co_return;
    });
  }
}

// --- target groups ---------------------------------------------------------------------------------------------------

Task<void> Balancers::put_group(GroupSettings settings) {
  auto& group = groups_[settings.id];
  const bool is_new = !group;
  if (is_new) group = std::make_shared<Group>();
  const std::shared_ptr<Group> kept = group;
  const bool checks_changed = !is_new && (kept->settings->health.enabled != settings.health.enabled || kept->settings->health.protocol != settings.health.protocol ||
                                          kept->settings->health.path != settings.health.path || kept->settings->health.port != settings.health.port ||
                                          kept->settings->health.interval != settings.health.interval);
  const bool minimum_changed = !is_new && (kept->settings->healthy_count_min != settings.healthy_count_min || kept->settings->healthy_percent_min != settings.healthy_percent_min);
  kept->settings = std::make_shared<const GroupSettings>(std::move(settings));
  refresh_use();
  co_await on_each_loop([&](BalancerLoop& loop) { loop.put_group(kept->settings); });
  if (!checks_changed && !minimum_changed) co_return;
  const Time now = store::Shard::control().now();
  for (const auto& [key, entry] : kept->entries) {
    if (!checks_changed) break;
    entry->health.settings_changed(kept->settings->health, now);
    schedule(kept, entry);
  }
  co_await publish(*kept);
}

Task<void> Balancers::remove_group(const std::string& id) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) co_return;
  const std::shared_ptr<Group> group = found->second;
  groups_.erase(found);
  group->removed = true;
  std::vector<std::shared_ptr<Target>> gone;
  for (const auto& [key, entry] : group->entries) {
    entry->removed = true;
    store::Shard::control().reactor().cancel(entry->timer);
    gone.push_back(entry->target);
  }
  for (const auto& entry : group->draining) gone.push_back(entry->target);
  co_await on_each_loop([&](BalancerLoop& loop) {
    loop.put_targets(id, std::make_shared<TargetSet>(), gone);
    loop.remove_group(id);
  });
}

Task<void> Balancers::register_targets(const std::string& id, const std::vector<TargetSpec>& targets) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) co_return;
  const std::shared_ptr<Group> group = found->second;
  const Time now = store::Shard::control().now();
  for (const TargetSpec& spec : targets) {
    auto& entry = group->entries[target_key(spec.id, spec.port)];
    if (entry && entry->spec.ip == spec.ip) continue;
    if (entry) {
      entry->removed = true;
      store::Shard::control().reactor().cancel(entry->timer);
    }
    entry = std::make_shared<Entry>();
    entry->spec = spec;
    entry->target = std::make_shared<Target>(spec.id, spec.ip, spec.port, loops_.size());
    if (group->used) entry->health.set_used(true, group->settings->health, now);
    schedule(group, entry);
  }
  co_await publish(*group);
}

Task<void> Balancers::deregister_targets(const std::string& id, const std::vector<TargetSpec>& targets) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) co_return;
  const std::shared_ptr<Group> group = found->second;
  const Time now = store::Shard::control().now();
  for (const TargetSpec& spec : targets) {
    // Without a port all of that id go, as in the API.
    for (auto it = group->entries.begin(); it != group->entries.end();) {
      const std::shared_ptr<Entry> entry = it->second;
      if (entry->spec.id != spec.id || (spec.port != 0 && entry->spec.port != spec.port)) {
        ++it;
        continue;
      }
      it = group->entries.erase(it);
      entry->removed = true;
      store::Shard::control().reactor().cancel(std::exchange(entry->timer, 0));
      if (entry->health.state() == HealthState::kUnused || !group->settings->function.empty()) continue;
      entry->health.start_draining();
      entry->drains_until = now + group->settings->deregistration_delay;
      group->draining.push_back(entry);
    }
  }
  co_await publish(*group);
  for (const auto& entry : std::vector(group->draining))
    if (entry->drains_until == now + group->settings->deregistration_delay) drain(group, entry).detach();
}

// Waits for what is in flight, at most for the group's delay.
Task<void> Balancers::drain(std::shared_ptr<Group> group, std::shared_ptr<Entry> entry) {
  store::Shard& control = store::Shard::control();
  while (entry->target->outstanding.load() > 0 && control.now() < entry->drains_until && !group->removed) co_await control.reactor().sleep(kDrainLook);
  std::erase(group->draining, entry);
  if (!group->removed) co_await publish(*group, {entry->target});
}

std::vector<TargetStatus> Balancers::targets(const std::string& id) const {
  std::vector<TargetStatus> out;
  const auto found = groups_.find(id);
  if (found == groups_.end()) return out;
  const auto add = [&](const Entry& entry) {
    const int check_port = found->second->settings->health.port;
    out.push_back({.id = entry.spec.id, .port = entry.spec.port, .check_port = check_port ? check_port : entry.spec.port, .state = entry.health.state(),
                   .reason = entry.health.reason(), .description = describe(entry.health.reason(), entry.health.status()),
                   .is_anomalous = entry.target->is_anomalous.load()});
  };
  for (const auto& [key, entry] : found->second->entries) add(*entry);
  for (const auto& entry : found->second->draining)
    if (!found->second->entries.contains(target_key(entry->spec.id, entry->spec.port))) add(*entry);
  return out;
}

// Tells the loops which targets take requests: the healthy ones; when there is none, all.
Task<void> Balancers::publish(Group& group, std::vector<std::shared_ptr<Target>> gone) {
  auto set = std::make_shared<TargetSet>();
  for (const auto& [key, entry] : group.entries)
    if (entry->health.state() == HealthState::kHealthy || entry->health.state() == HealthState::kUnavailable) set->usable.push_back(entry->target);
  if (fails_open(*group.settings, set->usable.size(), group.entries.size())) {
    set->usable.clear();
    for (const auto& [key, entry] : group.entries)
      if (entry->health.state() != HealthState::kUnused && !entry->spec.ip.empty()) set->usable.push_back(entry->target);
  } else if (group.settings->ends_unhealthy) {
    for (const auto& [key, entry] : group.entries)
      if (entry->health.state() == HealthState::kUnhealthy) set->cut.push_back(entry->target);
  }
  if (group.settings->ends_connections) set->cut.insert(set->cut.end(), gone.begin(), gone.end());
  const std::string id = group.settings->id;
  const std::shared_ptr<const TargetSet> shared = std::move(set);
  co_await on_each_loop([&](BalancerLoop& loop) { loop.put_targets(id, shared, gone); });
}

// --- health ----------------------------------------------------------------------------------------------------------

// A group is in use while some listener forwards to it; only then are its targets checked.
void Balancers::refresh_use() {
  std::set<std::string, std::less<>> used;
  for (const auto& [id, listener] : listeners_)
    for (const RuleActions& actions : listener.plan.actions)
      if (actions.forward)
        for (const WeightedGroup& group : actions.forward->groups) used.insert(group.group);
  const Time now = store::Shard::control().now();
  for (const auto& [id, group] : groups_) {
    const bool is_used = used.contains(id);
    if (group->used == is_used) continue;
    group->used = is_used;
    for (const auto& [key, entry] : group->entries) {
      entry->health.set_used(is_used, group->settings->health, now);
      schedule(group, entry);
    }
    publish(*group).detach();
  }
}

void Balancers::schedule(const std::shared_ptr<Group>& group, const std::shared_ptr<Entry>& entry) {
  io::Reactor& reactor = store::Shard::control().reactor();
  if (entry->timer) reactor.cancel(std::exchange(entry->timer, 0));
  if (!entry->health.is_checked() || entry->removed || entry->checking || entry->spec.ip.empty()) return;
  entry->timer = reactor.at(entry->health.next_check(), [this, group, entry] {
    entry->timer = 0;
    check(group, entry).detach();
  });
}

Task<void> Balancers::check(std::shared_ptr<Group> group, std::shared_ptr<Entry> entry) {
  store::Shard& control = store::Shard::control();
  entry->checking = true;
  entry->health.began(group->settings->health, control.now());
  const HealthSettings settings = group->settings->health;
  const Time began = control.now();
  const std::int64_t began_at = io::monotonic_micros();
  const int port = settings.port ? settings.port : entry->spec.port;
  CheckResult result = co_await probe(control.reactor(), dialer_, group->settings->id, entry->spec.ip, port, settings);
  entry->checking = false;
  if (entry->removed || group->removed) co_return;
  if (check_notice_) {
    const HealthReason reason = result.kind == CheckResult::Kind::kAnswer ? HealthReason::kMismatch : result.kind == CheckResult::Kind::kTimeout ? HealthReason::kTimeout : HealthReason::kFailed;
    check_notice_({.group = group->settings->id, .target = entry->spec.ip, .port = port, .settings = settings, .result = result, .reason = reason, .began = began,
                   .latency_micros = io::monotonic_micros() - began_at});
  }
  const bool changed = entry->health.finished(result, group->settings->health, control.now());
  schedule(group, entry);
  if (!changed) co_return;
  if (entry->health.state() == HealthState::kHealthy) entry->target->healthy_since = to_micros(control.now());
  co_await publish(*group);
  for (const auto& notice : notices_) notice(group->settings->id);
}

// Compares each target's share of errors with that of its group.
void Balancers::watch_anomalies() {
  anomaly_timer_ = store::Shard::control().reactor().after(kAnomalyWindow, [this] {
    bool wanted = false;
    for (const auto& [id, group] : groups_) {
      if (!group->settings->mitigates_anomalies) continue;
      wanted = true;
      std::uint64_t requests = 0, errors = 0;
      for (const auto& [key, entry] : group->entries) requests += entry->target->recent_requests, errors += entry->target->recent_errors;
      for (const auto& [key, entry] : group->entries) {
        Target& target = *entry->target;
        const std::uint32_t own = target.recent_requests, own_errors = target.recent_errors;
        const std::uint64_t others = requests - own, others_errors = errors - own_errors;
        const double rate = own ? static_cast<double>(own_errors) / own : 0;
        const double rest = others ? static_cast<double>(others_errors) / static_cast<double>(others) : 0;
        if (own >= kAnomalyRequestsMin) target.is_anomalous = group->entries.size() >= 3 && rate > 0.1 && rate > 3 * rest;
        else if (own_errors == 0) target.is_anomalous = false;
        target.recent_requests = own / 2;
        target.recent_errors = own_errors / 2;
      }
    }
    anomaly_timer_ = 0;
    if (wanted) watch_anomalies();
  });
}

// --- listeners -------------------------------------------------------------------------------------------------------

Task<Result<int, Failure>> Balancers::put_listener(ListenerPlan plan, std::optional<io::ServerTls> tls) {
  std::shared_ptr<io::TlsContext> context;
  if (tls) {
    auto made = io::TlsContext::server(*tls);
    if (!made) co_return Err(std::move(made.error()));
    context = *std::move(made);
  }
  const auto index = std::make_shared<const RuleIndex>(plan.conditions);
  const std::string id = plan.id;
  const auto found = listeners_.find(id);
  const bool listens = found != listeners_.end() && found->second.port != 0 && found->second.plan.port == plan.port && found->second.plan.address == plan.address;
  if (found != listeners_.end() && !listens) co_await remove_listener(id);
  // The first socket is made without sharing, so that a port that somebody else has is noticed.
  int port = listens ? found->second.port : 0;
  std::vector<io::Fd> sockets, udp_sockets;
  if (!listens) {
    const bool udp = plan.protocol == ListenerProtocol::kUdp || plan.protocol == ListenerProtocol::kTcpUdp, tcp = plan.protocol != ListenerProtocol::kUdp;
    auto alone = tcp ? io::listen_tcp(plan.address, plan.port, false) : io::bind_udp(plan.address, plan.port, false);
    // Ports below 1024 take a privilege that an ordinary user lacks: 80 becomes 8080 there, 443 8443.
    if (!alone && alone.error().code == EACCES) alone = tcp ? io::listen_tcp(plan.address, plan.port + 8000, false) : io::bind_udp(plan.address, plan.port + 8000, false);
    if (!alone) co_return Err(std::move(alone.error()));
    port = io::local_port(alone->get());
    alone->reset();
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (tcp) sockets.push_back(CO_TRY(io::listen_tcp(plan.address, port, true)));
      if (udp) udp_sockets.push_back(CO_TRY(io::bind_udp(plan.address, port, true)));
    }
  }
  listeners_[id] = {.plan = plan, .port = port};
  refresh_use();
  co_await on_each_loop([&](BalancerLoop& loop) {
    loop.put_listener(plan, index, context);
    if (!sockets.empty()) loop.listen(loop.slot(id), sockets[loop.index()].release());
    if (!udp_sockets.empty()) loop.listen_udp(loop.slot(id), udp_sockets[loop.index()].release());
  });
  if (anomaly_timer_ == 0) watch_anomalies();
  co_return port;
}

Task<void> Balancers::remove_listener(const std::string& id) {
  const std::string kept = id;
  if (listeners_.erase(kept) == 0) co_return;
  refresh_use();
  co_await on_each_loop([&](BalancerLoop& loop) { loop.remove_listener(kept); });
}

int Balancers::port_of(const std::string& id) const {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? 0 : found->second.port;
}

Task<http::Response> Balancers::serve(const std::string& listener, http::Request& request) {
  BalancerLoop& loop = *loops_[store::Shard::current().index()];
  const auto slot = loop.slot(listener);
  if (!slot) co_return make_error(503);
  co_return co_await loop.serve(slot, request);
}

void Balancers::set_sites(const Sites& sites) {
  for (auto& loop : loops_) loop->sites = &sites;
}

void Balancers::set_trusted(const std::string& pem) {
  for (auto& loop : loops_) loop->trusted_pem = pem;
}

void Balancers::set_function_target(FunctionTarget call) {
  for (auto& loop : loops_) loop->function_target = call;
}

Task<Traffic> Balancers::collect() {
  Traffic out;
  std::vector<std::pair<GroupTraffic*, std::shared_ptr<Target>>> targets;
  for (const auto& [id, group] : groups_) {
    GroupTraffic& traffic = out.groups[id];
    for (const auto& [key, entry] : group->entries) {
      if (entry->health.state() == HealthState::kHealthy) ++traffic.healthy;
      if (entry->health.state() == HealthState::kUnhealthy) ++traffic.unhealthy;
      targets.emplace_back(&traffic, entry->target);
    }
    for (const auto& entry : group->draining) targets.emplace_back(&traffic, entry->target);
  }
  co_await on_each_loop([&](BalancerLoop& loop) {
    for (auto& [traffic, target] : targets) traffic->targets.add(std::exchange(target->sides[loop.index()].counters, Counters{}));
    for (const auto& [id, slot] : loop.slots()) {
      ListenerTraffic& traffic = out.listeners[id];
      traffic.own.add(std::exchange(slot->counters, Counters{}));
      traffic.client_resets += std::exchange(slot->client_resets, 0);
      traffic.desync += std::exchange(slot->desync, 0);
      traffic.new_connections += std::exchange(slot->new_connections, 0);
      traffic.bytes += std::exchange(slot->bytes, 0);
      traffic.active += slot->active;
    }
  });
  co_return out;
}

Task<void> Balancers::clear() {
  while (!listeners_.empty()) co_await remove_listener(listeners_.begin()->first);
  while (!groups_.empty()) co_await remove_group(groups_.begin()->first);
}

void Balancers::stop() {
  for (auto& loop : loops_)
    store::Shard::at(loop->index()).reactor().post([raw = loop.get()] { raw->stop_accepting(); });
}

}  // namespace reef::edge
