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
  // As root: the first of the host's ids that those of images are mapped to, and how many there are: 65536, or 1 where
  // the daemon itself has no more. The files of images must belong to them. 0: none, the daemon's own user is all.
  std::uint32_t image_ids_first = 0, image_ids = 0;
  std::vector<Missing> missing;
};

// Shared by the daemon and the spawner; written once by the spawner.
struct ProbeReport {
  sem_t ready;
  Tier tier;
  bool isolated_network;
  Cgroups::Kind cgroups;
  std::uint32_t image_ids_first, image_ids;
  std::uint32_t missing_bytes;
  char missing[8192];  // pairs of length-prefixed texts
};

enum class ToSpawner : char {
  kSpawn = 'S',   // a Spec; carries control, stdout, stderr and perhaps a channel
  kMemory = 'M',  // id, u64: new limit
};

// Runs until `socket` closes. Never returns.
[[noreturn]] void run_spawner(int socket, ProbeReport& report, std::optional<Tier> forced_tier);

}  // namespace reef::sandbox
