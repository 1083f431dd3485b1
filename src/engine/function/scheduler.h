// Decides which environment runs which invocation, when one is started and when one goes: a deterministic machine
// without clock, process or I/O.
//
// Always true:
// - An environment runs at most one invocation.
// - A function never runs more invocations at once than it reserved, nor all functions more than the account may.
// - An invocation that was let in is run, or refused through a Fail effect when its environment could not start.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "engine/function/function.h"

namespace reef::function {

using EnvironmentId = std::uint64_t;
using InvocationId = std::uint64_t;

struct SchedulerLimits {
  std::uint32_t account_concurrency = 1000;
  std::uint32_t environments_max = 256;  // what this machine carries
  std::uint32_t waiting_max = 10'000;
  Duration idle_max = 5min;              // then scaled to zero
  // How long an invocation waits for an environment that is busy before another is started: about what a start
  // takes, so that a short burst on a few cores does not become a crowd of processes. Real time.
  Duration patience = 50ms;
  // On a busy machine more processes at once finish nothing sooner, and cold ones need several times the processor time
  // of hot ones. So while runs of a version are brief they wait, with more patience, for one of a few hot environments
  // instead of waking an idle one or starting another.
  std::uint32_t hot_environments = 3;
  Duration brief = 50ms;
  Duration busy_patience = 250ms;
};

class Scheduler {
 public:
  struct Start { EnvironmentId environment; std::string version; };
  struct Run { EnvironmentId environment; InvocationId invocation; };
  struct Fail { EnvironmentId environment; InvocationId invocation; };  // its environment did not start
  struct Effects {
    std::vector<Start> start;
    std::vector<Run> run;
    std::vector<EnvironmentId> stop;
    std::vector<Fail> fail;
  };

  explicit Scheduler(SchedulerLimits limits = {}) : limits_(limits) {}

  // `reserved` is the function's own limit at this moment; `steady` a clock that nobody moves.
  Result<void, Refusal> invoke(InvocationId invocation, const std::string& version, const std::string& function,
                               std::optional<std::uint32_t> reserved, std::uint32_t reserved_by_all, Duration steady, Effects& effects);
  // The environment can take an invocation: after its start, and after each run.
  void ready(EnvironmentId environment, Time now, Duration steady, Effects& effects);
  // Whether the machine's processors have nothing left to give.
  void set_machine_busy(bool busy) { machine_busy_ = busy; }
  // The invocation was answered; its environment may still be busy with the aftermath.
  void finished(InvocationId invocation);
  // The environment is gone, whatever it did. One that never was ready fails one waiting invocation.
  void gone(EnvironmentId environment, Duration steady, Effects& effects);
  // No further invocation for this version: idle environments go now, busy ones after their run.
  void retire(const std::string& version, Effects& effects);
  // Finds environments for those who waited for longer than patience lasts. Call now and then while waiting() > 0.
  void lose_patience(Duration steady, Effects& effects);
  std::size_t waiting() const { return waiting_count_; }
  // Ends environments that were idle for too long.
  void tick(Time now, Effects& effects);
  std::optional<Time> next_tick() const;

  std::size_t environments() const { return environments_.size(); }
  std::uint32_t running(const std::string& function) const;

 private:
  enum class State { kStarting, kIdle, kBusy };
  struct Environment {
    std::string version;
    State state = State::kStarting;
    Time idle_since{};
    Duration run_since{};
    bool retired = false;
  };
  struct Line {
    std::deque<std::pair<InvocationId, Duration>> waiting;  // and since when
    std::uint32_t starting = 0;
    std::uint32_t environments = 0;
    std::uint32_t busy = 0;
    Duration mean_run{};              // of the recent ones; zero: none yet
    std::vector<EnvironmentId> idle;  // the most recently used last
  };
  bool should_wait_for_a_hot_one(const Line& line) const;
  void run(EnvironmentId id, Environment& environment, Line& line, InvocationId invocation, Duration steady, Effects& effects);
  void run_first_waiting(EnvironmentId id, Line& line, Duration steady, Effects& effects);
  void run_on_idle(Line& line, std::uint32_t wanted, Duration steady, Effects& effects);
  void start_for(const std::string& version, Line& line, std::uint32_t wanted, Effects& effects);
  void forget(std::map<EnvironmentId, Environment>::iterator environment);
  bool evict_oldest_idle(Effects& effects);
  void start_for_waiting(Effects& effects);

  SchedulerLimits limits_;
  std::map<EnvironmentId, Environment> environments_;
  TextMap<Line> lines_;
  struct Admitted { std::string function; bool reserved; };
  std::map<InvocationId, Admitted> admitted_;
  TextMap<std::uint32_t> running_;
  std::uint32_t unreserved_running_ = 0;
  std::size_t waiting_count_ = 0;
  bool machine_busy_ = false;
  EnvironmentId last_id_ = 0;
};

}  // namespace reef::function
