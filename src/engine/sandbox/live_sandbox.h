// The daemon's half of one running sandbox: its control socket and its output pipes, on one reactor.
#pragma once

#include <sys/epoll.h>

#include <deque>
#include <map>

#include "engine/sandbox/sandboxes.h"

namespace reef::sandbox {

class LiveSandbox final : public Sandbox, public std::enable_shared_from_this<LiveSandbox> {
 public:
  static std::shared_ptr<LiveSandbox> spawn(io::Reactor& reactor, int spawner, const Capabilities& can, Spec spec, Events events, int channel,
                                            OutboundPolicy policy, DnsHook dns, AdoptHook adopt);
  ~LiveSandbox() override;

  const std::string& id() const override { return id_; }
  int pid() const override { return pid_; }
  bool isolated_network() const override { return isolated_network_; }
  void attach(const std::vector<Bind>& binds, std::function<void(Result<void, Failure>)> done) override;
  void signal(int number) override;
  void stop(int number, Duration patience) override;
  void kill() override;
  void set_memory_limit(std::uint64_t bytes) override;
  void flush_output() override;
  std::uint64_t memory_bytes() const override;
  Usage usage() const override { return pid_ > 0 ? usage_below(pid_) : Usage{}; }
  void connect(std::uint16_t port, std::function<void(Result<int, Failure>)> done, std::uint32_t address) override;
  std::uint32_t run(const Run& run, RunEvents events) override;
  void stop_run(std::uint32_t number) override;
  void type(std::uint32_t number, std::string_view bytes) override;
  void resize(std::uint32_t number, TerminalSize size) override;

 private:
  struct Watch final : io::FdHandler {
    LiveSandbox* owner = nullptr;
    int fd = -1;
    void (LiveSandbox::*ready)() = nullptr;
    void on_ready(std::uint32_t) override {
      const auto keep = owner->shared_from_this();
      (owner->*ready)();
    }
  };
  // A process beside the workload: its pipes, and its end once both pipes are empty.
  struct Beside {
    struct Pipe final : io::FdHandler {
      LiveSandbox* owner = nullptr;
      std::uint32_t number = 0;
      Stream stream = Stream::kOut;
      int fd = -1;
      void on_ready(std::uint32_t events) override {
        const auto keep = owner->shared_from_this();
        if (events & EPOLLOUT) owner->write_beside(number);
        if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) owner->read_beside(number, stream);
      }
    };
    RunEvents events;
    Pipe out, err;        // with a terminal `out` is it
    bool is_terminal = false;
    std::string typed;    // that it did not take yet
    std::optional<Exit> exit;
  };
  void read_beside(std::uint32_t number, Stream stream);
  void write_beside(std::uint32_t number);
  void end_beside(std::uint32_t number, bool at_once);
  explicit LiveSandbox(io::Reactor& reactor) : reactor_(reactor) {}
  void watch(Watch& watch, int fd, void (LiveSandbox::*ready)());
  void close(Watch& watch);
  bool polls_memory() const { return cgroups_.kind() == Cgroups::Kind::kNone; }
  void read_control();
  void read_out() { read_output(out_, Stream::kOut); }
  void read_err() { read_output(err_, Stream::kErr); }
  void read_output(Watch& watch, Stream stream);
  void handle(std::string_view message, std::vector<int> fds);
  void send(std::string_view message);
  void finish(int wait_status, bool out_of_memory);

  io::Reactor& reactor_;
  std::string id_;
  int spawner_ = -1;
  int pid_ = -1, pidfd_ = -1;
  bool isolated_network_ = false, plain_process_ = false;
  Cgroups cgroups_;
  mutable int peak_memory_ = -1;   // its file, once it was asked for: every invocation of a function asks
  bool killed_before_start_ = false;
  Events events_;
  OutboundPolicy policy_;
  DnsHook dns_;
  AdoptHook adopt_;
  std::unique_ptr<Outbound> outbound_;
  Watch control_, out_, err_;
  Exit exit_;
  std::optional<int> workload_status_;
  io::Reactor::TimerId stop_timer_ = 0;
  std::deque<std::function<void(Result<void, Failure>)>> attaching_;
  std::deque<std::function<void(Result<int, Failure>)>> connecting_;
  std::map<std::uint32_t, std::unique_ptr<Beside>> beside_;
  std::uint32_t next_beside_ = 1;
  std::shared_ptr<LiveSandbox> self_;  // until it is dead
};

}  // namespace reef::sandbox
