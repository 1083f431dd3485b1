// A child process of the daemon's own user, watched by its pidfd: for tools and servers that need no sandbox.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/reactor.h"

namespace reef::io {

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::vector<std::string> env;   // "NAME=value"; empty: this process's own
  std::string cwd;                // empty: this process's own
  bool own_group = true;          // kill() then reaches its descendants
  bool dies_with_parent = true;   // with the thread that starts it
};

struct ProcessEvents {
  std::function<void(bool is_stderr, std::string_view)> on_output;
  std::function<void(int code, int signal)> on_exit;  // once, after all output
};

// Lives on the reactor that starts it. Dropping it kills the process.
class Process {
 public:
  static Result<std::unique_ptr<Process>, Failure> start(Reactor& reactor, const ProcessSpec& spec, ProcessEvents events);
  ~Process();
  int pid() const { return pid_; }
  bool running() const { return pidfd_ >= 0; }
  void signal(int number);

 private:
  struct Watch final : FdHandler {
    Process* owner = nullptr;
    int fd = -1;
    void on_ready(std::uint32_t) override { owner->on_ready(*this); }
  };
  explicit Process(Reactor& reactor) : reactor_(reactor) {}
  void on_ready(Watch& watch);
  void read(Watch& watch);
  void close(Watch& watch);
  void reap();

  Reactor& reactor_;
  ProcessEvents events_;
  Watch exit_, out_, err_;
  int pid_ = -1, pidfd_ = -1;
  bool own_group_ = true;
};

}  // namespace reef::io
