#include "engine/sandbox/init.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "engine/sandbox/fd_message.h"
#include "engine/sandbox/network.h"
#include "engine/sandbox/privileges.h"
#include "engine/sandbox/process_tree.h"
#include "engine/sandbox/rootfs.h"
#include "engine/sandbox/workload.h"

namespace reef::sandbox {
namespace {

constexpr int kOutOfMemoryStatus = 137;

class Init {
 public:
  explicit Init(const InitContext& context) : context_(context) {}

  [[noreturn]] void run() {
    isolate_descriptors();
    Result<NetworkFds, Failure> network = set_up();
    if (!network) fail(network.error());
    if (!context_.spec->argv.empty() || context_.probe) {
      const Result<pid_t, Failure> started = start_workload(context_);
      if (!started) fail(started.error());
      workload_ = *started;
    }
    ::close(context_.out);
    if (context_.channel >= 0) ::close(std::exchange(context_.channel, -1));
    ::close(context_.err);
    if (context_.spec->later_root.empty())
      if (const Result<void, Failure> sealed = seal(); !sealed) fail(sealed.error());
    report_ready(*network);
    loop();
  }

 private:
  bool isolated() const { return context_.tier != Tier::kProcesses; }

  void send(FromSandbox what, std::string_view body = {}, std::span<const int> fds = {}) {
    std::string message(1, static_cast<char>(what));
    message += body;
    send_message(context_.control, message, fds);
  }
  [[noreturn]] void fail(const Failure& failure) {
    send(FromSandbox::kFailed, failure.message);
    if (!isolated()) kill_descendants();
    ::_exit(126);
  }

  // Keeps only what this sandbox needs: a descriptor of another one's would hold it open.
  void isolate_descriptors() {
    int* const wanted[] = {&context_.control, &context_.out, &context_.err, &context_.channel};
    for (int* fd : wanted)
      if (*fd >= 0) *fd = ::fcntl(*fd, F_DUPFD_CLOEXEC, 64);
    int next = 3;
    for (int* fd : wanted)
      if (*fd >= 0) *fd = ::dup3(*fd, next++, O_CLOEXEC);
    ::syscall(SYS_close_range, static_cast<unsigned>(next), ~0u, 0u);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    ::close(null);
  }

  Result<NetworkFds, Failure> set_up() {
    const Spec& spec = *context_.spec;
    ::prctl(PR_SET_NAME, "atoll-init", 0, 0, 0);
    if (!isolated()) {
      ::setsid();
      ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
      TRY(context_.cgroups->enter(spec.id));
      return NetworkFds{};
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (context_.tier == Tier::kUserNamespaces)
      TRY(map_own_ids(spec.uid, spec.gid, context_.outer_uid, context_.outer_gid));
    TRY(context_.cgroups->enter(spec.id));
    static_cast<void>(::sethostname(spec.hostname.data(), spec.hostname.size()));
    NetworkFds network;
    if (context_.isolated_network) network = TRY(set_up_network(spec.address, spec.listen_ports, spec.host_port));
    const bool root = context_.tier == Tier::kRoot;
    TRY(set_up_root(spec, root ? context_.outer_uid : spec.uid, root ? context_.outer_gid : spec.gid));
    return network;
  }

  // Nothing more to set up: this process becomes as powerless as the workload.
  Result<void, Failure> seal() {
    if (!isolated()) return {};
    if (context_.tier == Tier::kRoot) TRY(become_user(context_.outer_uid, context_.outer_gid));
    TRY(drop_capabilities());
    // Of a sandbox that others join the spawner must be able to enter the namespaces; it runs nothing to hide from.
    if (workload_ > 0) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // cleared by the change of user
    return {};
  }

  void report_ready(NetworkFds& network) {
    std::vector<int> fds;
    if (network.tcp_listener >= 0) {
      fds = {network.tcp_listener, network.dns_socket};
      fds.insert(fds.end(), network.listeners.begin(), network.listeners.end());
    }
    send(FromSandbox::kReady, {}, fds);
    for (int fd : fds) ::close(fd);
  }

  bool polls_memory() const {
    return memory_limit_ > 0 && context_.cgroups->kind() == Cgroups::Kind::kNone;
  }

  [[noreturn]] void loop() {
    memory_limit_ = context_.spec->limits.memory_bytes;
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const int children = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    pollfd fds[] = {{context_.control, POLLIN, 0}, {children, POLLIN, 0}};
    reap();
    for (;;) {
      const int ready = ::poll(fds, 2, polls_memory() ? poll_millis_ : -1);
      if (ready < 0 && errno != EINTR) end(1);
      if (fds[1].revents) {
        signalfd_siginfo info;
        while (::read(children, &info, sizeof(info)) > 0) {
        }
        reap();
      }
      if (fds[0].revents) handle_control();
      if (polls_memory()) check_memory();
    }
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (const auto run = runs_.find(pid); run != runs_.end()) {
        report_run(run->second, status, {});
        runs_.erase(run);
        continue;
      }
      if (pid != workload_) continue;
      std::string body;
      ByteWriter(body).fixed<std::int32_t>(status);
      send(FromSandbox::kExited, body);
      end(0);
    }
  }

