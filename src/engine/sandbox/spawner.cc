#include "engine/sandbox/spawner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "base/bytes.h"
#include "engine/sandbox/fd_message.h"
#include "engine/sandbox/init.h"
#include "engine/sandbox/privileges.h"

namespace reef::sandbox {
namespace {

constexpr std::uint64_t kIsolation = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

// The first of `count` host ids that the daemon's own user namespace knows, so that each sandbox gets one.
std::uint32_t first_host_id(std::uint32_t count) {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0, outside = 0, size = 0;
  while (map >> inside >> outside >> size)
    for (const std::uint64_t start : {200'000ull, 20'000ull})
      if (start >= inside && start + count <= inside + size) return static_cast<std::uint32_t>(start);
  return 0;
}

class Spawner {
 public:
  Spawner(int socket, ProbeReport& report) : socket_(socket), report_(report) {}

  void probe(std::optional<Tier> forced);
  [[noreturn]] void run();

 private:
  struct Child {
    std::string id;
    int control;
    int pidfd;  // kept for those that others may join; -1 otherwise
  };
  pid_t clone_init(const Spec& spec, const InitContext& context, int* pidfd);
  pid_t clone_joined(const Spec& spec, const InitContext& context, int holder, int* pidfd);
  int find_holder(const std::string& id) const;
  std::optional<std::string> try_tier(Tier tier, bool isolated_network, const Cgroups& cgroups);
  void handle_message();
  void spawn(const Spec& spec, const std::vector<int>& fds);
  void reap();
  // Sandboxes with an image share one: their files belong to it.
  std::uint32_t image_id() const { return image_ids_first_ != 0 ? image_ids_first_ : 65534; }
  std::uint32_t next_host_id() { return host_id_first_ == 0 ? 65534 : host_id_first_ + (host_id_++ % kHostIds); }

  static constexpr std::uint32_t kHostIds = 20'000, kImageIds = 65'536;
  int socket_;
  ProbeReport& report_;
  Tier tier_ = Tier::kProcesses;
  bool isolated_network_ = false;
  Cgroups cgroups_;
  std::uint32_t host_id_first_ = first_host_id(kHostIds + kImageIds), host_id_ = 0;
  std::uint32_t image_ids_first_ = host_id_first_ == 0 ? 0 : host_id_first_ + kHostIds;
  std::map<pid_t, Child> children_;
};

pid_t Spawner::clone_init(const Spec& spec, const InitContext& context, int* pidfd) {
  clone_args args{};
  args.flags = CLONE_PIDFD;
  if (context.tier != Tier::kProcesses) args.flags |= kIsolation;
  if (context.tier == Tier::kUserNamespaces) args.flags |= CLONE_NEWUSER;
  if (context.isolated_network) args.flags |= CLONE_NEWNET;
  args.exit_signal = SIGCHLD;
  args.pidfd = reinterpret_cast<std::uint64_t>(pidfd);
  const int group = context.cgroups->open_for_clone(spec.id);
  if (group >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(group);
  }
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof(args)));
  if (pid == 0) run_init(context);
  const int error = errno;
  if (group >= 0) ::close(group);
  errno = error;
  return pid;
}

int Spawner::find_holder(const std::string& id) const {
  for (const auto& [pid, child] : children_)
    if (child.id == id) return child.pidfd;
  return -1;
}

// As clone_init, in the network of another sandbox. Only a process of one thread can enter its user namespace, and could
// not come back: a short-lived copy goes there and makes the sandbox a child of this process.
pid_t Spawner::clone_joined(const Spec& spec, const InitContext& context, int holder, int* pidfd) {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) < 0) return -1;
  const pid_t envoy = copy_process();
  if (envoy == 0) {
    std::int32_t answer[2] = {-1, 0};
    const int spaces = CLONE_NEWNET | (context.tier == Tier::kUserNamespaces ? CLONE_NEWUSER : 0);
    if (::setns(holder, spaces) == 0) {
      clone_args args{};
      args.flags = CLONE_PARENT | kIsolation | (context.tier == Tier::kUserNamespaces ? CLONE_NEWUSER : 0);
      const int group = context.cgroups->open_for_clone(spec.id);
      if (group >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<std::uint64_t>(group);
      }
      answer[0] = static_cast<std::int32_t>(::syscall(SYS_clone3, &args, sizeof(args)));
      if (answer[0] == 0) run_init(context);
    }
    answer[1] = errno;
    static_cast<void>(!::write(report[1], answer, sizeof(answer)));
    ::_exit(0);
  }
  ::close(report[1]);
  std::int32_t answer[2] = {-1, EAGAIN};
  if (envoy > 0) {
    static_cast<void>(!::read(report[0], answer, sizeof(answer)));
    ::waitpid(envoy, nullptr, 0);
  }
  ::close(report[0]);
  if (answer[0] > 0) *pidfd = static_cast<int>(::syscall(SYS_pidfd_open, answer[0], 0));
  errno = answer[1];
  return answer[0] > 0 ? answer[0] : -1;
}

