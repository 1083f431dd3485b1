#include "engine/sandbox/live_sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"
#include "engine/sandbox/fd_message.h"
#include "engine/sandbox/init.h"
#include "engine/sandbox/process_tree.h"

namespace reef::sandbox {

std::shared_ptr<LiveSandbox> LiveSandbox::spawn(io::Reactor& reactor, int spawner, const Capabilities& can, Spec spec, Events events, int channel,
                                                OutboundPolicy policy, DnsHook dns, AdoptHook adopt) {
  const std::shared_ptr<LiveSandbox> sandbox(new LiveSandbox(reactor));
  sandbox->id_ = spec.id;
  sandbox->spawner_ = spawner;
  sandbox->isolated_network_ = spec.network == Network::kIsolated;
  sandbox->plain_process_ = can.tier == Tier::kProcesses;
  sandbox->cgroups_ = Cgroups(can.cgroups);
  sandbox->events_ = std::move(events);
  sandbox->policy_ = std::move(policy);
  sandbox->dns_ = std::move(dns);
  sandbox->adopt_ = std::move(adopt);
  sandbox->self_ = sandbox;

  int control[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
  std::string problem;
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 || ::pipe2(out, O_CLOEXEC) < 0 ||
      ::pipe2(err, O_CLOEXEC) < 0) {
    problem = fmt::format("descriptors for a sandbox: {}", std::strerror(errno));
  } else {
    const std::string message = std::string(1, static_cast<char>(ToSpawner::kSpawn)) + encode(spec);
    const int fds[] = {control[1], out[1], err[1], channel};
    if (const int error = send_message(spawner, message, std::span(fds, channel < 0 ? 3 : 4))) problem = fmt::format("spawner: {}", std::strerror(error));
  }
  for (int fd : {control[1], out[1], err[1], channel})
    if (fd >= 0) ::close(fd);
  if (!problem.empty()) {
    for (int fd : {control[0], out[0], err[0]})
      if (fd >= 0) ::close(fd);
    sandbox->exit_.start_failure = problem;
    sandbox->reactor_.post([sandbox] { sandbox->finish(126 << 8, false); });
    return sandbox;
  }
  sandbox->watch(sandbox->control_, control[0], &LiveSandbox::read_control);
  sandbox->watch(sandbox->out_, out[0], &LiveSandbox::read_out);
  sandbox->watch(sandbox->err_, err[0], &LiveSandbox::read_err);
  return sandbox;
}

LiveSandbox::~LiveSandbox() {
  while (!beside_.empty()) end_beside(beside_.begin()->first, true);
  close(control_);
  close(out_);
  close(err_);
  if (pidfd_ >= 0) ::close(pidfd_);
  if (peak_memory_ >= 0) ::close(peak_memory_);
}

void LiveSandbox::watch(Watch& watch, int fd, void (LiveSandbox::*ready)()) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  watch.owner = this;
  watch.fd = fd;
  watch.ready = ready;
  reactor_.watch(fd, EPOLLIN, &watch);
}

void LiveSandbox::close(Watch& watch) {
  if (watch.fd < 0) return;
  reactor_.unwatch(watch.fd, &watch);
  ::close(watch.fd);
  watch.fd = -1;
}

