// Processes beside the workload: LiveSandbox::run and what follows from it.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>

#include <fmt/format.h>

#include "base/bytes.h"
#include "engine/sandbox/fd_message.h"
#include "engine/sandbox/init.h"
#include "engine/sandbox/live_sandbox.h"

namespace reef::sandbox {

namespace {

constexpr std::size_t kTypedMax = 1 << 20;

// The near end becomes out[0]; the far end out[1], and once more err[1]. Of the sandbox's own terminals, which it knows by
// name, where it has some and may be looked into.
int open_terminal(int sandbox, TerminalSize size, int (&out)[2], int (&err)[2]) {
  if (sandbox > 0) out[0] = ::open(fmt::format("/proc/{}/root/dev/pts/ptmx", sandbox).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (out[0] < 0) out[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (out[0] < 0 || ::unlockpt(out[0]) < 0) return errno;
  out[1] = ::ioctl(out[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  // So that it can be opened by its name as well; only root may give it away.
  struct stat owner{};
  if (out[1] >= 0 && sandbox > 0 && ::stat(fmt::format("/proc/{}", sandbox).c_str(), &owner) == 0) static_cast<void>(!::fchown(out[1], owner.st_uid, owner.st_gid));
  err[1] = out[1] < 0 ? -1 : ::fcntl(out[1], F_DUPFD_CLOEXEC, 0);
  if (err[1] < 0) return errno;
  const winsize window{size.rows, size.columns, 0, 0};
  return ::ioctl(out[1], TIOCSWINSZ, &window) < 0 ? errno : 0;
}

}  // namespace

std::uint32_t LiveSandbox::run(const Run& run, RunEvents events) {
  const std::uint32_t number = next_beside_++;
  auto beside = std::make_unique<Beside>();
  beside->events = std::move(events);
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  std::string message(1, static_cast<char>(ToInit::kRun));
  ByteWriter writer(message);
  writer.fixed(number);
  for (const auto* texts : {&run.argv, &run.env}) {
    writer.varint(texts->size());
    for (const std::string& text : *texts) writer.bytes(text);
  }
  writer.bytes(run.cwd);
  writer.fixed<std::uint8_t>(run.terminal ? 1 : 0);
  beside->is_terminal = run.terminal.has_value();
  int error = control_.fd < 0 ? ECONNREFUSED : 0;
  if (error == 0 && run.terminal) error = open_terminal(pid(), *run.terminal, out, err);
  else if (error == 0 && (::pipe2(out, O_CLOEXEC) < 0 || ::pipe2(err, O_CLOEXEC) < 0)) error = errno;
  if (error == 0) {
    const int fds[] = {out[1], err[1]};
    error = send_message(control_.fd, message, fds);
  }
  for (int fd : {out[1], err[1]})
    if (fd >= 0) ::close(fd);
  for (auto [pipe, fd, stream] : {std::tuple(&beside->out, out[0], Stream::kOut), std::tuple(&beside->err, err[0], Stream::kErr)}) {
    pipe->owner = this;
    pipe->number = number;
    pipe->stream = stream;
    if (fd < 0) continue;
    pipe->fd = fd;
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    reactor_.watch(fd, EPOLLIN, pipe);
  }
  beside_.emplace(number, std::move(beside));
  if (error != 0) {
    beside_[number]->exit = Exit{.code = 126, .start_failure = std::strerror(error)};
    reactor_.post([weak = weak_from_this(), number] {
      if (const auto self = weak.lock()) self->end_beside(number, true);
    });
  }
  return number;
}

void LiveSandbox::stop_run(std::uint32_t number) {
  std::string message(1, static_cast<char>(ToInit::kStopRun));
  ByteWriter(message).fixed(number);
  send(message);
}

void LiveSandbox::type(std::uint32_t number, std::string_view bytes) {
  const auto found = beside_.find(number);
  if (found == beside_.end() || !found->second->is_terminal || found->second->out.fd < 0) return;
  if (found->second->typed.size() + bytes.size() > kTypedMax) return;
  found->second->typed += bytes;
  write_beside(number);
}

void LiveSandbox::write_beside(std::uint32_t number) {
  const auto found = beside_.find(number);
  if (found == beside_.end() || found->second->out.fd < 0) return;
  Beside& beside = *found->second;
  while (!beside.typed.empty()) {
    const ssize_t size = ::write(beside.out.fd, beside.typed.data(), beside.typed.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    beside.typed.erase(0, static_cast<std::size_t>(size));
  }
  reactor_.rewatch(beside.out.fd, beside.typed.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, &beside.out);
}

void LiveSandbox::resize(std::uint32_t number, TerminalSize size) {
  const auto found = beside_.find(number);
  if (found == beside_.end() || !found->second->is_terminal || found->second->out.fd < 0) return;
  const winsize window{size.rows, size.columns, 0, 0};
  static_cast<void>(::ioctl(found->second->out.fd, TIOCSWINSZ, &window));
}

void LiveSandbox::read_beside(std::uint32_t number, Stream stream) {
  char buffer[16384];
  for (int round = 0; round < 64; ++round) {
    const auto found = beside_.find(number);
    if (found == beside_.end()) return;
    Beside::Pipe& pipe = stream == Stream::kOut ? found->second->out : found->second->err;
    if (pipe.fd < 0) return;
    const ssize_t size = ::read(pipe.fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      reactor_.unwatch(pipe.fd, &pipe);
      ::close(std::exchange(pipe.fd, -1));
      return end_beside(number, false);
    }
    if (found->second->events.on_output) found->second->events.on_output(stream, {buffer, static_cast<std::size_t>(size)});
  }
}

// Once it ended and its pipes are empty. `at_once`: whatever it may still have had to say.
void LiveSandbox::end_beside(std::uint32_t number, bool at_once) {
  const auto found = beside_.find(number);
  if (found == beside_.end()) return;
  Beside& beside = *found->second;
  if (!at_once && (!beside.exit || beside.out.fd >= 0 || beside.err.fd >= 0)) return;
  for (Beside::Pipe* pipe : {&beside.out, &beside.err}) {
    if (pipe->fd < 0) continue;
    reactor_.unwatch(pipe->fd, pipe);
    ::close(std::exchange(pipe->fd, -1));
  }
  const std::unique_ptr<Beside> ended = std::move(found->second);
  beside_.erase(found);
  const Exit exit = ended->exit.value_or(Exit{.signal = SIGKILL});
  if (ended->events.on_exit) ended->events.on_exit(exit);
}

}  // namespace reef::sandbox
