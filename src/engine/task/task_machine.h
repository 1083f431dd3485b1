// What a task does next: which containers start, are probed and are stopped, and when the task as a whole runs or has
// ended. A pure machine: it is told what happened and asked with `apply(now)` what to do.
//
// Always true: a container starts only when what it depends on is reached; once the task is stopping none starts; the
// task is stopped only when every container that was started has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace reef::task {

enum class Reach { kStart, kComplete, kSuccess, kHealthy };  // what a container waits for in another

struct Dependency {
  std::size_t on = 0;  // index of a container of the same task
  Reach reach = Reach::kStart;
};

struct HealthRule {
  Duration interval = 30s, timeout = 5s, grace{};
  int retries = 3;
};

struct RestartRule {
  Duration least_run = 300s;       // a container must have run so long before it is restarted
  std::vector<int> ignored_codes;  // exits that end it for good
};

struct ContainerRule {
  bool essential = true;
  std::vector<Dependency> depends_on;
  std::optional<Duration> start_timeout;  // how long it waits for what it depends on
  std::optional<HealthRule> health;
  std::optional<RestartRule> restart;
};

enum class ContainerState { kPending, kStarting, kRunning, kStopping, kStopped };
enum class Health { kUnknown, kHealthy, kUnhealthy };

struct Container {
  ContainerState state = ContainerState::kPending;
  Health health = Health::kUnknown;
  std::optional<int> exit_code;
  std::string reason;  // of an end that is not its own doing
  std::optional<Time> started, ended;
  int restarts = 0;
  // The probe that runs, and when the next is due.
  bool probing = false;
  Time probe_due{};
  int probe_failures = 0;
};

enum class TaskState { kPending, kRunning, kStopping, kStopped };
enum class StopCode { kNone, kFailedToStart, kEssentialExited, kRequested, kScheduler };

struct Action {
  enum class Kind { kStart, kStop, kProbe };
  Kind kind;
  std::size_t container;
  friend bool operator==(const Action&, const Action&) = default;
};

class TaskMachine {
 public:
  TaskMachine(std::vector<ContainerRule> rules, Time created);

  // What happened.
  void started(std::size_t container, Time now);
  void failed_to_start(std::size_t container, std::string reason, Time now);
  void exited(std::size_t container, int code, std::string reason, Time now);
  void probed(std::size_t container, bool healthy, Time now);
  void stop(StopCode code, std::string reason, Time now);

  // What to do now. Call it after every event and when `wakes` says.
  std::vector<Action> apply(Time now);
  std::optional<Time> wakes() const;

  TaskState state() const { return state_; }
  Health health() const;  // of the essential containers that have a rule
  StopCode stop_code() const { return stop_code_; }
  const std::string& stop_reason() const { return stop_reason_; }
  const std::vector<Container>& containers() const { return containers_; }
  std::optional<Time> running_since() const { return running_since_; }
  std::optional<Time> stopping_since() const { return stopping_since_; }
  std::optional<Time> stopped_at() const { return stopped_at_; }

 private:
  enum class Reached { kNo, kYes, kNever };
  Reached reached(const Dependency& dependency) const;
  void start_what_can(Time now, std::vector<Action>& actions);
  void stop_what_can(std::vector<Action>& actions);
  void probe_what_is_due(Time now, std::vector<Action>& actions);
  bool restarts(const ContainerRule& rule, const Container& container, int code, Time now) const;

  std::vector<ContainerRule> rules_;
  std::vector<Container> containers_;
  Time created_;
  TaskState state_ = TaskState::kPending;
  StopCode stop_code_ = StopCode::kNone;
  std::string stop_reason_;
  std::optional<Time> running_since_, stopping_since_, stopped_at_;
};

}  // namespace reef::task