void LiveSandbox::read_output(Watch& watch, Stream stream) {
  char buffer[16384];
  for (int round = 0; round < 64 && watch.fd >= 0; ++round) {
    const ssize_t size = ::read(watch.fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return close(watch);
    if (events_.on_output) events_.on_output(stream, {buffer, static_cast<std::size_t>(size)});
  }
}

void LiveSandbox::read_control() {
  for (int round = 0; round < 16 && control_.fd >= 0; ++round) {
    Received received = receive_message(control_.fd, MSG_DONTWAIT);
    if (received.error == EAGAIN) return;
    // Without a word from the spawner: it died, and the sandbox with it.
    if (received.error != 0) return finish(SIGKILL, false);
    handle(received.bytes, std::move(received.fds));
  }
}

void LiveSandbox::handle(std::string_view message, std::vector<int> fds) {
  ByteReader in(message.substr(1));
  switch (static_cast<FromSandbox>(message[0])) {
    case FromSandbox::kStarted:
      pid_ = in.fixed<std::int32_t>();
      if (!fds.empty()) pidfd_ = fds[0];
      if (killed_before_start_) kill();
      return;
    case FromSandbox::kReady: {
      std::vector<int> listeners;
      if (fds.size() >= 2) {
        outbound_ = std::make_unique<Outbound>(reactor_, id_, fds[0], fds[1], policy_, dns_, adopt_);
        listeners.assign(fds.begin() + 2, fds.end());
      }
      if (events_.on_ready) events_.on_ready(std::move(listeners));
      return;
    }
    case FromSandbox::kFailed: exit_.start_failure = message.substr(1); return;
    case FromSandbox::kAttached: {
      if (attaching_.empty()) return;
      const auto done = std::move(attaching_.front());
      attaching_.pop_front();
      if (message.size() > 1) return done(Err(Failure{std::string(message.substr(1))}));
      return done({});
    }
    case FromSandbox::kExited: workload_status_ = in.fixed<std::int32_t>(); return;
    case FromSandbox::kOutOfMemory: exit_.out_of_memory = true; return;
    case FromSandbox::kConnected: {
      const int error = in.fixed<std::int32_t>();
      if (connecting_.empty()) {
        for (int fd : fds) ::close(fd);
        return;
      }
      const auto done = std::move(connecting_.front());
      connecting_.pop_front();
      if (error != 0 || fds.empty()) return done(Err(Failure{std::strerror(error), error}));
      return done(fds[0]);
    }
    case FromSandbox::kRan: {
      const auto found = beside_.find(in.fixed<std::uint32_t>());
      if (found == beside_.end()) return;
      const int status = in.fixed<std::int32_t>();
      Exit exit{.start_failure = in.text()};
      if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
      else exit.code = WEXITSTATUS(status);
      found->second->exit = std::move(exit);
      return end_beside(found->first, false);
    }
    case FromSandbox::kDead: {
      const int status = in.fixed<std::int32_t>();
      return finish(status, in.fixed<std::uint8_t>() != 0);
    }
  }
}

void LiveSandbox::finish(int wait_status, bool out_of_memory) {
  if (!self_) return;
  const std::shared_ptr<LiveSandbox> keep = std::exchange(self_, nullptr);
  close(control_);
  read_out();
  read_err();
  close(out_);
  close(err_);
  outbound_.reset();
  reactor_.cancel(stop_timer_);
  const int status = workload_status_.value_or(wait_status);
  if (exit_.out_of_memory || out_of_memory) {
    exit_.out_of_memory = true;
    exit_.signal = SIGKILL;
  } else if (WIFSIGNALED(status)) {
    exit_.signal = WTERMSIG(status);
  } else {
    exit_.code = WEXITSTATUS(status);
  }
  while (!beside_.empty()) end_beside(beside_.begin()->first, true);
  for (auto& done : std::exchange(attaching_, {})) done(Err(Failure{"the sandbox ended"}));
  for (auto& done : std::exchange(connecting_, {})) done(Err(Failure{"the sandbox ended", ECONNREFUSED}));
  const Events events = std::exchange(events_, {});
  if (events.on_exit) events.on_exit(exit_);
}

void LiveSandbox::send(std::string_view message) {
  if (control_.fd >= 0) send_message(control_.fd, message);
}

void LiveSandbox::attach(const std::vector<Bind>& binds, std::function<void(Result<void, Failure>)> done) {
  std::string message(1, static_cast<char>(ToInit::kAttach));
  ByteWriter out(message);
  out.varint(binds.size());
  for (const Bind& bind : binds) {
    out.bytes(bind.source);
    out.bytes(bind.target);
  }
  attaching_.push_back(std::move(done));
  send(message);
}

void LiveSandbox::signal(int number) {
  const char message[] = {static_cast<char>(ToInit::kSignal), static_cast<char>(number)};
  send({message, sizeof(message)});
}

void LiveSandbox::stop(int number, Duration patience) {
  signal(number);
  if (stop_timer_ == 0)
    stop_timer_ = reactor_.after(patience, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->kill();
    });
}

void LiveSandbox::kill() {
  if (!self_) return;
  if (pidfd_ < 0) {
    killed_before_start_ = true;
    return;
  }
  // A plain process has no namespace that ends with it: its init ends the descendants first.
  if (plain_process_)
    send(std::string(1, static_cast<char>(ToInit::kKill)));
  else
    ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
}

void LiveSandbox::set_memory_limit(std::uint64_t bytes) {
  std::string message(1, static_cast<char>(polls_memory() ? static_cast<char>(ToInit::kMemory) : static_cast<char>(ToSpawner::kMemory)));
  ByteWriter out(message);
  if (polls_memory()) {
    out.fixed<std::uint64_t>(bytes);
    return send(message);
  }
  out.bytes(id_);
  out.fixed<std::uint64_t>(bytes);
  send_message(spawner_, message);
}

void LiveSandbox::flush_output() {
  const auto keep = shared_from_this();
  read_out();
  read_err();
}

std::uint64_t LiveSandbox::memory_bytes() const {
  if (!polls_memory()) {
    if (peak_memory_ < 0) peak_memory_ = cgroups_.open_peak_memory(id_);
    char text[32] = {};
    return peak_memory_ >= 0 && ::pread(peak_memory_, text, sizeof text - 1, 0) > 0 ? std::strtoull(text, nullptr, 10) : 0;
  }
  return pid_ > 0 ? resident_bytes(descendants_of(pid_)) : 0;
}

void LiveSandbox::connect(std::uint16_t port, std::function<void(Result<int, Failure>)> done, std::uint32_t address) {
  if (control_.fd < 0) return done(Err(Failure{"the sandbox ended", ECONNREFUSED}));
  std::string message(1, static_cast<char>(ToInit::kConnect));
  ByteWriter out(message);
  out.fixed(port);
  out.fixed(address);
  connecting_.push_back(std::move(done));
  send(message);
}

}  // namespace reef::sandbox
