#include "engine/task/tasks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/image/layer.h"
#include "engine/sandbox/trust.h"
#include "engine/store/shard.h"

namespace reef::task {
namespace {
namespace fs = std::filesystem;

constexpr std::uint32_t kAddressFirst = 0xAC1F0010, kAddressLast = 0xAC1FFFF0;   // 172.31.0.16 and on: a default VPC's
constexpr std::uint32_t kLoopbackFirst = 0x7F1F0010;                             // 127.31.0.16 and on

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}
std::optional<std::uint32_t> parse_address(std::string_view text) {
  in_addr out{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &out) != 1) return std::nullopt;
  return ntohl(out.s_addr);
}

}  // namespace

Time Tasks::now() const { return store::Shard::control().now(); }

void Tasks::claim(const std::string& address) {
  claimed_.write([&](auto& all) { all.insert(address); });
}

void Tasks::start() {
  std::error_code error;
  fs::create_directories(options_.folder, error);
  for (const auto& entry : fs::directory_iterator(options_.folder, error)) static_cast<void>(image::remove_tree(AT_FDCWD, entry.path().string()));
}

std::vector<std::pair<std::string, std::string>> Tasks::trust_environment() {
  if (options_.trust.empty()) return {};
  return sandbox::trust_environment(sandboxes_.capabilities().tier == sandbox::Tier::kProcesses ? options_.trust : sandbox::kTrustFolder);
}