  [[noreturn]] void end(int status) {
    if (!isolated()) kill_descendants();
    ::_exit(status);  // the kernel ends the rest of a pid namespace
  }

  void check_memory() {
    const std::uint64_t bytes = resident_bytes(descendants(isolated()));
    if (bytes > memory_limit_) {
      send(FromSandbox::kOutOfMemory);
      end(kOutOfMemoryStatus);
    }
    // Near the limit or growing: look often. At rest: rarely.
    const bool moving = bytes > last_bytes_ + (1 << 20) || bytes > memory_limit_ / 2;
    last_bytes_ = bytes;
    poll_millis_ = moving ? 10 : std::min(poll_millis_ + 10, 100);
  }

  void handle_control() {
    const Received received = receive_message(context_.control, MSG_DONTWAIT);
    if (received.error == EAGAIN) return;
    if (received.error != 0) end(1);  // the daemon is gone
    ByteReader in(std::string_view(received.bytes).substr(1));
    if (static_cast<ToInit>(received.bytes[0]) == ToInit::kRun) return run_beside(in, received.fds);
    for (int fd : received.fds) ::close(fd);
    switch (static_cast<ToInit>(received.bytes[0])) {
      case ToInit::kAttach: return attach(in);
      case ToInit::kSignal:
        if (workload_ > 0) ::kill(workload_, in.fixed<std::uint8_t>());
        return;
      case ToInit::kKill: end(128 + SIGKILL);
      case ToInit::kMemory: memory_limit_ = in.fixed<std::uint64_t>(); return;
      case ToInit::kConnect: {
        const auto port = in.fixed<std::uint16_t>();
        return connect_inside(port, in.fixed<std::uint32_t>());
      }
      case ToInit::kRun: return;  // above
      case ToInit::kStopRun: {
        const auto number = in.fixed<std::uint32_t>();
        for (const auto& [pid, run] : runs_)
          if (run == number) ::kill(-pid, SIGKILL);
        return;
      }
    }
  }

  void report_run(std::uint32_t number, int status, std::string_view problem) {
    std::string body;
    ByteWriter out(body);
    out.fixed(number);
    out.fixed<std::int32_t>(status);
    out.bytes(problem);
    send(FromSandbox::kRan, body);
  }

  // `docker exec` and health checks.
  void run_beside(ByteReader& in, const std::vector<int>& fds) {
    const auto number = in.fixed<std::uint32_t>();
    Spec spec = *context_.spec;
    const auto read_texts = [&in](std::vector<std::string>& into) {
      into.clear();
      for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) into.push_back(in.text());
    };
    read_texts(spec.argv);
    read_texts(spec.env);
    spec.cwd = in.text();
    spec.search_path = true;
    InitContext context = context_;
    context.terminal = in.fixed<std::uint8_t>() != 0;
    context.spec = &spec;
    if (fds.size() == 2) {
      context.out = fds[0];
      context.err = fds[1];
    }
    const Result<pid_t, Failure> started =
        fds.size() == 2 && in.ok() ? start_beside(context) : Result<pid_t, Failure>(Err(Failure{"malformed request"}));
    for (int fd : fds) ::close(fd);
    if (!started) return report_run(number, 126 << 8, started.error().message);
    runs_[*started] = number;
  }

  void attach(ByteReader& in) {
    std::vector<Bind> binds;
    for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
      Bind bind{in.text(), in.text()};
      binds.push_back(std::move(bind));
    }
    Result<void, Failure> result;
    if (isolated()) {
      result = attach_later(binds);
      if (result) result = seal();
    }
    send(FromSandbox::kAttached, result ? std::string_view() : std::string_view(result.error().message));
  }

  void connect_inside(std::uint16_t port, std::uint32_t to) {
    // Not blocking: a workload that does not accept must not stop this process.
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(to);
    int error = 0;
    // To loopback: answers at once, and a refusal is an answer.
    if (fd < 0 || (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0 && errno != EINPROGRESS)) error = errno;
    std::string body;
    ByteWriter(body).fixed<std::int32_t>(error);
    send(FromSandbox::kConnected, body, error == 0 ? std::span<const int>(&fd, 1) : std::span<const int>());
    if (fd >= 0) ::close(fd);
  }

  InitContext context_;
  pid_t workload_ = -1;
  std::map<pid_t, std::uint32_t> runs_;
  std::uint64_t memory_limit_ = 0, last_bytes_ = 0;
  int poll_millis_ = 10;
};

}  // namespace

void run_init(const InitContext& context) { Init(context).run(); }

}  // namespace reef::sandbox
