// The spawner: a small process forked before the daemon starts a thread. It clones sandboxes, so cloning costs no
// copy of the daemon's page tables and may use the heap; it finds out what this machine allows; and its death,
// which follows the daemon's, ends every sandbox.
#pragma once

#include <semaphore.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/sandbox/cgroup.h"
#include "engine/sandbox/spec.h"

namespace reef::sandbox {

// Something this machine does not allow, and what its owner can do about it.
struct Missing {
  std::string what;
  std::string fix;
};

struct Capabilities {
  Tier tier = Tier::kProcesses;
  bool isolated_network = false;
  Cgroups::Kind cgroups = Cgroups::Kind::kNone;
  // As root: the host's user that all sandboxes with an image run as, and who must own the image's files. 0: none.
  std::uint32_t image_uid = 0;
  std::vector<Missing> missing;
};

// Shared by the daemon and the spawner; written once by the spawner.
struct ProbeReport {
  sem_t ready;
  Tier tier;
  bool isolated_network;
  Cgroups::Kind cgroups;
  std::uint32_t image_uid;
  std::uint32_t missing_bytes;
  char missing[8192];  // pairs of length-prefixed texts
};

enum class ToSpawner : char {
  kSpawn = 'S',   // a Spec; carries control, stdout and stderr
  kMemory = 'M',  // id, u64: new limit
};

// Runs until `socket` closes. Never returns.
[[noreturn]] void run_spawner(int socket, ProbeReport& report, std::optional<Tier> forced_tier);

}  // namespace reef::sandbox
