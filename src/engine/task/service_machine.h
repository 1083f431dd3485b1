// Keeps a service at its desired number of tasks while versions come and go: a rolling deployment within its bounds,
// a circuit breaker that gives a bad version up, replacement of what died. A pure machine, as task_machine.h.
//
// Always true after `apply`: no more tasks than the upper bound are asked for; a task that serves is stopped for a
// newer version only while the lower bound of serving ones stays.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace reef::task {

struct RolloutRule {
  int minimum_percent = 100, maximum_percent = 200;
  bool breaker = false, rollback = false;
  bool probed = false;       // somebody tells health with `health`; otherwise a task that ran a moment serves
  Duration grace{};          // unhealthy is overlooked so long after a task's start
  // Each deployment has a share of what is desired, which somebody else decides; otherwise the newest replaces the others.
  bool by_share = false;
  // So long a new version must have replaced the former one before its deployment is complete; meanwhile it can fail.
  Duration bake{};
};

enum class RolloutState { kInProgress, kCompleted, kFailed };

struct Deployment {
  std::string id;
  std::string version;         // what its tasks run, opaque here
  Time created{}, updated{};
  RolloutState state = RolloutState::kInProgress;
  std::string reason;
  int failed_tasks = 0;        // one after the other
  bool is_rollback = false;
  double share = 0;            // percent of the desired count, rounded up; only by_share
  bool is_retired = false;     // gone once its tasks are; only by_share
  std::optional<Time> not_before;  // after failures the next tasks wait
  std::optional<Time> there_since{};  // all that is desired serves, and nothing else is there
};

enum class MemberState { kPending, kRunning, kStopping };

struct Member {
  std::string deployment;
  MemberState state = MemberState::kPending;
  Time created{};
  std::optional<Time> running_since;
  std::optional<bool> healthy;  // told by probes
  bool served = false;          // it did once
};

struct Change {
  enum class Kind { kRun, kStop, kEvent, kRollback };
  Kind kind;
  std::string id;      // of the deployment to run a task of, or of the task to stop
  std::string reason;
};

class ServiceMachine {
 public:
  ServiceMachine() = default;

  // What is wanted. The newest deployment is the primary one; `deploy` makes the others old.
  void set_rule(const RolloutRule& rule) { rule_ = rule; }
  void set_desired(int count, Time now);
  void deploy(Deployment deployment);
  void drain(Time now);  // the service goes: nothing is wanted any more
  void set_share(std::string_view deployment, double percent, Time now);
  void retire(std::string_view deployment);
  // What somebody else found out about a deployment: it is what is wanted now, or will not be.
  void complete(std::string_view deployment, Time now);
  void fail(std::string_view deployment, std::string reason, Time now);
  // After a restart.
  void restore(std::vector<Deployment> deployments, int desired, std::string last_good);

  // What happened.
  void task_made(const std::string& task, const std::string& deployment, Time now);
  void task_running(const std::string& task, Time now);
  void task_health(const std::string& task, bool healthy, Time now);
  void task_stopping(const std::string& task);  // by itself or by a user
  // `failed`: it never ran, or ended by itself.
  void task_stopped(const std::string& task, bool failed, Time now);

  // What to do now: kRun is followed by task_made before the next apply.
  std::vector<Change> apply(Time now);
  std::optional<Time> wakes() const;

  int desired() const { return desired_; }
  const std::string& last_good() const { return last_good_; }
  const std::vector<Deployment>& deployments() const { return deployments_; }  // the primary first
  const std::map<std::string, Member, std::less<>>& members() const { return members_; }
  int count(std::string_view deployment, MemberState state) const;
  int wanted(const Deployment& deployment) const;  // tasks of it, by its share
  int serving(std::string_view deployment, Time now) const;
  bool is_broken(std::string_view deployment) const;  // so many of its tasks failed that the circuit breaker opens
  int breaker_threshold() const;
  const Deployment* deployment(std::string_view id) const;
  bool is_steady() const;

 private:
  bool serves(const Member& member, Time now) const;
  bool breaker_opens(const Deployment& deployment) const;
  void note_failure(const std::string& deployment, Time now);
  void apply_shares(Time now, std::vector<Change>& changes);
  void run_missing(Time now, int upper, std::vector<Change>& changes);
  void stop_surplus(Time now, int lower, std::vector<Change>& changes);
  void stop_unhealthy(Time now, std::vector<Change>& changes);
  bool bakes(Time now) const;
  void settle(Time now, std::vector<Change>& changes);
  Deployment* find(std::string_view id);

  RolloutRule rule_;
  int desired_ = 0;
  std::vector<Deployment> deployments_;
  std::map<std::string, Member, std::less<>> members_;
  std::string last_good_;           // version of the last completed deployment
  bool announced_steady_ = false;
};

}  // namespace reef::task
