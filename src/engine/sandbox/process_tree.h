// What runs below a sandbox's first process: how much memory it uses, and ending it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace reef::sandbox {

// All descendants of the calling process. In a pid namespace of its own, everything in it.
std::vector<pid_t> descendants(bool own_pid_namespace);
std::vector<pid_t> descendants_of(pid_t ancestor);
// Sum of their resident sets, in bytes.
std::uint64_t resident_bytes(const std::vector<pid_t>& processes);
// Kills and reaps every descendant of the calling process, which must be a subreaper.
void kill_descendants();

}  // namespace reef::sandbox