// Runs a throwaway sandbox; nothing when it worked, otherwise what did not.
std::optional<std::string> Spawner::try_tier(Tier tier, bool isolated_network, const Cgroups& cgroups) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return "socketpair";
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  Spec spec;
  spec.id = fmt::format("probe-{}", ::getpid());
  spec.network = isolated_network ? Network::kIsolated : Network::kHost;
  spec.limits.tmp_bytes = 1 << 20;
  const std::uint32_t id = tier == Tier::kRoot ? next_host_id() : ::getuid();
  const InitContext context{.tier = tier, .isolated_network = isolated_network, .spec = &spec, .cgroups = &cgroups,
                            .outer_uid = id, .outer_gid = tier == Tier::kRoot ? id : ::getgid(),
                            .control = pair[1], .out = null, .err = null, .probe = true};
  std::optional<std::string> problem;
  if (auto made = cgroups.create(spec.id, spec.limits); !made) problem = made.error().message;
  int pidfd = -1;
  const pid_t pid = problem ? -1 : clone_init(spec, context, &pidfd);
  const int error = errno;
  ::close(pair[1]);
  ::close(null);
  if (pid > 0) {
    const Received first = receive_message(pair[0]);
    if (first.error != 0)
      problem = "the first process ended without a word";
    else if (first.bytes[0] == static_cast<char>(FromSandbox::kFailed))
      problem = first.bytes.substr(1);
    for (int fd : first.fds) ::close(fd);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ::close(pidfd);
  } else if (!problem) {
    problem = fmt::format("new namespaces: {}", std::strerror(error));
  }
  ::close(pair[0]);
  cgroups.remove(spec.id);
  return problem;
}

std::string fix_for_network() {
  return "load the kernel's nftables: modprobe nf_tables nft_chain_nat nft_redir (on the host, when in a container)";
}
std::string fix_for_namespaces() {
  const auto is_zero = [](const char* path) {
    std::ifstream file(path);
    long value = -1;
    return file >> value && value == 0;
  };
  const auto is_one = [](const char* path) {
    std::ifstream file(path);
    long value = -1;
    return file >> value && value == 1;
  };
  if (is_zero("/proc/sys/user/max_user_namespaces")) return "sysctl -w user.max_user_namespaces=15000";
  if (is_zero("/proc/sys/kernel/unprivileged_userns_clone")) return "sysctl -w kernel.unprivileged_userns_clone=1";
  if (is_one("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"))
    return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
  return "in a container: run it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined, or "
         "--privileged; otherwise run atoll as root";
}

void Spawner::probe(std::optional<Tier> forced) {
  seccomp_program();  // built here once; every clone inherits it
  std::vector<Missing> missing;
  const bool is_root = ::geteuid() == 0;
  if (is_root) cgroups_ = Cgroups::detect();
  bool found = false;
  for (Tier tier : {Tier::kRoot, Tier::kUserNamespaces}) {
    if (found || (forced && *forced != tier) || (tier == Tier::kRoot && !is_root)) continue;
    std::optional<std::string> problem = try_tier(tier, true, cgroups_);
    isolated_network_ = !problem;
    if (problem && (problem->starts_with("nftables") || problem->starts_with("configure lo"))) {
      missing.push_back({"networks of their own for sandboxes (" + *problem + ")", fix_for_network()});
      problem = try_tier(tier, false, cgroups_);
    }
    found = !problem;
    if (found) tier_ = tier;
    if (problem) missing.push_back({fmt::format("{} ({})", tier_name(tier), *problem), fix_for_namespaces()});
  }
  if (!found) isolated_network_ = false;
  if (!is_root && !forced)
    missing.push_back({"control groups and a user id per sandbox (not root): memory limits are polled, processor limits are not kept",
                       "run atoll as root"});
  else if (is_root && cgroups_.kind() == Cgroups::Kind::kNone)
    missing.push_back({"control groups: memory limits are polled, processor limits are not kept", "mount /sys/fs/cgroup writable"});

  std::string texts;
  ByteWriter out(texts);
  for (const Missing& entry : missing) {
    if (texts.size() + entry.what.size() + entry.fix.size() + 20 > sizeof(report_.missing)) break;
    out.bytes(entry.what);
    out.bytes(entry.fix);
  }
  report_.tier = tier_;
  report_.isolated_network = isolated_network_;
  report_.cgroups = cgroups_.kind();
  report_.image_ids_first = tier_ == Tier::kRoot ? image_id() : 0;
  report_.image_ids = tier_ != Tier::kRoot ? 0 : image_ids_first_ != 0 ? kImageIds : 1;
  report_.missing_bytes = static_cast<std::uint32_t>(texts.size());
  std::memcpy(report_.missing, texts.data(), texts.size());
  ::sem_post(&report_.ready);
}

