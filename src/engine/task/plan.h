// What to run as a task, in the machine's words: its containers with their images, their network and their volumes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/image/reference.h"
#include "engine/sandbox/spec.h"
#include "engine/task/task_machine.h"

namespace reef::task {

enum class Network {
  kOwn,     // one network and address for the task
  kBridge,  // one for each container, reached through ports of the host
  kHost,
};

struct Port {
  std::uint16_t container = 0;
  std::uint16_t host = 0;  // with kBridge; 0: any free one, which is told then
  bool udp = false;
};

struct Mount {
  std::string volume, target;
  bool read_only = false;
};

// Another container of the task, by the names that this one calls it; with kBridge.
struct Link {
  std::size_t to = 0;
  std::string names;  // separated by blanks
};

struct ContainerPlan {
  std::string name;
  image::Reference image;
  std::optional<std::vector<std::string>> entry_point, command;  // instead of the image's
  std::vector<std::pair<std::string, std::string>> env;          // over the image's
  std::string user, working_folder;                              // empty: the image's
  std::string hostname;                                          // empty: made from the address
  ContainerRule rule;
  std::vector<std::string> probe;  // ["CMD", ...] or ["CMD-SHELL", text], when the rule has health
  std::vector<Port> ports;
  std::vector<Mount> mounts;
  std::vector<sandbox::Scratch> scratches;
  std::vector<std::string> hosts;  // lines of /etc/hosts
  std::vector<Link> links;
  bool read_only = false;
  std::uint64_t memory_bytes = 0;  // 0: unlimited
  std::uint32_t cpu_milli = 0;     // thousandths of a core, 0: unlimited; kept where control groups allow
  std::uint32_t open_files = 65'535, pids = 4096;
  Duration stop_patience = 30s;
};

struct Volume {
  std::string name;
  std::string folder;  // of the host; empty: one of the task's own, gone with it
};

struct TaskPlan {
  std::string id;  // unique
  Network network = Network::kOwn;
  std::vector<ContainerPlan> containers;
  std::vector<Volume> volumes;
  std::uint64_t written_bytes = 1ull << 30;  // that each container may write beside its volumes
};

}  // namespace reef::task
