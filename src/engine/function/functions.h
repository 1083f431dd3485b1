// Runs functions: finds or starts an environment for each invocation, keeps environments warm for a while and
// runtimes booted ahead, and says no when a limit is reached. Lives on the control shard.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "engine/function/environment.h"
#include "engine/function/machine_load.h"
#include "engine/function/scheduler.h"
#include "io/pool.h"

namespace reef::function {

SchedulerLimits limits_of_this_machine();

class Functions {
 public:
  Functions(Options options, sandbox::Sandboxes& sandboxes, LogSink& logs, SchedulerLimits limits = limits_of_this_machine());
  ~Functions();

  // On the control shard, before the first request: writes the runtimes that the binary carries.
  Result<void, Failure> start();
  // Ends every environment and refuses further invocations.
  void stop();

  // From any shard. `reserved`: the function's own concurrency; `reserved_by_all`: the sum over its account.
  Task<Result<Outcome, Refusal>> invoke(VersionPtr version, Invocation invocation, std::optional<std::uint32_t> reserved = {},
                                        std::uint32_t reserved_by_all = 0);

  // The rest on the control shard only.
  // Soon to be invoked: boots a runtime ahead where that helps.
  void prepare(const VersionPtr& version);
  // Nothing new runs as this version.
  void retire(const std::string& version_id);
  void retire_all();
  // Where the daemon listens, once it is known. Before the first environment starts.
  void set_api_port(int port) { options_.api_port = port; }
  // The interpreter for a runtime's name; nullptr when the machine has none of that language.
  Task<const Interpreter*> interpreter_for(std::string runtime);

  // What runs in a sandbox; nullptr when it is none of a function.
  VersionPtr version_in(std::string_view sandbox) const;

  const Options& options() const { return options_; }
  io::Pool& pool() { return pool_; }
  std::size_t environments() const { return scheduler_.environments(); }

 private:
  struct Pending {
    VersionPtr version;
    Invocation invocation;
    std::function<void(std::optional<Outcome>)> done;  // told nothing: it will never run
  };
  Task<Result<Outcome, Refusal>> invoke_here(VersionPtr version, Invocation invocation, std::optional<std::uint32_t> reserved,
                                             std::uint32_t reserved_by_all);
  void carry_out(Scheduler::Effects effects);
  void start_environment(EnvironmentId id, VersionPtr version);
  void environment_ended(EnvironmentId id);
  void boot_ahead(Language language, const Interpreter& interpreter);
  void arm_tick();
  EnvironmentHost host();

  Options options_;
  sandbox::Sandboxes& sandboxes_;
  LogSink& logs_;
  Scheduler scheduler_;
  MachineLoad machine_load_;
  io::Pool pool_{"functions", 2};
  bool stopping_ = false;
  struct Found {
    bool looking = false, looked = false;
    std::vector<Interpreter> interpreters;
    std::deque<Later<bool>*> waiting;
  };
  std::map<Language, Found> found_;
  InvocationId last_invocation_ = 0;
  std::map<InvocationId, Pending> pending_;       // admitted, not yet running
  std::map<EnvironmentId, std::shared_ptr<Environment>> environments_;
  std::map<EnvironmentId, std::shared_ptr<Environment>> failed_;  // ended before they were ready
  std::map<std::string, std::deque<std::shared_ptr<Environment>>> booted_;  // by interpreter
  std::map<std::string, VersionPtr> versions_;    // of environments that start
  io::Reactor::TimerId tick_timer_ = 0, patience_timer_ = 0;
};

}  // namespace reef::function
