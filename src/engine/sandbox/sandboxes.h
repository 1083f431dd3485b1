// Starts sandboxes and tells what happens to them. See spec.h for what can be asked of one.
//
// Always true: a sandbox's process tree is gone before `on_exit` runs; nothing outlives the daemon, even killed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/sandbox/outbound.h"
#include "engine/sandbox/process_tree.h"
#include "engine/sandbox/spawner.h"
#include "engine/sandbox/spec.h"
#include "io/reactor.h"

namespace reef::sandbox {

enum class Stream { kOut, kErr };

// Called on the reactor that spawned the sandbox. A sandbox may be dropped from inside any of them.
struct Events {
  // The workload runs. One listening socket per `Spec::listen_ports`, owned by the receiver; none when the sandbox
  // shares the host's network.
  std::function<void(std::vector<int> listeners)> on_ready;
  std::function<void(Stream, std::string_view)> on_output;
  std::function<void(const Exit&)> on_exit;  // exactly once, last, after all output
};

struct TerminalSize {
  std::uint16_t rows = 24, columns = 80;
};
struct Run {
  std::vector<std::string> argv, env;
  std::string cwd = "/";
  std::optional<TerminalSize> terminal;  // a terminal of its own: everything is read and written there
};
struct RunEvents {
  std::function<void(Stream, std::string_view)> on_output;
  std::function<void(const Exit&)> on_exit;  // exactly once, last, after all output
};

// The time by the clock that workloads read; the system's own can be moved by its user.
Time workload_time();

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  virtual const std::string& id() const = 0;
  virtual int pid() const = 0;  // of its first process, on the host; -1 until it started
  virtual bool isolated_network() const = 0;
  // Gives a sandbox that started with `later_root` its purpose. Sources are relative to `later_root`.
  virtual void attach(const std::vector<Bind>& binds, std::function<void(Result<void, Failure>)> done) = 0;
  virtual void signal(int number) = 0;  // to the workload
  // `number` to the workload, then SIGKILL to everything after `patience` of real time.
  virtual void stop(int number, Duration patience) = 0;
  virtual void kill() = 0;
  virtual void set_memory_limit(std::uint64_t bytes) = 0;
  // Delivers what the workload has printed so far, now.
  virtual void flush_output() = 0;
  // The most memory it used, or uses now where the kernel keeps no record.
  virtual std::uint64_t memory_bytes() const = 0;
  // What the workload and all that it started use.
  virtual Usage usage() const = 0;
  // A connection to `port` inside, whoever owns the network namespace; non-blocking, owned by the receiver. Without an
  // address (host byte order), to 127.0.0.1.
  virtual void connect(std::uint16_t port, std::function<void(Result<int, Failure>)> done, std::uint32_t address = 0x7F000001) = 0;
  // One more process beside the workload, as `docker exec` starts it. Gives its number, for stop_run.
  virtual std::uint32_t run(const Run& run, RunEvents events) = 0;
  virtual void stop_run(std::uint32_t number) = 0;
  // What is typed at a run's terminal, and how large it is now. What it does not read for long is dropped.
  virtual void type(std::uint32_t number, std::string_view bytes) = 0;
  virtual void resize(std::uint32_t number, TerminalSize size) = 0;
};

class Sandboxes {
 public:
  // Forks the spawner process. Call once in main, before any thread is started. `forced` is for tests and for
  // users who want less isolation than their machine allows.
  static Result<std::unique_ptr<Sandboxes>, Failure> start(std::optional<Tier> forced = std::nullopt);
  ~Sandboxes();  // ends every sandbox

  // What this machine allows. Waits for the probe, a few milliseconds after start, the first time.
  const Capabilities& capabilities();

  // On `reactor`, from its own thread. Never fails here: a failure to start arrives as on_exit with `start_failure`.
  // `channel`, when there is one, becomes the workload's descriptor 3; it is taken over and must be blocking.
  std::shared_ptr<Sandbox> spawn(io::Reactor& reactor, Spec spec, Events events, int channel = -1);

  // For sandboxes that are spawned from then on. Set before the loops run.
  void set_outbound_policy(OutboundPolicy policy) { policy_ = std::move(policy); }
  void set_adopt(AdoptHook adopt) { adopt_ = std::move(adopt); }
  void set_dns(DnsHook dns) { dns_ = std::move(dns); }

 private:
  Sandboxes(int socket, int spawner_pid, ProbeReport* report) : socket_(socket), spawner_(spawner_pid), report_(report) {}
  int socket_;
  int spawner_;
  ProbeReport* report_;
  std::once_flag capabilities_once_;
  Capabilities capabilities_;
  OutboundPolicy policy_ = default_outbound_policy(4566);
  DnsHook dns_ = default_dns;
  AdoptHook adopt_;
};

}  // namespace reef::sandbox
