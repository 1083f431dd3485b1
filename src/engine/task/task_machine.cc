#include "engine/task/task_machine.h"

#include <algorithm>

#include <fmt/format.h>

namespace reef::task {

TaskMachine::TaskMachine(std::vector<ContainerRule> rules, Time created) : rules_(std::move(rules)), containers_(rules_.size()), created_(created) {}

void TaskMachine::started(std::size_t index, Time now) {
  Container& container = containers_[index];
  if (container.state != ContainerState::kStarting) return;
  container.state = ContainerState::kRunning;
  container.started = now;
  container.ended.reset();
  container.exit_code.reset();
  container.probe_failures = 0;
  if (rules_[index].health) container.probe_due = now + rules_[index].health->interval;
}

void TaskMachine::failed_to_start(std::size_t index, std::string reason, Time now) {
  Container& container = containers_[index];
  if (container.state == ContainerState::kStopped) return;
  container.state = ContainerState::kStopped;
  container.reason = reason;
  container.ended = now;
  stop(StopCode::kFailedToStart, std::move(reason), now);
}

bool TaskMachine::restarts(const ContainerRule& rule, const Container& container, int code, Time now) const {
  if (!rule.restart || state_ == TaskState::kStopping) return false;
  if (std::find(rule.restart->ignored_codes.begin(), rule.restart->ignored_codes.end(), code) != rule.restart->ignored_codes.end()) return false;
  return container.started && now - *container.started >= rule.restart->least_run;
}

void TaskMachine::exited(std::size_t index, int code, std::string reason, Time now) {
  Container& container = containers_[index];
  if (container.state == ContainerState::kStopped) return;
  const bool asked_for = container.state == ContainerState::kStopping;
  container.exit_code = code;
  container.reason = std::move(reason);
  container.ended = now;
  container.probing = false;
  if (!asked_for && restarts(rules_[index], container, code, now)) {
    ++container.restarts;
    container.state = ContainerState::kPending;
    container.health = Health::kUnknown;
    return;
  }
  container.state = ContainerState::kStopped;
  if (rules_[index].essential && !asked_for) stop(StopCode::kEssentialExited, "Essential container in task exited", now);
}

void TaskMachine::probed(std::size_t index, bool healthy, Time now) {
  Container& container = containers_[index];
  if (container.state != ContainerState::kRunning || !rules_[index].health) return;
  const HealthRule& rule = *rules_[index].health;
  container.probing = false;
  container.probe_due = now + rule.interval;
  if (healthy) {
    container.probe_failures = 0;
    container.health = Health::kHealthy;
    return;
  }
  // While it comes up, failures do not count.
  if (container.health == Health::kUnknown && container.started && now - *container.started < rule.grace) return;
  if (++container.probe_failures >= rule.retries) container.health = Health::kUnhealthy;
}

void TaskMachine::stop(StopCode code, std::string reason, Time now) {
  if (state_ == TaskState::kStopping || state_ == TaskState::kStopped) return;
  state_ = TaskState::kStopping;
  stop_code_ = code;
  stop_reason_ = std::move(reason);
  stopping_since_ = now;
}

Health TaskMachine::health() const {
  Health out = Health::kUnknown;
  bool all_healthy = true;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].essential || !rules_[i].health) continue;
    if (containers_[i].health == Health::kUnhealthy) return Health::kUnhealthy;
    all_healthy = all_healthy && containers_[i].health == Health::kHealthy;
    out = Health::kHealthy;
  }
  return out == Health::kHealthy && !all_healthy ? Health::kUnknown : out;
}

TaskMachine::Reached TaskMachine::reached(const Dependency& dependency) const {
  const Container& other = containers_[dependency.on];
  const bool has_started = other.started.has_value(), is_over = other.state == ContainerState::kStopped;
  switch (dependency.reach) {
    case Reach::kStart: return has_started ? Reached::kYes : Reached::kNo;
    case Reach::kComplete: return is_over ? Reached::kYes : Reached::kNo;
    case Reach::kSuccess: return !is_over ? Reached::kNo : other.exit_code == 0 ? Reached::kYes : Reached::kNever;
    case Reach::kHealthy: return other.health == Health::kHealthy ? Reached::kYes : is_over ? Reached::kNever : Reached::kNo;
  }
  return Reached::kNever;
}