void Spawner::spawn(const Spec& spec, const std::vector<int>& fds) {
  const bool isolated = tier_ != Tier::kProcesses, joins = isolated && !spec.join.empty();
  std::uint32_t id = ::getuid(), group_id = ::getgid();
  if (tier_ == Tier::kRoot) id = group_id = spec.image.folder.empty() ? next_host_id() : image_id();
  // Who the holder's user namespace maps the daemon's user to.
  if (joins && tier_ == Tier::kUserNamespaces) id = group_id = 0;
  const InitContext context{.tier = tier_, .isolated_network = isolated && isolated_network_ && !joins && spec.network == Network::kIsolated,
                            .spec = &spec, .cgroups = &cgroups_, .outer_uid = id, .outer_gid = group_id,
                            .mapped_ids = tier_ == Tier::kRoot && !spec.image.folder.empty() && image_ids_first_ != 0 ? kImageIds : 1,
                            .control = fds[0], .out = fds[1], .err = fds[2], .channel = fds.size() > 3 ? fds[3] : -1};
  std::string problem;
  const int holder = joins ? find_holder(spec.join) : -1;
  if (joins && holder < 0) problem = "the sandbox whose network was to be shared is gone";
  if (problem.empty())
    if (auto made = cgroups_.create(spec.id, spec.limits); !made) problem = made.error().message;
  int pidfd = -1;
  const pid_t pid = !problem.empty() ? -1 : joins ? clone_joined(spec, context, holder, &pidfd) : clone_init(spec, context, &pidfd);
  if (pid < 0 && problem.empty()) problem = fmt::format("new namespaces: {}", std::strerror(errno));
  for (std::size_t i = 1; i < fds.size(); ++i) ::close(fds[i]);
  std::string message;
  ByteWriter out(message);
  if (pid < 0) {
    cgroups_.remove(spec.id);
    send_message(fds[0], std::string(1, static_cast<char>(FromSandbox::kFailed)) + problem);
    out.fixed(FromSandbox::kDead);
    out.fixed<std::int32_t>(126 << 8);
    out.fixed<std::uint8_t>(0);
    send_message(fds[0], message);
    ::close(fds[0]);
    return;
  }
  children_[pid] = {spec.id, fds[0], spec.argv.empty() ? ::fcntl(pidfd, F_DUPFD_CLOEXEC, 0) : -1};
  out.fixed(FromSandbox::kStarted);
  out.fixed<std::int32_t>(pid);
  send_message(fds[0], message, std::span<const int>(&pidfd, 1));
  ::close(pidfd);
}

void Spawner::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto child = children_.find(pid);
    if (child == children_.end()) continue;
    std::string message;
    ByteWriter out(message);
    out.fixed(FromSandbox::kDead);
    out.fixed<std::int32_t>(status);
    out.fixed<std::uint8_t>(cgroups_.was_out_of_memory(child->second.id));
    cgroups_.remove(child->second.id);
    send_message(child->second.control, message);
    ::close(child->second.control);
    if (child->second.pidfd >= 0) ::close(child->second.pidfd);
    children_.erase(child);
  }
}

void Spawner::handle_message() {
  const Received received = receive_message(socket_);
  if (received.error != 0) {  // the daemon is gone
    for (const auto& [pid, child] : children_) {
      // A plain process's init must end its descendants itself; it notices the same end of file.
      if (tier_ != Tier::kProcesses) ::kill(pid, SIGKILL);
    }
    for (const auto& [pid, child] : children_) {
      if (tier_ != Tier::kProcesses) ::waitpid(pid, nullptr, 0);
      cgroups_.remove(child.id);
    }
    ::_exit(0);
  }
  const std::string_view body = std::string_view(received.bytes).substr(1);
  switch (static_cast<ToSpawner>(received.bytes[0])) {
    case ToSpawner::kSpawn: {
      const Result<Spec, Failure> spec = decode(body);
      if (spec && (received.fds.size() == 3 || received.fds.size() == 4)) return spawn(*spec, received.fds);
      for (int fd : received.fds) ::close(fd);
      return;
    }
    case ToSpawner::kMemory: {
      ByteReader in(body);
      const std::string id = in.text();
      static_cast<void>(cgroups_.set_memory(id, in.fixed<std::uint64_t>()));
      return;
    }
  }
}

void Spawner::run() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int children = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  pollfd fds[] = {{socket_, POLLIN, 0}, {children, POLLIN, 0}};
  for (;;) {
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) ::_exit(1);
    if (fds[1].revents) {
      signalfd_siginfo info;
      while (::read(children, &info, sizeof(info)) > 0) {
      }
      reap();
    }
    if (fds[0].revents) handle_message();
  }
}

}  // namespace

void run_spawner(int socket, ProbeReport& report, std::optional<Tier> forced_tier) {
  ::prctl(PR_SET_NAME, "atoll-spawner", 0, 0, 0);
  ::setsid();
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  Spawner spawner(socket, report);
  spawner.probe(forced_tier);
  spawner.run();
}

}  // namespace reef::sandbox
