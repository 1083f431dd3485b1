#include "engine/task/service_machine.h"

#include <algorithm>

#include <fmt/format.h>

namespace reef::task {
namespace {

// Without probes a task serves once it ran so long: one that ends at once never did.
constexpr Duration kProves = 1s;
// After three failures in a row tasks are started ever more rarely.
constexpr int kFreeFailures = 3;
constexpr Duration kPauseMax = 60s;
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
constexpr int kThresholdMin = 3, kThresholdMax = 200;

}  // namespace

void ServiceMachine::set_desired(int count, Time now) {
  if (count == desired_) return;
  desired_ = count;
  announced_steady_ = false;
  if (!deployments_.empty()) deployments_.front().updated = now;
}

void ServiceMachine::deploy(Deployment deployment) {
  announced_steady_ = false;
  deployments_.insert(deployments_.begin(), std::move(deployment));
}

void ServiceMachine::drain(Time now) { set_desired(0, now); }

void ServiceMachine::restore(std::vector<Deployment> deployments, int desired, std::string last_good) {
  deployments_ = std::move(deployments);
  desired_ = desired;
  last_good_ = std::move(last_good);
  announced_steady_ = !deployments_.empty() && deployments_.front().state == RolloutState::kCompleted;
}

Deployment* ServiceMachine::find(std::string_view id) {
  const auto found = std::find_if(deployments_.begin(), deployments_.end(), [&](const Deployment& one) { return one.id == id; });
  return found == deployments_.end() ? nullptr : &*found;
}

void ServiceMachine::task_made(const std::string& task, const std::string& deployment, Time now) {
  members_[task] = {.deployment = deployment, .state = MemberState::kPending, .created = now, .running_since = {}, .healthy = {}};
}

void ServiceMachine::task_running(const std::string& task, Time now) {
  const auto found = members_.find(task);
  if (found == members_.end() || found->second.state != MemberState::kPending) return;
  found->second.state = MemberState::kRunning;
  found->second.running_since = now;
}

void ServiceMachine::task_health(const std::string& task, bool healthy, Time) {
  if (const auto found = members_.find(task); found != members_.end()) found->second.healthy = healthy;
}

void ServiceMachine::task_stopping(const std::string& task) {
  if (const auto found = members_.find(task); found != members_.end()) found->second.state = MemberState::kStopping;
}

void ServiceMachine::note_failure(const std::string& id, Time now) {
  Deployment* deployment = find(id);
  if (!deployment) return;
  ++deployment->failed_tasks;
  deployment->updated = now;
  if (deployment->failed_tasks < kFreeFailures) return;
  const int doublings = std::min(deployment->failed_tasks - kFreeFailures, 6);
  deployment->not_before = now + std::min<Duration>(Duration(1s) * (1 << doublings), kPauseMax);
}

void ServiceMachine::task_stopped(const std::string& task, bool failed, Time now) {
  const auto found = members_.find(task);
  if (found == members_.end()) return;
  const Member member = found->second;
  members_.erase(found);
  if (failed && !member.served && !serves(member, now)) note_failure(member.deployment, now);
}

bool ServiceMachine::serves(const Member& member, Time now) const {
  if (member.state != MemberState::kRunning || !member.running_since) return false;
  if (member.healthy) return *member.healthy || (member.served && now - *member.running_since < rule_.grace);
  return !rule_.probed && now - *member.running_since >= kProves;
}

int ServiceMachine::count(std::string_view deployment, MemberState state) const {
  return static_cast<int>(std::count_if(members_.begin(), members_.end(), [&](const auto& one) {
    return one.second.state == state && (deployment.empty() || one.second.deployment == deployment);
  }));
}

bool ServiceMachine::breaker_opens(const Deployment& deployment) const {
  return rule_.breaker && deployment.state == RolloutState::kInProgress &&
         deployment.failed_tasks >= breaker_threshold();
}
int ServiceMachine::breaker_threshold() const { return std::clamp((desired_ + 1) / 2, kThresholdMin, kThresholdMax); }

void ServiceMachine::run_missing(Time now, int upper, std::vector<Change>& changes) {
  Deployment& primary = deployments_.front();
  if (primary.state == RolloutState::kFailed || (primary.not_before && now < *primary.not_before)) return;
  primary.not_before.reset();
  int own = 0, all = 0;
  for (const auto& [id, member] : members_) {
    if (member.state == MemberState::kStopping) continue;
    ++all;
    own += member.deployment == primary.id;
  }
  // After failures one at a time: each may be the one that tells.
  int room = std::min(desired_ - own, upper - all);
  if (primary.failed_tasks >= kFreeFailures) room = std::min(room, 1);
  for (; room > 0; --room) changes.push_back({Change::Kind::kRun, primary.id, {}});
}

void ServiceMachine::stop_surplus(Time now, int lower, std::vector<Change>& changes) {
  const Deployment& primary = deployments_.front();
  int serving = 0, own = 0;
  for (const auto& [id, member] : members_) {
    serving += serves(member, now);
    own += member.deployment == primary.id && member.state != MemberState::kStopping;
  }
  // A version that was given up keeps what serves until somebody deploys again.
  const bool gives_up = primary.state == RolloutState::kFailed;
  const auto stop = [&](const std::string& id, Member& member, std::string reason) {
    serving -= serves(member, now);
    member.state = MemberState::kStopping;
    changes.push_back({Change::Kind::kStop, id, std::move(reason)});
  };
  for (auto& [id, member] : members_) {
    if (member.state == MemberState::kStopping) continue;
    const bool is_old = member.deployment != primary.id;
    if (gives_up ? is_old : !is_old) continue;
    if (serves(member, now) && (gives_up || serving <= lower)) continue;
    // What does not serve yet may still be on its way; without a newer version there is no hurry.
    stop(id, member, fmt::format("Scaling activity initiated by deployment {}", primary.id));
  }
  if (gives_up) return;
  std::vector<std::pair<Time, std::string>> surplus;  // the youngest go first, those that do not serve before the others
  for (const auto& [id, member] : members_)
    if (member.deployment == primary.id && member.state != MemberState::kStopping) surplus.emplace_back(serves(member, now) ? member.created : Time::max(), id);
  std::sort(surplus.rbegin(), surplus.rend());
  for (std::size_t i = 0; i < surplus.size() && own > desired_; ++i, --own)
    stop(surplus[i].second, members_.find(surplus[i].second)->second, fmt::format("Scaling activity initiated by deployment {}", primary.id));
}

void ServiceMachine::stop_unhealthy(Time now, std::vector<Change>& changes) {
  for (auto& [id, member] : members_) {
    if (member.state != MemberState::kRunning || !member.running_since) continue;
    if (serves(member, now)) member.served = true;
    if (member.healthy != false || now - *member.running_since < rule_.grace) continue;
    if (!member.served) note_failure(member.deployment, now);
    member.served = true;  // it is counted
    member.state = MemberState::kStopping;
    changes.push_back({Change::Kind::kStop, id, "Task failed health checks"});
  }
}

void ServiceMachine::settle(Time now, std::vector<Change>& changes) {
  Deployment& primary = deployments_.front();
  // Old versions without tasks are history.
  for (std::size_t i = deployments_.size(); i-- > 1;) {
    const std::string& id = deployments_[i].id;
    if (std::none_of(members_.begin(), members_.end(), [&](const auto& one) { return one.second.deployment == id; }))
      deployments_.erase(deployments_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  int serving = 0, others = 0;
  for (const auto& [id, member] : members_) {
    if (member.deployment != primary.id || member.state != MemberState::kRunning) ++others;
    else serving += serves(member, now);
  }
  if (serving > 0 && serving >= desired_) primary.failed_tasks = 0;
  const bool is_all_there = serving == desired_ && others == 0;
  if (!is_all_there) primary.there_since.reset();
  else if (!primary.there_since) primary.there_since = now;
  const bool is_there = is_all_there && !bakes(now);
  if (is_there && primary.state == RolloutState::kInProgress) {
    primary.state = RolloutState::kCompleted;
    primary.reason = fmt::format("ECS deployment {} completed.", primary.id);
    primary.updated = now;
    last_good_ = primary.version;
    changes.push_back({Change::Kind::kEvent, primary.id, fmt::format("(deployment {}) deployment completed.", primary.id)});
  }
  if (is_there && !announced_steady_) {
    announced_steady_ = true;
    changes.push_back({Change::Kind::kEvent, primary.id, "has reached a steady state."});
  } else if (!is_there) {
    announced_steady_ = false;
  }
}

// The first version of all and one to go back to are taken as they are: there is nothing better.
bool ServiceMachine::bakes(Time now) const {
  const Deployment& primary = deployments_.front();
  return primary.state == RolloutState::kInProgress && !primary.is_rollback && !last_good_.empty() && primary.there_since && now < *primary.there_since + rule_.bake;
}

std::vector<Change> ServiceMachine::apply(Time now) {
  std::vector<Change> changes;
  if (deployments_.empty()) return changes;
  stop_unhealthy(now, changes);
  if (rule_.by_share) {
    apply_shares(now, changes);
    return changes;
  }
  Deployment& primary = deployments_.front();
  if (breaker_opens(primary)) {
    primary.state = RolloutState::kFailed;
    primary.updated = now;
    primary.reason = "ECS deployment circuit breaker: tasks failed to start.";
    changes.push_back({Change::Kind::kEvent, primary.id, fmt::format("(deployment {}) deployment failed: tasks failed to start.", primary.id)});
    if (rule_.rollback && !primary.is_rollback && !last_good_.empty()) {
      changes.push_back({Change::Kind::kRollback, last_good_, primary.id});
      return changes;  // the caller deploys it, and applies again
    }
  }
  const int lower = (desired_ * rule_.minimum_percent + 99) / 100;
  int upper = desired_ * rule_.maximum_percent / 100;
  // A single version needs no room beyond what is desired.
  if (deployments_.size() == 1) upper = std::max(upper, desired_);
  stop_surplus(now, lower, changes);
  run_missing(now, upper, changes);
  settle(now, changes);
  return changes;
}

std::optional<Time> ServiceMachine::wakes() const {
  std::optional<Time> out;
  const auto sooner = [&out](Time when) {
    if (!out || when < *out) out = when;
  };
  for (const Deployment& one : deployments_)
    if (one.not_before && one.state != RolloutState::kFailed && (rule_.by_share || &one == &deployments_.front())) sooner(*one.not_before);
  if (!deployments_.empty() && !rule_.by_share && deployments_.front().there_since && bakes(*deployments_.front().there_since)) sooner(*deployments_.front().there_since + rule_.bake);
  for (const auto& [id, member] : members_) {
    if (member.state != MemberState::kRunning || !member.running_since || member.served) continue;
    if (!member.healthy && !rule_.probed) sooner(*member.running_since + kProves);
    if (member.healthy == false) sooner(*member.running_since + rule_.grace);
  }
  return out;
}

bool ServiceMachine::is_steady() const {
  return deployments_.size() == 1 && deployments_.front().state == RolloutState::kCompleted && count({}, MemberState::kRunning) == desired_ &&
         static_cast<int>(members_.size()) == desired_;
}

}  // namespace reef::task
