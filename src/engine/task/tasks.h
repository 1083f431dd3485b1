// The tasks that run on this machine: containers from images in sandboxes, with one address for each task. On the
// control shard; nothing of it survives the daemon, whose death ends every sandbox.
//
// Always true: `on_change` is called after every change and lastly when the task has stopped, with its volumes,
// ports and address; it is gone from here after that.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/result.h"
#include "base/task.h"
#include "engine/image/images.h"
#include "engine/sandbox/sandboxes.h"
#include "engine/task/line_splitter.h"
#include "engine/task/plan.h"
#include "engine/task/port_forward.h"
#include "engine/task/task_machine.h"
#include "io/reactor.h"

namespace reef::task {

struct TaskEvents {
  std::function<void()> on_change;
  std::function<void(std::size_t container, sandbox::Stream stream, std::string_view line)> on_line;
};

struct LiveContainer {
  std::string image_digest;
  std::string address;                // with Network::kBridge; otherwise the task's
  std::vector<Port> ports;            // as they came out
  std::shared_ptr<sandbox::Sandbox> sandbox;
  image::OpenImage image;
  LineSplitter out, err;
  std::vector<std::unique_ptr<PortForward>> forwards;
  std::uint32_t probe_run = 0;
  io::Reactor::TimerId probe_timer = 0;
};

struct LiveTask {
  LiveTask(TaskPlan what, TaskEvents how, std::vector<ContainerRule> rules, Time now)
      : plan(std::move(what)), events(std::move(how)), machine(std::move(rules), now), containers(plan.containers.size()) {}
  TaskPlan plan;
  TaskEvents events;
  TaskMachine machine;
  std::string address;
  std::vector<LiveContainer> containers;
  std::optional<Time> pull_started, pull_stopped;
  // What holds the task's network, with Network::kOwn.
  std::shared_ptr<sandbox::Sandbox> holder;
  bool holder_ready = false, images_ready = false;
  io::Reactor::TimerId timer = 0;
  bool stepping = false, ended = false;
};

struct InterfaceUsage {
  std::string name;
  std::uint64_t received_bytes = 0, received_packets = 0, received_errors = 0, received_dropped = 0;
  std::uint64_t sent_bytes = 0, sent_packets = 0, sent_errors = 0, sent_dropped = 0;
};
struct ContainerUsage {
  sandbox::Usage now;
  std::uint64_t memory_peak_bytes = 0, memory_limit_bytes = 0;  // 0: unlimited
  std::vector<InterfaceUsage> interfaces;                       // a sandbox may have loopback alone, which everything passes then
};
// The lines of /proc/net/dev. Pure.
std::vector<InterfaceUsage> parse_net_dev(std::string_view text);

struct TasksOptions {
  std::string folder;   // for volumes
  int api_port = 4566;  // of the daemon, reachable inside
  std::string trust;    // folder of sandbox::write_trust_files; empty when there is none
};

class Tasks {
 public:
  Tasks(TasksOptions options, sandbox::Sandboxes& sandboxes, image::Images& images) : options_(std::move(options)), sandboxes_(sandboxes), images_(images) {}

  void start();   // on the control shard, after recovery: removes what a former daemon left
  void set_api_port(int port) { options_.api_port = port; }
  const TasksOptions& options() const { return options_; }

  // Whether each task has a network of its own here. Without, tasks share the host's and get addresses of loopback.
  bool isolated();
  // By which programs inside trust the local authority.
  std::vector<std::pair<std::string, std::string>> trust_environment();
  // An address for a task that is going to run; run() takes it, give_back() does without. From a range like
  // "10.0.16.0/20" when that is given and tasks have networks of their own.
  std::string take_address(std::string_view range = {});
  void give_back(const std::string& address) { addresses_.erase(address); }
  // An address that a task had before a restart: others come first.
  void note_used(std::string_view address);
  void run(TaskPlan plan, std::string address, TaskEvents events);
  void stop(std::string_view id, StopCode code, std::string reason);
  // Everything, at once. For a reset.
  void kill_all();
  const LiveTask* find(std::string_view id) const;
  std::size_t count() const { return tasks_.size(); }

