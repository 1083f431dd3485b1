// What to run in a sandbox, and how it ended. Plain data that crosses from the daemon to the spawner process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reef::sandbox {

// How strongly workloads can be kept apart on this machine, best first.
enum class Tier : std::uint8_t {
  kRoot,            // T0: the daemon is root; real cgroups, a uid of its own per sandbox
  kUserNamespaces,  // T1: unprivileged user namespaces
  kProcesses,       // T2: plain processes, no isolation but rlimits
};
const char* tier_name(Tier tier);

// A host folder or file shown inside. Its target is created in the sandbox's root.
struct Bind {
  std::string source;
  std::string target;
  bool read_only = true;
};

struct Limits {
  std::uint64_t memory_bytes = 0;  // 0: unlimited. Going over it ends the sandbox with `Exit::out_of_memory`.
  std::uint64_t tmp_bytes = 512ull << 20;
  std::uint32_t pids = 1024;
  std::uint32_t open_files = 1024;
  std::uint32_t cpu_milli = 0;  // thousandths of a core; 0: unlimited
};

enum class Network : std::uint8_t {
  kIsolated,  // own network namespace; connections and DNS leave through the daemon
  kHost,
};

// An image's files instead of the host's programs: `folder` below, what is written above and forgotten with the sandbox.
struct ImageRoot {
  std::string folder;              // empty: none, the host's programs are shown
  std::uint64_t written_bytes = 1ull << 30;
  bool read_only = false;
  std::vector<std::string> hosts;  // further lines of /etc/hosts
};

// A memory file system of the workload's own.
struct Scratch {
  std::string target;
  std::uint64_t bytes = 0;
};

struct Spec {
  std::string id;                 // unique among the living; used in cgroup names
  std::vector<std::string> argv;  // argv[0] is looked up as a path, not in PATH; none: it only holds a network
  bool search_path = false;       // argv[0] without a slash is looked up in the PATH of `env`
  ImageRoot image;
  std::vector<Scratch> scratches;
  // The id of a living sandbox without argv, whose network this one shares. `network` must be kIsolated.
  std::string join;
  std::vector<std::string> env;   // "NAME=value"
  std::string cwd = "/";
  std::string hostname = "atoll";
  std::vector<Bind> binds;
  // When set, the sandbox starts before it is known what it is for: this host folder can be reached by
  // `Sandbox::attach` once, which binds parts of it to `later_targets` and then hides the rest.
  std::string later_root;
  std::vector<std::string> later_targets;
  Network network = Network::kIsolated;
  std::string address = "169.254.76.2";       // the sandbox's own address
  std::vector<std::uint16_t> listen_ports;    // on 127.0.0.1 inside, accepted by the daemon
  std::uint16_t host_port = 0;                // the daemon's own port, reachable inside on 127.0.0.1 as well
  Limits limits;
  std::uint32_t uid = 993;  // as seen inside
  std::uint32_t gid = 990;
  std::string user_name = "sbx_user1051";
};

struct Exit {
  int code = 0;               // exit status when `signal` is 0
  int signal = 0;
  bool out_of_memory = false;
  std::string start_failure;  // not empty: the workload never ran, and why
};

// Between the daemon and the spawner.
std::string encode(const Spec& spec);
Result<Spec, Failure> decode(std::string_view bytes);

}  // namespace reef::sandbox