void TaskMachine::start_what_can(Time now, std::vector<Action>& actions) {
  for (std::size_t i = 0; i < containers_.size() && state_ != TaskState::kStopping; ++i) {
    if (containers_[i].state != ContainerState::kPending) continue;
    bool ready = true;
    for (const Dependency& dependency : rules_[i].depends_on) {
      const Reached now_reached = reached(dependency);
      ready = ready && now_reached == Reached::kYes;
      if (now_reached == Reached::kNever) return stop(StopCode::kFailedToStart, "Task failed to start: a container that others depend on did not end or become as they need it", now);
    }
    if (!ready && rules_[i].start_timeout && now - created_ >= *rules_[i].start_timeout)
      return stop(StopCode::kFailedToStart, "Task failed to start: dependencies of a container were not reached within its start timeout", now);
    if (!ready) continue;
    containers_[i].state = ContainerState::kStarting;
    actions.push_back({Action::Kind::kStart, i});
  }
}

// What others depend on stops after them.
void TaskMachine::stop_what_can(std::vector<Action>& actions) {
  const auto is_alive = [](const Container& one) {
    return one.state == ContainerState::kStarting || one.state == ContainerState::kRunning || one.state == ContainerState::kStopping;
  };
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    Container& container = containers_[i];
    if (container.state == ContainerState::kPending) container.state = ContainerState::kStopped;
    if (container.state != ContainerState::kStarting && container.state != ContainerState::kRunning) continue;
    bool needed = false;
    for (std::size_t j = 0; j < containers_.size(); ++j)
      for (const Dependency& dependency : rules_[j].depends_on) needed = needed || (dependency.on == i && is_alive(containers_[j]));
    if (needed) continue;
    container.state = ContainerState::kStopping;
    actions.push_back({Action::Kind::kStop, i});
  }
}

void TaskMachine::probe_what_is_due(Time now, std::vector<Action>& actions) {
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    Container& container = containers_[i];
    if (container.state != ContainerState::kRunning || !rules_[i].health || container.probing || now < container.probe_due) continue;
    container.probing = true;
    actions.push_back({Action::Kind::kProbe, i});
  }
}

std::vector<Action> TaskMachine::apply(Time now) {
  std::vector<Action> actions;
  if (state_ == TaskState::kStopped) return actions;
  if (state_ != TaskState::kStopping) start_what_can(now, actions);
  if (state_ != TaskState::kStopping) {
    probe_what_is_due(now, actions);
    const bool all_up = std::all_of(containers_.begin(), containers_.end(), [](const Container& one) { return one.started.has_value(); });
    if (all_up && state_ == TaskState::kPending) {
      state_ = TaskState::kRunning;
      running_since_ = now;
    }
    return actions;
  }
  // One that was just told to start is told to stop instead.
  std::erase_if(actions, [&](const Action& action) {
    if (action.kind != Action::Kind::kStart) return false;
    containers_[action.container].state = ContainerState::kStopped;
    return true;
  });
  stop_what_can(actions);
  if (std::all_of(containers_.begin(), containers_.end(), [](const Container& one) { return one.state == ContainerState::kStopped; })) {
    state_ = TaskState::kStopped;
    stopped_at_ = now;
  }
  return actions;
}

std::optional<Time> TaskMachine::wakes() const {
  std::optional<Time> out;
  const auto sooner = [&out](Time when) {
    if (!out || when < *out) out = when;
  };
  if (state_ == TaskState::kStopping || state_ == TaskState::kStopped) return out;
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    if (containers_[i].state == ContainerState::kRunning && rules_[i].health && !containers_[i].probing) sooner(containers_[i].probe_due);
    if (containers_[i].state == ContainerState::kPending && rules_[i].start_timeout) sooner(created_ + *rules_[i].start_timeout);
  }
  return out;
}

}  // namespace reef::task
