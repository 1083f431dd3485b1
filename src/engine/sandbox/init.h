// The first process of every sandbox: sets it up, starts the workload, reaps, forwards signals, watches memory
// where control groups cannot, and ends with the workload. It runs in a copy of the small spawner process.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "engine/sandbox/cgroup.h"
#include "engine/sandbox/spec.h"

namespace reef::sandbox {

// What travels on a sandbox's control socket; the first byte of each message.
enum class ToInit : char {
  kAttach = 'A',   // later binds: count, then source and target each
  kSignal = 'S',   // u8: signal to the workload
  kKill = 'K',     // end everything now
  kMemory = 'M',   // u64: limit, where init polls
  kConnect = 'C',  // u16 port, u32 address in host byte order: a connection inside
  kRun = 'X',      // u32 number, argv, env, text folder: one more process beside the workload, u8 whether it gets a terminal; carries stdout and stderr
  kStopRun = 'x',  // u32 number: ends it
};
enum class FromSandbox : char {
  kStarted = 'P',    // by the spawner: i32 pid; carries its pidfd
  kReady = 'R',      // the workload was executed; carries the daemon's sockets
  kFailed = 'F',     // text: it never ran
  kAttached = 'A',   // text: empty when it worked
  kExited = 'E',     // i32 wait status of the workload
  kOutOfMemory = 'O',
  kConnected = 'C',  // i32 errno; carries the socket when 0
  kRan = 'X',        // u32 number, i32 wait status, text: not empty when it never ran
  kDead = 'D',       // by the spawner, always last: i32 wait status of init, u8 whether out of memory
};

struct InitContext {
  Tier tier = Tier::kProcesses;
  bool isolated_network = false;
  const Spec* spec = nullptr;
  const Cgroups* cgroups = nullptr;
  std::uint32_t outer_uid = 0, outer_gid = 0;  // who the workload is on the host; with several ids, the first of them
  std::uint32_t mapped_ids = 1;                // of the workload's own user namespace, from 0 inside; 1: only its own
  int control = -1, out = -1, err = -1;
  int channel = -1;       // the workload's descriptor 3
  bool terminal = false;  // `out` is one, and the process's own
  bool probe = false;  // exits instead of executing a workload
  int user_namespace = -1;  // of the workload that runs already; for processes beside it
};

// A copy of this process, which has one thread, as fork() makes it, and with nothing else done in it: ThreadSanitizer's fork
// starts a thread, and only a process of one thread can enter a user namespace.
pid_t copy_process();

[[noreturn]] void run_init(const InitContext& context);

}  // namespace reef::sandbox
