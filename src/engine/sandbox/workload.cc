#include "engine/sandbox/workload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "engine/sandbox/privileges.h"

namespace reef::sandbox {

pid_t copy_process() { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }

namespace {

Failure failed(const std::string& step) {
  const int error = errno;
  return {fmt::format("{}: {}", step, std::strerror(error)), error};
}

void set_limit(__rlimit_resource what, rlim_t value) {
  rlimit limit{};
  ::getrlimit(what, &limit);
  limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(value, limit.rlim_max);
  ::setrlimit(what, &limit);
}

// How the child that becomes the workload and its parent, which may map ids, take turns.
struct Turns {
  int to_parent[2] = {-1, -1}, to_child[2] = {-1, -1};
  bool open() { return ::pipe2(to_parent, O_CLOEXEC) == 0 && ::pipe2(to_child, O_CLOEXEC) == 0; }
  void tell(int (&pipe)[2]) { static_cast<void>(!::write(pipe[1], "x", 1)); }
  bool wait(int (&pipe)[2]) {
    char byte;
    return ::read(pipe[0], &byte, 1) == 1;
  }
  void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  ~Turns() {
    for (int* fd : {&to_parent[0], &to_parent[1], &to_child[0], &to_child[1]}) close(*fd);
  }
};

// A user namespace of many ids, as images that change users and owners expect. It belongs to the first of the host's
// ids, as the first process will, so that this one can reach into it later.
Result<void, Failure> enter_mapped_ids(const InitContext& context, bool sealed, Turns& turns) {
  const Spec& spec = *context.spec;
  if (sealed) {
    if (::setns(context.user_namespace, CLONE_NEWUSER) < 0) return Err(failed("enter the container's user namespace"));
  } else {
    TRY(become_user(context.outer_uid, context.outer_gid));
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (::unshare(CLONE_NEWUSER) < 0) return Err(failed("new user namespace"));
    turns.tell(turns.to_parent);
    if (!turns.wait(turns.to_child)) return Err(Failure{"the ids of the container could not be mapped"});
  }
  TRY(set_groups({spec.gid}));
  TRY(set_group(spec.gid));
  // The capabilities of root stay until execve, which takes them from everybody else.
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  TRY(set_user(spec.uid));
  return spec.uid == 0 ? keep_container_capabilities() : drop_capabilities();
}

Result<void, Failure> give_up_privileges(const InitContext& context, bool sealed, Turns& turns) {
  const Spec& spec = *context.spec;
  if (context.mapped_ids > 1) {
    TRY(enter_mapped_ids(context, sealed, turns));
    return install_seccomp(seccomp_program());
  }
  if (context.tier == Tier::kRoot) {
    if (!sealed) TRY(become_user(context.outer_uid, context.outer_gid));
    // A user namespace of its own on top: inside, the workload is who /etc/passwd says. Where the kernel forbids
    // it, it stays the unprivileged host user that it already is.
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (::unshare(CLONE_NEWUSER) == 0) TRY(map_own_ids(spec.uid, spec.gid, context.outer_uid, context.outer_gid));
  }
  TRY(drop_capabilities());
  return install_seccomp(seccomp_program());
}

// Where the program is, as execve wants it. A plain process sees the host's files: the image's are below its folder.
Result<std::string, Failure> find_program(const InitContext& context) {
  const Spec& spec = *context.spec;
  const std::string prefix = context.tier == Tier::kProcesses ? spec.image.folder : std::string();
  const std::string& name = spec.argv[0];
  if (!spec.search_path || name.find('/') != std::string::npos) return name.starts_with('/') ? prefix + name : name;
  std::string_view folders = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& variable : spec.env)
    if (variable.starts_with("PATH=")) folders = std::string_view(variable).substr(5);
  for (const std::string_view folder : split(folders, ':')) {
    const std::string path = fmt::format("{}{}/{}", prefix, folder, name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return Err(Failure{fmt::format("exec: \"{}\": executable file not found in $PATH", name), ENOENT});
}

Result<void, Failure> become_workload(const InitContext& context, bool sealed, Turns& turns) {
  const Spec& spec = *context.spec;
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0) return Err(failed("open /dev/null"));
  ::dup2(context.terminal ? context.out : null, 0);
  if (context.terminal && ::ioctl(0, TIOCSCTTY, 0) < 0) return Err(failed("take the terminal"));
  ::dup2(context.out, 1);
  ::dup2(context.err, 2);
  if (context.channel >= 0) ::dup2(context.channel, 3);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_NOFILE, spec.limits.open_files);
  if (context.tier == Tier::kUserNamespaces && context.cgroups->kind() == Cgroups::Kind::kNone)
    set_limit(RLIMIT_NPROC, spec.limits.pids);
  if (context.tier == Tier::kProcesses)
    TRY([&]() -> Result<void, Failure> {
      if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Err(failed("no_new_privs"));
      return install_seccomp(seccomp_program());
    }());
  else
    TRY(give_up_privileges(context, sealed, turns));
  // Changing credentials cleared it. Init is the parent; with it gone nothing may go on.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (context.probe) ::_exit(0);
  const std::string cwd = context.tier == Tier::kProcesses ? spec.image.folder + spec.cwd : spec.cwd;
  if (::chdir(cwd.c_str()) < 0) return Err(failed("chdir " + spec.cwd));

  std::vector<char*> argv, env;
  for (const std::string& text : spec.argv) argv.push_back(const_cast<char*>(text.c_str()));
  for (const std::string& text : spec.env) env.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  env.push_back(nullptr);
  if (!argv[0]) return Err(Failure{"no program given"});
  const std::string program = TRY(find_program(context));
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
  ::execve(program.c_str(), argv.data(), env.data());
  return Err(failed(fmt::format("execute {}", argv[0])));
}

Result<pid_t, Failure> start(InitContext& context, bool sealed) {
  int report[2];
  Turns turns;
  if (::pipe2(report, O_CLOEXEC) < 0 || !turns.open()) return Err(failed("pipe"));
  const pid_t pid = copy_process();
  if (pid < 0) return Err(failed("fork"));
  if (pid == 0) {
    ::close(report[0]);
    turns.close(turns.to_child[1]);
    const Result<void, Failure> result = become_workload(context, sealed, turns);
    const std::string& text = result.error().message;
    static_cast<void>(!::write(report[1], text.data(), text.size()));
    ::_exit(127);
  }
  ::close(report[1]);
  turns.close(turns.to_parent[1]);
  if (context.mapped_ids > 1 && !sealed && turns.wait(turns.to_parent)) {
    const auto mapped = map_ids_of(pid, context.outer_uid, context.mapped_ids);
    context.user_namespace = ::open(fmt::format("/proc/{}/ns/user", pid).c_str(), O_RDONLY | O_CLOEXEC);
    if (mapped) turns.tell(turns.to_child);
    turns.close(turns.to_child[1]);
  }
  char text[512];
  ssize_t size;
  do size = ::read(report[0], text, sizeof(text));
  while (size < 0 && errno == EINTR);
  ::close(report[0]);
  if (size <= 0) return pid;
  ::waitpid(pid, nullptr, 0);
  return Err(Failure{std::string(text, static_cast<std::size_t>(size))});
}

}  // namespace

Result<pid_t, Failure> start_workload(InitContext& context) { return start(context, false); }
Result<pid_t, Failure> start_beside(const InitContext& context) {
  InitContext own = context;
  return start(own, true);
}

}  // namespace reef::sandbox
