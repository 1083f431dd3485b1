// The part of Tasks that deals with single containers: starting, probing and stopping their sandboxes.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "engine/sandbox/trust.h"
#include "engine/task/tasks.h"

namespace reef::task {
namespace {

// A file of the image, whatever links it has; "" when there is none.
std::string image_file(const std::string& root, const char* name) {
  const io::Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const io::Fd file(static_cast<int>(::syscall(SYS_openat2, folder.get(), name, &how, sizeof(how))));
  struct stat info{};
  constexpr off_t kBytesMax = 1 << 20;
  if (!file || ::fstat(file.get(), &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > kBytesMax) return {};
  std::string out(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = ::read(file.get(), out.data(), out.size());
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return out;
}

int exit_code(const sandbox::Exit& exit) { return exit.signal != 0 ? 128 + exit.signal : exit.code; }

}  // namespace

void Tasks::start_container(const TaskPtr& task, std::size_t index) {
  LiveContainer& live = task->containers[index];
  const std::string& root = *live.image.root;
  auto spec = make_container_spec(*task, index, isolated(), options_.folder, options_.api_port, image_file(root, "etc/passwd"), image_file(root, "etc/group"));
  if (spec && sandboxes_.capabilities().tier == sandbox::Tier::kProcesses && (!spec->binds.empty() || !spec->scratches.empty()))
    spec = Err(Failure{"volumes and tmpfs need namespaces, and this machine runs tasks as plain processes (see atoll doctor)"});
  if (spec && !options_.trust.empty() && sandboxes_.capabilities().tier != sandbox::Tier::kProcesses) spec->binds.push_back({options_.trust, sandbox::kTrustFolder});
  if (!spec) return task->machine.failed_to_start(index, "CannotStartContainerError: " + spec.error().message, now());
  const bool own_network = isolated() && task->plan.network == Network::kBridge;
  if (task->plan.network == Network::kBridge) {
    forward_ports(task, index);
    if (task->machine.containers()[index].state == ContainerState::kStopped) return;
  }
  const std::string id = spec->id;
  sandbox_owners_[id] = task->plan.id;
  const std::weak_ptr<LiveTask> weak = task;
  const auto line = [weak, index](sandbox::Stream stream) {
    return [weak, index, stream](std::string_view text) {
      const auto self = weak.lock();
      if (self && self->events.on_line) self->events.on_line(index, stream, text);
    };
  };
  live.sandbox = sandboxes_.spawn(io::Reactor::current(), *std::move(spec), {
      .on_ready = [this, weak, index, own_network](std::vector<int>) {
        const auto self = weak.lock();
        if (!self || self->ended) return;
        if (own_network) networks_[self->containers[index].address] = self->containers[index].sandbox;
        self->machine.started(index, now());
        step(self);
      },
      .on_output = [weak, index, line](sandbox::Stream stream, std::string_view bytes) {
        if (const auto self = weak.lock()) (stream == sandbox::Stream::kOut ? self->containers[index].out : self->containers[index].err).add(bytes, line(stream));
      },
      .on_exit = [this, weak, index, line, id](const sandbox::Exit& exit) {
        sandbox_owners_.erase(id);
        const auto self = weak.lock();
        if (!self || self->ended) return;
        LiveContainer& ended = self->containers[index];
        ended.out.finish(line(sandbox::Stream::kOut));
        ended.err.finish(line(sandbox::Stream::kErr));
        ended.forwards.clear();
        if (!ended.address.empty()) networks_.erase(ended.address);
        io::Reactor::current().cancel(std::exchange(ended.probe_timer, 0));
        if (!exit.start_failure.empty()) {
          self->machine.failed_to_start(index, "CannotStartContainerError: " + exit.start_failure, now());
        } else {
          self->machine.exited(index, exit_code(exit), exit.out_of_memory ? "OutOfMemoryError: Container killed due to memory usage" : "", now());
        }
        step(self);
      }});
}

void Tasks::forward_ports(const TaskPtr& task, std::size_t index) {
  LiveContainer& live = task->containers[index];
  for (std::size_t i = 0; i < live.ports.size(); ++i) {
    Port& port = live.ports[i];
    if (!isolated()) {
      port.host = port.container;  // there is only the host's network
      continue;
    }
    if (port.udp) continue;
    auto forward = PortForward::listen(io::Reactor::current(), task->plan.containers[index].ports[i].host, [this, address = live.address, to = port.container](PortForward::Connected done) {
      connect_to(address, to, std::move(done));
    });
    if (!forward) return task->machine.failed_to_start(index, fmt::format("CannotStartContainerError: driver failed programming external connectivity: {}", forward.error().message), now());
    port.host = static_cast<std::uint16_t>((*forward)->port());
    live.forwards.push_back(*std::move(forward));
  }
}

void Tasks::stop_container(const TaskPtr& task, std::size_t index) {
  LiveContainer& live = task->containers[index];
  if (!live.sandbox) return task->machine.exited(index, 137, {}, now());
  live.sandbox->stop(signal_number(live.image.config.stop_signal), task->plan.containers[index].stop_patience);
}

std::optional<sandbox::Run> Tasks::environment_of(std::string_view id, std::size_t index) {
  const LiveTask* task = find(id);
  if (!task || index >= task->containers.size() || !task->containers[index].image.root) return std::nullopt;
  const std::string& root = *task->containers[index].image.root;
  auto spec = make_container_spec(*task, index, isolated(), options_.folder, options_.api_port, image_file(root, "etc/passwd"), image_file(root, "etc/group"));
  if (!spec) return std::nullopt;
  return sandbox::Run{.argv = {}, .env = std::move(spec->env), .cwd = std::move(spec->cwd)};
}

void Tasks::probe(const TaskPtr& task, std::size_t index) {
  LiveContainer& live = task->containers[index];
  const ContainerPlan& plan = task->plan.containers[index];
  sandbox::Run run;
  if (!plan.probe.empty() && plan.probe[0] == "CMD-SHELL") run.argv = {"/bin/sh", "-c", plan.probe.size() > 1 ? plan.probe[1] : ""};
  else if (!plan.probe.empty() && plan.probe[0] == "CMD") run.argv.assign(plan.probe.begin() + 1, plan.probe.end());
  else run.argv = plan.probe;
  if (auto given = environment_of(task->plan.id, index)) {
    run.env = std::move(given->env);
    run.cwd = std::move(given->cwd);
  }
  const std::weak_ptr<LiveTask> weak = task;
  live.probe_run = live.sandbox->run(run, {.on_output = {}, .on_exit = [this, weak, index](const sandbox::Exit& exit) {
    const auto self = weak.lock();
    if (!self || self->ended) return;
    io::Reactor::current().cancel(std::exchange(self->containers[index].probe_timer, 0));
    self->machine.probed(index, exit.start_failure.empty() && exit.signal == 0 && exit.code == 0, now());
    step(self);
  }});
  live.probe_timer = io::Reactor::current().after(plan.rule.health->timeout, [weak, index] {
    const auto self = weak.lock();
    if (!self || self->ended) return;
    self->containers[index].probe_timer = 0;
    self->containers[index].sandbox->stop_run(self->containers[index].probe_run);
  });
}

}  // namespace reef::task
