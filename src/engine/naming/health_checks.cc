#include "engine/naming/health_checks.h"

#include <algorithm>

#include "base/log.h"

namespace reef::naming {

namespace dns = wire::dns;

namespace {

constexpr int kParentsMax = 16;  // of calculated checks over calculated checks

io::Reactor& reactor() { return io::Reactor::current(); }

}  // namespace

HealthChecks::~HealthChecks() { checks_.clear(); }

void HealthChecks::put(const std::string& id, HealthDefinition definition) {
  Check& check = checks_[id];
  if (check.timer) reactor().cancel(std::exchange(check.timer, 0));
  check.probe.reset();
  check.number = next_number_++;
  check.definition = std::move(definition);
  check.cell = cells_.cell(id);
  settle(id, check);
  if (check.definition.kind == HealthDefinition::Kind::kEndpoint && !check.definition.disabled)
    check.timer = reactor().at(reactor().now(), [this, id] { look(id); });
}

void HealthChecks::erase(std::string_view id) {
  const auto found = checks_.find(id);
  if (found == checks_.end()) return;
  if (found->second.timer) reactor().cancel(found->second.timer);
  // Record sets that still name it are healthy from now on, as on AWS.
  found->second.cell->healthy = true;
  settle_parents(found->first, 0);
  checks_.erase(found);
}

void HealthChecks::clear() {
  while (!checks_.empty()) erase(checks_.begin()->first);
  alarms_.clear();
}

void HealthChecks::stop() {
  stopped_ = true;
  for (auto& [id, check] : checks_) {
    if (check.timer) reactor().cancel(std::exchange(check.timer, 0));
    check.probe.reset();
  }
}

HealthChecks::Check* HealthChecks::find(const std::string& id, std::uint64_t number) {
  const auto found = checks_.find(id);
  return found == checks_.end() || found->second.number != number ? nullptr : &found->second;
}

// Asks for the address when only a name is known, then probes.
void HealthChecks::look(const std::string& id) {
  const auto found = checks_.find(id);
  if (found == checks_.end() || stopped_) return;
  Check& check = found->second;
  check.timer = reactor().at(reactor().now() + check.definition.interval, [this, id] { look(id); });
  if (check.probe) return;  // the last one still waits
  const ProbeTarget& target = check.definition.target;
  if (!target.address.empty()) return look_at(id, check.number, target);
  const auto name = dns::name_from_text(target.host);
  if (!name || !resolver_) return take(id, check.number, {false, "Failure: DNS resolution failed."});
  resolver_->resolve(dns::build_query(0, *name, dns::kA), true, [this, id, number = check.number](std::string_view reply) {
    Check* asked = find(id, number);
    if (!asked || stopped_) return;
    const auto message = dns::parse_message(reply);
    if (message)
      for (const auto& record : message->answers)
        if (record.type == dns::kA) {
          ProbeTarget resolved = asked->definition.target;
          resolved.address = dns::decode_value(dns::kA, record.data);
          return look_at(id, number, std::move(resolved));
        }
    take(id, number, {false, "Failure: DNS resolution failed."});
  });
}

void HealthChecks::look_at(const std::string& id, std::uint64_t number, ProbeTarget target) {
  if (Check* check = find(id, number))
    check->probe = std::make_unique<Probe>(reactor(), std::move(target), dial_, [this, id, number](ProbeResult result) { take(id, number, std::move(result)); });
}

void HealthChecks::take(const std::string& id, std::uint64_t number, ProbeResult result) {
  Check* check = find(id, number);
  if (!check) return;
  // The probe is what called: it goes at the loop's next turn.
  if (check->probe) reactor().post([gone = std::move(check->probe)] {});
  check->last = {.text = result.text, .time = reactor().now()};
  if (!result.ok) check->last_failure = check->last;
  if (check->state.add(result.ok, check->definition.threshold))
    log::info("health check changed", {{"id", id}, {"healthy", check->state.healthy}, {"result", result.text}});
  settle(id, *check);
}

bool HealthChecks::children_healthy(const Check& check) const {
  int healthy_children = 0;
  for (const std::string& child : check.definition.children) healthy_children += healthy(child);
  return healthy_children >= check.definition.children_threshold;
}

// Makes the cell say what is known now.
void HealthChecks::settle(const std::string& id, Check& check) {
  const HealthDefinition& definition = check.definition;
  bool is_healthy = check.state.healthy;
  if (definition.kind == HealthDefinition::Kind::kCalculated) is_healthy = children_healthy(check);
  if (definition.kind == HealthDefinition::Kind::kAlarm) {
    const auto alarm = alarms_.find(definition.alarm);
    const std::string_view state = alarm == alarms_.end() ? std::string_view("INSUFFICIENT_DATA") : std::string_view(alarm->second);
    is_healthy = state == "OK" || (state == "INSUFFICIENT_DATA" && definition.healthy_without_data);
  }
  // A disabled check counts as healthy, and inverted as unhealthy.
  if (definition.disabled) is_healthy = true;
  if (definition.inverted) is_healthy = !is_healthy;
  if (check.cell->healthy.exchange(is_healthy) != is_healthy) settle_parents(id, 0);
}

void HealthChecks::settle_parents(const std::string& child, int depth) {
  if (depth >= kParentsMax) return;
  for (auto& [id, check] : checks_)
    if (std::find(check.definition.children.begin(), check.definition.children.end(), child) != check.definition.children.end()) {
      const bool before = check.cell->healthy;
      bool after = check.definition.disabled || children_healthy(check);
      if (check.definition.inverted) after = !after;
      check.cell->healthy = after;
      if (before != after) settle_parents(id, depth + 1);
    }
}

bool HealthChecks::healthy(std::string_view id) const {
  const auto found = checks_.find(id);
  return found == checks_.end() || found->second.cell->healthy;
}

Observation HealthChecks::last(std::string_view id) const {
  const auto found = checks_.find(id);
  return found == checks_.end() ? Observation{} : found->second.last;
}

Observation HealthChecks::last_failure(std::string_view id) const {
  const auto found = checks_.find(id);
  return found == checks_.end() ? Observation{} : found->second.last_failure;
}

std::vector<std::string> HealthChecks::alarms() const {
  std::vector<std::string> out;
  for (const auto& [id, check] : checks_)
    if (check.definition.kind == HealthDefinition::Kind::kAlarm) out.push_back(check.definition.alarm);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void HealthChecks::set_alarm(std::string_view alarm, std::string_view state) {
  alarms_.insert_or_assign(std::string(alarm), std::string(state));
  for (auto& [id, check] : checks_)
    if (check.definition.kind == HealthDefinition::Kind::kAlarm && check.definition.alarm == alarm) settle(id, check);
}

}  // namespace reef::naming
