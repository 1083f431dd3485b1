// One environment: a sandbox with a runtime in it, the Runtime API that it talks to, and its extensions.
//
// Life: booted (perhaps ahead of its purpose) -> assigned a version -> ready <-> running -> ended. It never runs two
// invocations at once, and `on_ended` comes exactly once, after its last result.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/function/extensions.h"
#include "engine/function/function.h"
#include "engine/function/interpreters.h"
#include "engine/function/log_lines.h"
#include "engine/sandbox/sandboxes.h"
#include "http/server.h"

namespace reef::function {

struct Options {
  std::string folder;   // code, layers and runtimes live below
  int api_port = 4566;  // of the daemon, for AWS_ENDPOINT_URL
  std::string trust;    // folder of sandbox::write_trust_files; empty when there is none
  std::size_t booted_ahead = 1;  // per interpreter in use; 0 turns it off
};

struct EnvironmentHost {
  io::Reactor& reactor;
  sandbox::Sandboxes& sandboxes;
  const Options& options;
  LogSink& logs;
};

struct EnvironmentEvents {
  std::function<void()> on_ready;
  std::function<void()> on_ended;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  using Done = std::function<void(Outcome)>;

  Environment(EnvironmentHost host, Language language, const Interpreter* interpreter);
  ~Environment();

  // Boots the runtime ahead of time; assign() follows.
  void boot();
  // Starts with a purpose, or gives one to a booted environment.
  void assign(VersionPtr version, EnvironmentEvents events);
  // Ends it before it began: what it needs is not there.
  void refuse(VersionPtr version, std::string error_type, const std::string& message);
  // Whether a booted environment may become one for this version.
  static bool can_be_booted_ahead(const Version& version, const Options& options);

  void run(Invocation invocation, Done done);
  // Ends it: extensions are told why, then the sandbox goes.
  void stop(std::string_view reason);

  bool ended() const { return ended_; }
  const VersionPtr& version() const { return version_; }
  std::string_view sandbox_id() const { return sandbox_ ? std::string_view(sandbox_->id()) : std::string_view(); }
  // After an end without ever being ready: what the waiting invocation is answered. Logs its lines.
  Outcome init_failure(const Invocation& invocation);

 private:
  friend class RuntimeApi;
  struct Running {
    Invocation invocation;
    Done done;
    std::int64_t started_micros = 0;
    Time deadline{};
    bool streaming = false;
    std::shared_ptr<Pipe> stream;
  };
  sandbox::Spec make_spec(bool ahead);
  void spawn(bool ahead);
  int open_channel(sandbox::Spec& spec);
  std::vector<std::pair<std::string, std::string>> trust_variables() const;
  bool trusts_by_openssl() const;
  std::string variable_at_start(const std::string& name, const std::string& value) const;   // NAME=value
  std::vector<std::pair<std::string, std::string>> environment_variables() const;
  std::string task_root() const;
  std::string layer_root() const;
  std::string runtime_folder(bool inside) const;
  void start_server(std::vector<int> listeners);
  void on_output(std::string_view bytes);
  void on_exit(const sandbox::Exit& exit);
  void log(std::string_view line);
  void assign_now();          // answers the booted runtime that waits for its purpose
  void note_progress();       // the runtime or an extension asked for the next event
  void arm_init_timer();
  void deliver();             // hands the running invocation to the runtime
  void finish(Outcome outcome, std::string_view status, std::string_view error_type);
  void time_out();
  std::string exit_message() const;

  EnvironmentHost host_;
  Language language_;
  std::optional<Interpreter> interpreter_;
  VersionPtr version_;
  EnvironmentEvents events_;
  std::shared_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<http::Server> server_;
  int port_ = 0;                // of the Runtime API where the host's network is shared
  bool isolated_files_ = true;  // the sandbox has a file system of its own
  bool assigned_ = false, ready_once_ = false, is_ready_ = false, ended_ = false, stopping_ = false;
  std::string log_stream_;
  LineSplitter lines_;
  LogTail tail_;
  Extensions extensions_;
  std::size_t extensions_expected_ = 0;  // those that come in layers; init waits for them

  // Where the runtime waits.
  Later<std::string>* assignment_ = nullptr;
  Later<bool>* next_ = nullptr;  // true: `running_` is for it; false: the environment ends
  std::optional<Running> running_;
  std::optional<sandbox::Exit> exit_;
  std::string init_error_type_, init_error_body_;
  std::int64_t init_started_ = 0;
  Duration init_duration_{};
  bool report_init_ = false;
  std::uint64_t used_bytes_ = 0;
  io::Reactor::TimerId timer_ = 0, init_timer_ = 0;
};

}  // namespace reef::function