bool Tasks::isolated() {
  const sandbox::Capabilities& can = sandboxes_.capabilities();
  return can.isolated_network && can.tier != sandbox::Tier::kProcesses;
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> usable_addresses(std::string_view range) {
  const auto slash = range.find('/');
  const auto base = parse_address(range.substr(0, slash));
  const auto bits = slash == std::string_view::npos ? std::nullopt : parse_int<int>(range.substr(slash + 1));
  if (!base || !bits || *bits < 8 || *bits > 28) return std::nullopt;
  const std::uint32_t mask = ~0u << (32 - *bits);
  return std::pair((*base & mask) + 4, (*base | ~mask) - 1);
}

void Tasks::note_used(std::string_view address) {
  const auto used = parse_address(address);
  if (used && isolated()) claim(std::string(address));
  for (const auto [first, last] : {std::pair(kAddressFirst, kAddressLast), std::pair(kLoopbackFirst, kLoopbackFirst + (kAddressLast - kAddressFirst))})
    if (used && *used >= first && *used <= last) next_address_[first] = std::max(next_address_[first], *used - first + 1);
}

std::string Tasks::take_address(std::string_view range) {
  const auto usable = isolated() ? usable_addresses(range) : std::nullopt;
  const auto [first, last] = usable ? *usable : isolated() ? std::pair(kAddressFirst, kAddressLast) : std::pair(kLoopbackFirst, kLoopbackFirst + (kAddressLast - kAddressFirst));
  const std::uint32_t size = last - first + 1;
  // Round and round, so that an address that was just let go is not somebody else's at once.
  std::uint32_t& next = next_address_[first];
  for (std::uint32_t tried = 0; tried < size; ++tried) {
    const std::string text = address_text(first + next++ % size);
    if (addresses_.insert(text).second) return text;
  }
  return {};
}

void Tasks::run(TaskPlan plan, std::string address, TaskEvents events) {
  // Once, before the first image is unpacked: that is done on other threads. Not at the start, which would wait for the probe.
  if (!std::exchange(owners_set_, true)) images_.set_owners({sandboxes_.capabilities().image_ids_first, sandboxes_.capabilities().image_ids});
  std::vector<ContainerRule> rules;
  for (const ContainerPlan& container : plan.containers) rules.push_back(container.rule);
  const auto task = std::make_shared<LiveTask>(std::move(plan), std::move(events), std::move(rules), now());
  task->address = std::move(address);
  if (isolated() && task->plan.network == Network::kOwn) claim(task->address);
  tasks_[task->plan.id] = task;
  for (std::size_t i = 0; i < task->containers.size(); ++i) {
    task->containers[i].ports = task->plan.containers[i].ports;
    if (task->plan.network == Network::kBridge) {
      task->containers[i].address = take_address();
      if (isolated()) claim(task->containers[i].address);
    }
  }
  for (const Volume& volume : task->plan.volumes) {
    if (!volume.folder.empty()) continue;
    std::error_code error;
    const std::string folder = fmt::format("{}/{}/{}", options_.folder, task->plan.id, volume.name);
    fs::create_directories(folder, error);
    if (const auto owner = sandboxes_.capabilities().image_ids_first) static_cast<void>(!::chown(folder.c_str(), owner, owner));
    ::chmod(folder.c_str(), 0777);
  }
  if (isolated() && task->plan.network == Network::kOwn) spawn_holder(task);
  else task->holder_ready = true;
  open_images(task).detach();
}

void Tasks::spawn_holder(const TaskPtr& task) {
  sandbox::Spec spec;
  spec.id = fmt::format("task-{}-{}", ::getpid(), make_token(thread_random(), 12));
  spec.address = task->address;
  spec.host_port = static_cast<std::uint16_t>(options_.api_port);
  spec.uid = spec.gid = 0;  // whom the containers' own namespaces map from
  sandbox_owners_[spec.id] = task->plan.id;
  const std::weak_ptr<LiveTask> weak = task;
  task->holder = sandboxes_.spawn(io::Reactor::current(), spec, {
      .on_ready = [this, weak](std::vector<int>) {
        const auto self = weak.lock();
        if (!self || self->ended) return;
        self->holder_ready = true;
        networks_[self->address] = self->holder;
        step(self);
      },
      .on_output = {},
      .on_exit = [this, weak, id = spec.id](const sandbox::Exit& exit) {
        sandbox_owners_.erase(id);
        const auto self = weak.lock();
        if (!self || self->ended) return;
        self->machine.stop(StopCode::kFailedToStart, "the task's network failed: " + exit.start_failure, now());
        step(self);
      }});
}

Task<void> Tasks::open_images(TaskPtr task) {
  task->pull_started = now();
  for (std::size_t i = 0; i < task->containers.size() && !task->ended; ++i) {
    auto opened = co_await images_.open(task->plan.containers[i].image);
    if (opened) {
      task->containers[i].image_digest = opened->digest;
      task->containers[i].image = *std::move(opened);
      continue;
    }
    const std::string name = task->plan.containers[i].image.text();
    task->machine.failed_to_start(i, opened.error().code == ENOENT
                                         ? fmt::format("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {0}: {0}: not found. "
                                                       "Import it with: atoll image import <archive> --name {0}", name)
                                         : "CannotPullContainerError: " + opened.error().message, now());
    break;
  }
  task->pull_stopped = now();
  task->images_ready = true;
  step(task);
}

void Tasks::step(const TaskPtr& task) {
  if (task->stepping || task->ended) return;
  const bool fails = task->machine.state() == TaskState::kStopping;
  if (!fails && (!task->holder_ready || !task->images_ready)) return;
  task->stepping = true;
  // Acting may tell the machine more at once.
  for (int rounds = 0; rounds < 64; ++rounds) {
    const auto actions = task->machine.apply(now());
    if (actions.empty()) break;
    for (const Action& action : actions) act(task, action);
  }
  task->stepping = false;
  io::Reactor& reactor = io::Reactor::current();
  reactor.cancel(std::exchange(task->timer, 0));
  if (task->machine.state() == TaskState::kStopped) return end(task);
  if (const auto wakes = task->machine.wakes())
    task->timer = reactor.at(*wakes, [this, weak = std::weak_ptr(task)] {
      if (const auto self = weak.lock()) step(self);
    });
  if (task->events.on_change) task->events.on_change();
}

void Tasks::act(const TaskPtr& task, const Action& action) {
  switch (action.kind) {
    case Action::Kind::kStart: return start_container(task, action.container);
    case Action::Kind::kStop: return stop_container(task, action.container);
    case Action::Kind::kProbe: return probe(task, action.container);
  }
}

void Tasks::end(const TaskPtr& task) {
  task->ended = true;
  networks_.erase(task->address);
  addresses_.erase(task->address);
  for (LiveContainer& container : task->containers) {
    container.forwards.clear();
    if (container.address.empty()) continue;
    networks_.erase(container.address);
    addresses_.erase(container.address);
  }
  if (task->holder) task->holder->kill();
  if (!task->plan.volumes.empty()) static_cast<void>(image::remove_tree(AT_FDCWD, options_.folder + "/" + task->plan.id));
  const TaskEvents events = std::exchange(task->events, {});
  if (events.on_change) events.on_change();
  tasks_.erase(task->plan.id);
}

void Tasks::stop(std::string_view id, StopCode code, std::string reason) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return;
  const TaskPtr task = found->second;
  task->machine.stop(code, std::move(reason), now());
  step(task);
}