  // What a task's containers use together.
  sandbox::Usage usage(std::string_view id) const;

  // What one container uses; nothing when it does not run.
  std::optional<ContainerUsage> usage(std::string_view id, std::size_t container) const;

  // One more process in a container that runs. Nothing when there is no such container.
  std::optional<std::uint32_t> exec(std::string_view id, std::size_t container, const sandbox::Run& run, sandbox::RunEvents events);

  // For one that has a terminal.
  void type(std::string_view id, std::size_t container, std::uint32_t run, std::string_view bytes);
  void resize(std::string_view id, std::size_t container, std::uint32_t run, sandbox::TerminalSize size);
  void stop_run(std::string_view id, std::size_t container, std::uint32_t run);

  // What a process beside a container's workload has to be given.
  std::optional<sandbox::Run> environment_of(std::string_view id, std::size_t container);

  // A connection to a task's address from inside its own network; nothing when no task ever had the address. On any loop.
  std::optional<Task<Result<int, Failure>>> dial(std::string_view ip, int port);
  // Takes over a connection from a sandbox to a task's address. On the control shard.
  bool adopt(sandbox::Destination to, int fd);
  // Connects inside a task's network; an error when no task has the address. On the control shard.
  void connect_to(std::string_view ip, int port, std::function<void(Result<int, Failure>)> done);
  bool has_network(std::string_view ip) const { return networks_.contains(ip); }
  // The task that a sandbox belongs to. On the control shard.
  const LiveTask* owner_of(std::string_view sandbox) const;

 private:
  using TaskPtr = std::shared_ptr<LiveTask>;
  Task<void> open_images(TaskPtr task);
  void spawn_holder(const TaskPtr& task);
  void step(const TaskPtr& task);
  void act(const TaskPtr& task, const Action& action);
  void start_container(const TaskPtr& task, std::size_t index);
  void forward_ports(const TaskPtr& task, std::size_t index);
  void stop_container(const TaskPtr& task, std::size_t index);
  void probe(const TaskPtr& task, std::size_t index);
  void end(const TaskPtr& task);
  // Makes an address one of ours, for good: when its task has ended, a connection to it is refused rather than let out to whoever
  // has that address on a network around this machine.
  void claim(const std::string& address);
  Time now() const;

  TasksOptions options_;
  sandbox::Sandboxes& sandboxes_;
  image::Images& images_;
  bool owners_set_ = false;
  std::map<std::string, TaskPtr, std::less<>> tasks_;
  std::map<std::string, std::weak_ptr<sandbox::Sandbox>, std::less<>> networks_;  // who connects inside, by address
  std::map<std::string, std::string, std::less<>> sandbox_owners_;                // sandbox id to task id
  std::set<std::string, std::less<>> addresses_;
  std::map<std::uint32_t, std::uint32_t> next_address_;  // by the first of a range
  std::list<std::unique_ptr<sandbox::Relay>> relays_;
  // Addresses that dial() on other loops must know.
  Guarded<std::set<std::string, std::less<>>> claimed_;
};

// What a container's sandbox is made from. Pure.
Result<sandbox::Spec, Failure> make_container_spec(const LiveTask& task, std::size_t index, bool isolated, const std::string& volumes_folder, int api_port,
                                                   std::string_view passwd, std::string_view group);
// The addresses of a range that machines may have: without its first four and its last, as in a VPC. Pure.
std::optional<std::pair<std::uint32_t, std::uint32_t>> usable_addresses(std::string_view range);
// "SIGTERM", "TERM", "15": its number; SIGTERM for anything else.
int signal_number(std::string_view name);

}  // namespace reef::task
