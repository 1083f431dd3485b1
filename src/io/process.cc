#include "io/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace reef::io {

Result<std::unique_ptr<Process>, Failure> Process::start(Reactor& reactor, const ProcessSpec& spec, ProcessEvents events) {
  int out[2], err[2], report[2];
  if (::pipe2(out, O_CLOEXEC) < 0 || ::pipe2(err, O_CLOEXEC) < 0 || ::pipe2(report, O_CLOEXEC) < 0)
    return Err(Failure{std::string("pipe: ") + std::strerror(errno), errno});
  std::vector<char*> argv, env;
  for (const std::string& text : spec.argv) argv.push_back(const_cast<char*>(text.c_str()));
  for (const std::string& text : spec.env) env.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  env.push_back(nullptr);
  const pid_t parent = ::getpid();

  // Between fork and execve only calls that are safe after a fork of a threaded process.
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (spec.own_group) ::setpgid(0, 0);
    if (spec.dies_with_parent) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      if (::getppid() != parent) ::_exit(127);
    }
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, 0);
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (spec.cwd.empty() || ::chdir(spec.cwd.c_str()) == 0) ::execvpe(argv[0], argv.data(), spec.env.empty() ? environ : env.data());
    const int error = errno;
    static_cast<void>(!::write(report[1], &error, sizeof(error)));
    ::_exit(127);
  }
  const int fork_error = errno;
  for (int fd : {out[1], err[1], report[1]}) ::close(fd);
  int error = pid < 0 ? fork_error : 0;
  if (pid > 0) static_cast<void>(!::read(report[0], &error, sizeof(error)));
  ::close(report[0]);
  if (error != 0) {
    ::close(out[0]);
    ::close(err[0]);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    return Err(Failure{(spec.argv.empty() ? std::string() : spec.argv[0]) + ": " + std::strerror(error), error});
  }

  auto process = std::unique_ptr<Process>(new Process(reactor));
  process->events_ = std::move(events);
  process->pid_ = pid;
  process->own_group_ = spec.own_group;
  process->pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  const auto watch = [&](Watch& w, int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    w.owner = process.get();
    w.fd = fd;
    reactor.watch(fd, EPOLLIN, &w);
  };
  watch(process->out_, out[0]);
  watch(process->err_, err[0]);
  watch(process->exit_, process->pidfd_);
  return process;
}

Process::~Process() {
  if (running()) {
    signal(SIGKILL);
    reactor_.unwatch(pidfd_, &exit_);
    ::waitpid(pid_, nullptr, 0);
    ::close(pidfd_);
  }
  close(out_);
  close(err_);
}

void Process::signal(int number) {
  if (!running()) return;
  if (own_group_)
    ::kill(-pid_, number);
  else
    ::syscall(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0);
}

void Process::close(Watch& watch) {
  if (watch.fd < 0) return;
  reactor_.unwatch(watch.fd, &watch);
  ::close(watch.fd);
  watch.fd = -1;
}

void Process::read(Watch& watch) {
  char buffer[16384];
  while (watch.fd >= 0) {
    const ssize_t size = ::read(watch.fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return close(watch);
    if (events_.on_output) events_.on_output(&watch == &err_, {buffer, static_cast<std::size_t>(size)});
  }
}

void Process::on_ready(Watch& watch) {
  if (&watch == &exit_) return reap();
  read(watch);
}

void Process::reap() {
  siginfo_t info{};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_), &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0) return;
  reactor_.unwatch(pidfd_, &exit_);
  ::close(std::exchange(pidfd_, -1));
  read(out_);
  read(err_);
  close(out_);
  close(err_);
  const ProcessEvents events = std::exchange(events_, {});
  const bool exited = info.si_code == CLD_EXITED;
  if (events.on_exit) events.on_exit(exited ? info.si_status : 0, exited ? 0 : info.si_status);
}

}  // namespace reef::io
