// What runs below a sandbox's first process: how much memory it uses, and ending it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace reef::sandbox {

// All descendants of the calling process. In a pid namespace of its own, everything in it.
std::vector<pid_t> descendants(bool own_pid_namespace);
std::vector<pid_t> descendants_of(pid_t ancestor);
// Sum of their resident sets, in bytes.
std::uint64_t resident_bytes(const std::vector<pid_t>& processes);
// What the processes below `ancestor` use: time of processors since they began, those that ended and were waited for
// included; resident memory now.
struct Usage {
  std::chrono::microseconds processor{};
  std::uint64_t memory_bytes = 0;
};
Usage usage_below(pid_t ancestor);
// Kills and reaps every descendant of the calling process, which must be a subreaper.
void kill_descendants();

}  // namespace reef::sandbox
