#include "engine/function/scheduler.h"

#include <algorithm>

namespace reef::function {

Result<void, Refusal> Scheduler::invoke(InvocationId invocation, const std::string& version, const std::string& function,
                                        std::optional<std::uint32_t> reserved, std::uint32_t reserved_by_all, Duration steady,
                                        Effects& effects) {
  if (reserved && running(function) >= *reserved) return Err(Refusal::kReservedConcurrency);
  const std::uint32_t unreserved = limits_.account_concurrency - std::min(limits_.account_concurrency, reserved_by_all);
  if (!reserved && unreserved_running_ >= unreserved) return Err(Refusal::kAccountConcurrency);
  Line& line = lines_[version];
  if (line.idle.empty() && waiting_count_ >= limits_.waiting_max) return Err(Refusal::kTooManyWaiting);
  admitted_[invocation] = {function, reserved.has_value()};
  ++running_[function];
  if (!reserved) ++unreserved_running_;
  line.waiting.emplace_back(invocation, steady);
  ++waiting_count_;
  if (line.environments == 0) start_for(version, line, 1, effects);
  if (!should_wait_for_a_hot_one(line)) run_on_idle(line, 1, steady, effects);
  return {};
}

bool Scheduler::should_wait_for_a_hot_one(const Line& line) const {
  return machine_busy_ && line.busy >= limits_.hot_environments && line.mean_run > Duration::zero() && line.mean_run < limits_.brief;
}

void Scheduler::run(EnvironmentId id, Environment& environment, Line& line, InvocationId invocation, Duration steady, Effects& effects) {
  environment.state = State::kBusy;
  environment.run_since = steady;
  ++line.busy;
  effects.run.push_back({id, invocation});
}

void Scheduler::run_first_waiting(EnvironmentId id, Line& line, Duration steady, Effects& effects) {
  const InvocationId invocation = line.waiting.front().first;
  line.waiting.pop_front();
  --waiting_count_;
  run(id, environments_.at(id), line, invocation, steady, effects);
}

void Scheduler::run_on_idle(Line& line, std::uint32_t wanted, Duration steady, Effects& effects) {
  for (; wanted > 0 && !line.idle.empty() && !line.waiting.empty(); --wanted) {
    const EnvironmentId id = line.idle.back();
    line.idle.pop_back();
    run_first_waiting(id, line, steady, effects);
  }
}

// Until `wanted` are on their way, as long as the machine carries them.
void Scheduler::start_for(const std::string& version, Line& line, std::uint32_t wanted, Effects& effects) {
  while (line.starting < wanted) {
    if (environments_.size() >= limits_.environments_max && !evict_oldest_idle(effects)) return;
    const EnvironmentId id = ++last_id_;
    environments_[id] = {.version = version};
    ++line.starting;
    ++line.environments;
    effects.start.push_back({id, version});
  }
}

bool Scheduler::evict_oldest_idle(Effects& effects) {
  auto oldest = environments_.end();
  for (auto it = environments_.begin(); it != environments_.end(); ++it)
    if (it->second.state == State::kIdle && (oldest == environments_.end() || it->second.idle_since < oldest->second.idle_since))
      oldest = it;
  if (oldest == environments_.end()) return false;
  std::erase(lines_[oldest->second.version].idle, oldest->first);
  effects.stop.push_back(oldest->first);
  forget(oldest);
  return true;
}

void Scheduler::forget(std::map<EnvironmentId, Environment>::iterator environment) {
  --lines_[environment->second.version].environments;
  environments_.erase(environment);
}

void Scheduler::lose_patience(Duration steady, Effects& effects) {
  if (waiting_count_ == 0) return;
  for (auto& [version, line] : lines_) {
    const Duration patience = should_wait_for_a_hot_one(line) ? limits_.busy_patience : limits_.patience;
    std::uint32_t impatient = 0;
    while (impatient < line.waiting.size() && line.waiting[impatient].second + patience <= steady) ++impatient;
    const auto served = static_cast<std::uint32_t>(std::min<std::size_t>(impatient, line.idle.size()));
    run_on_idle(line, served, steady, effects);
    start_for(version, line, impatient - served, effects);
  }
}

void Scheduler::ready(EnvironmentId id, Time now, Duration steady, Effects& effects) {
  const auto found = environments_.find(id);
  if (found == environments_.end()) return;
  Environment& environment = found->second;
  Line& line = lines_[environment.version];
  if (environment.state == State::kStarting) --line.starting;
  if (environment.state == State::kBusy) {
    --line.busy;
    const Duration took = std::max(Duration(1), steady - environment.run_since);
    line.mean_run = line.mean_run == Duration::zero() ? took : (line.mean_run * 7 + took) / 8;
  }
  // With enough hot ones at work this one may cool down.
  const bool is_one_too_many = environment.state == State::kBusy && should_wait_for_a_hot_one(line) && !environment.retired;
  if (!line.waiting.empty() && !is_one_too_many) return run_first_waiting(id, line, steady, effects);
  if (environment.retired) {
    effects.stop.push_back(id);
    forget(found);
    return start_for_waiting(effects);
  }
  environment.state = State::kIdle;
  environment.idle_since = now;
  line.idle.push_back(id);
  start_for_waiting(effects);  // others may wait for a place
}

void Scheduler::start_for_waiting(Effects& effects) {
  if (waiting_count_ == 0) return;
  for (auto& [version, line] : lines_)
    if (!line.waiting.empty() && line.environments == 0) start_for(version, line, 1, effects);
}

void Scheduler::finished(InvocationId invocation) {
  const auto found = admitted_.find(invocation);
  if (found == admitted_.end()) return;
  if (!found->second.reserved) --unreserved_running_;
  const auto running = running_.find(found->second.function);
  if (--running->second == 0) running_.erase(running);
  admitted_.erase(found);
}

void Scheduler::gone(EnvironmentId id, Duration steady, Effects& effects) {
  const auto found = environments_.find(id);
  if (found == environments_.end()) return;
  const Environment environment = found->second;
  forget(found);
  Line& line = lines_[environment.version];
  if (environment.state == State::kIdle) std::erase(line.idle, id);
  if (environment.state == State::kBusy) {
    --line.busy;
    if (!should_wait_for_a_hot_one(line)) run_on_idle(line, 1, steady, effects);  // for one that waited for this one
  }
  if (environment.state == State::kStarting) {
    --line.starting;
    if (!line.waiting.empty()) {
      effects.fail.push_back({id, line.waiting.front().first});
      line.waiting.pop_front();
      --waiting_count_;
    }
  }
  start_for_waiting(effects);
}

void Scheduler::retire(const std::string& version, Effects& effects) {
  for (auto it = environments_.begin(); it != environments_.end();) {
    Environment& environment = it->second;
    if (environment.version != version) {
      ++it;
      continue;
    }
    if (environment.state == State::kIdle) {
      effects.stop.push_back(it->first);
      forget(it++);
      continue;
    }
    environment.retired = true;
    ++it;
  }
  const auto line = lines_.find(version);
  if (line == lines_.end()) return;
  line->second.idle.clear();
  if (line->second.waiting.empty() && line->second.environments == 0) lines_.erase(line);
}

void Scheduler::tick(Time now, Effects& effects) {
  for (auto it = environments_.begin(); it != environments_.end();) {
    Environment& environment = it->second;
    if (environment.state != State::kIdle || environment.idle_since + limits_.idle_max > now) {
      ++it;
      continue;
    }
    std::erase(lines_[environment.version].idle, it->first);
    effects.stop.push_back(it->first);
    forget(it++);
  }
}

std::optional<Time> Scheduler::next_tick() const {
  std::optional<Time> next;
  for (const auto& [id, environment] : environments_)
    if (environment.state == State::kIdle && (!next || environment.idle_since + limits_.idle_max < *next))
      next = environment.idle_since + limits_.idle_max;
  return next;
}

std::uint32_t Scheduler::running(const std::string& function) const {
  const auto found = running_.find(function);
  return found == running_.end() ? 0 : found->second;
}

}  // namespace reef::function
