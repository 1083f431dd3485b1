#include "engine/sandbox/sandboxes.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "engine/sandbox/fd_message.h"
#include "engine/sandbox/live_sandbox.h"

namespace reef::sandbox {

Time workload_time() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Result<std::unique_ptr<Sandboxes>, Failure> Sandboxes::start(std::optional<Tier> forced) {
  void* shared = ::mmap(nullptr, sizeof(ProbeReport), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return Err(Failure{"mmap", errno});
  auto* report = new (shared) ProbeReport;
  ::sem_init(&report->ready, 1, 0);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return Err(Failure{"socketpair", errno});
  const int buffer = 1 << 20;
  ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  const pid_t pid = ::fork();
  if (pid < 0) return Err(Failure{"fork", errno});
  if (pid == 0) {
    ::close(pair[0]);
    run_spawner(pair[1], *report, forced);
  }
  ::close(pair[1]);
  return std::unique_ptr<Sandboxes>(new Sandboxes(pair[0], pid, report));
}

Sandboxes::~Sandboxes() {
  ::close(socket_);
  ::waitpid(spawner_, nullptr, 0);
  ::munmap(report_, sizeof(ProbeReport));
}

const Capabilities& Sandboxes::capabilities() {
  std::call_once(capabilities_once_, [this] {
    timespec deadline{};
    ::clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    int result;
    do result = ::sem_timedwait(&report_->ready, &deadline);
    while (result < 0 && errno == EINTR);
    if (result < 0) {
      capabilities_.missing.push_back({"the spawner process does not answer", "restart atoll"});
      return;
    }
    capabilities_.tier = report_->tier;
    capabilities_.isolated_network = report_->isolated_network;
    capabilities_.cgroups = report_->cgroups;
    capabilities_.image_ids_first = report_->image_ids_first;
    capabilities_.image_ids = report_->image_ids;
    ByteReader in({report_->missing, report_->missing_bytes});
    while (!in.at_end() && in.ok()) {
      Missing entry{in.text(), in.text()};
      capabilities_.missing.push_back(std::move(entry));
    }
  });
  return capabilities_;
}

std::shared_ptr<Sandbox> Sandboxes::spawn(io::Reactor& reactor, Spec spec, Events events, int channel) {
  const Capabilities& can = capabilities();
  if (!can.isolated_network || can.tier == Tier::kProcesses) spec.network = Network::kHost;
  return LiveSandbox::spawn(reactor, socket_, can, std::move(spec), std::move(events), channel, policy_, dns_, adopt_);
}

}  // namespace reef::sandbox