void Tasks::kill_all() {
  for (const auto& [id, task] : tasks_) {
    task->events = {};
    task->ended = true;
    io::Reactor::current().cancel(task->timer);
    for (LiveContainer& container : task->containers)
      if (container.sandbox) container.sandbox->kill();
    if (task->holder) task->holder->kill();
    static_cast<void>(image::remove_tree(AT_FDCWD, options_.folder + "/" + id));
  }
  tasks_.clear();
  networks_.clear();
  addresses_.clear();
  claimed_.write([](auto& all) { all.clear(); });
}

const LiveTask* Tasks::find(std::string_view id) const {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : found->second.get();
}

const LiveTask* Tasks::owner_of(std::string_view sandbox) const {
  const auto found = sandbox_owners_.find(sandbox);
  return found == sandbox_owners_.end() ? nullptr : find(found->second);
}

sandbox::Usage Tasks::usage(std::string_view id) const {
  sandbox::Usage out;
  if (const LiveTask* task = find(id))
    for (const LiveContainer& container : task->containers) {
      if (!container.sandbox) continue;
      const sandbox::Usage one = container.sandbox->usage();
      out.processor += one.processor;
      out.memory_bytes += one.memory_bytes;
    }
  return out;
}

std::optional<std::uint32_t> Tasks::exec(std::string_view id, std::size_t container, const sandbox::Run& run, sandbox::RunEvents events) {
  const LiveTask* task = find(id);
  if (!task || container >= task->containers.size() || task->machine.containers()[container].state != ContainerState::kRunning) return std::nullopt;
  return task->containers[container].sandbox->run(run, std::move(events));
}

void Tasks::type(std::string_view id, std::size_t container, std::uint32_t run, std::string_view bytes) {
  const LiveTask* task = find(id);
  if (task && container < task->containers.size() && task->containers[container].sandbox) task->containers[container].sandbox->type(run, bytes);
}
void Tasks::resize(std::string_view id, std::size_t container, std::uint32_t run, sandbox::TerminalSize size) {
  const LiveTask* task = find(id);
  if (task && container < task->containers.size() && task->containers[container].sandbox) task->containers[container].sandbox->resize(run, size);
}
void Tasks::stop_run(std::string_view id, std::size_t container, std::uint32_t run) {
  const LiveTask* task = find(id);
  if (task && container < task->containers.size() && task->containers[container].sandbox) task->containers[container].sandbox->stop_run(run);
}

void Tasks::connect_to(std::string_view ip, int port, std::function<void(Result<int, Failure>)> done) {
  const auto found = networks_.find(ip);
  const auto inside = found == networks_.end() ? nullptr : found->second.lock();
  const auto address = parse_address(ip);
  if (!inside || !address) return done(Err(Failure{fmt::format("connect {}:{}: no task has this address", ip, port), EHOSTUNREACH}));
  inside->connect(static_cast<std::uint16_t>(port), std::move(done), *address);
}

std::optional<Task<Result<int, Failure>>> Tasks::dial(std::string_view ip, int port) {
  if (!claimed_.read([&](const auto& all) { return all.contains(ip); })) return std::nullopt;
  return [](Tasks& tasks, std::string to, int at) -> Task<Result<int, Failure>> {
    store::Shard& home = store::Shard::current();
    co_await store::Shard::control().enter();
    Later<Result<int, Failure>> later;
    tasks.connect_to(to, at, [&later](Result<int, Failure> fd) { later.set(std::move(fd)); });
    Result<int, Failure> out = co_await later;
    co_await home.enter();
    co_return out;
  }(*this, std::string(ip), port);
}

bool Tasks::adopt(sandbox::Destination to, int fd) {
  const std::string ip = address_text(to.address);
  if (!claimed_.read([&](const auto& all) { return all.contains(ip); })) return false;
  connect_to(ip, to.port, [this, from = std::make_shared<io::Fd>(fd)](Result<int, Failure> inside) {
    if (!inside) {
      const linger now{1, 0};  // as the refusal that it is
      ::setsockopt(from->get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
      return;
    }
    io::set_no_delay(from->get());
    io::set_no_delay(*inside);
    const auto at = relays_.emplace(relays_.end());
    *at = std::make_unique<sandbox::Relay>(io::Reactor::current(), from->release(), *inside, [this, at] {
      io::Reactor::current().post([this, at] { relays_.erase(at); });
    });
  });
  return true;
}

}  // namespace reef::task
