// Takes away what a workload must not have. Runs in its process just before execve.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

struct sock_filter;

namespace reef::sandbox {

// The system calls that a workload may not make, as a BPF program. Built once per process and kept.
const std::vector<sock_filter>& seccomp_program();
Result<void, Failure> install_seccomp(const std::vector<sock_filter>& program);

// Every capability, from every set including the bounding set, and no way to gain one.
Result<void, Failure> drop_capabilities();

// Keeps what containers elsewhere have as well, for a workload that is root of several ids: changing owners and users.
// Of no weight outside its own user namespace.
Result<void, Failure> keep_container_capabilities();

// As root: maps the first `count` ids of the user namespace that `process` just made to the host's from `first` on.
Result<void, Failure> map_ids_of(int process, std::uint32_t first, std::uint32_t count);

// Of the calling process, by the system calls themselves: the C library's own functions have every thread follow, and
// wait for ever for those that only the process that it was cloned from had.
Result<void, Failure> set_groups(const std::vector<std::uint32_t>& groups);
Result<void, Failure> set_group(std::uint32_t gid);
Result<void, Failure> set_user(std::uint32_t uid);

// Becomes `uid`/`gid` for good.
Result<void, Failure> become_user(std::uint32_t uid, std::uint32_t gid);

// Maps the process's ids to `inner_uid`/`inner_gid` in the user namespace that it just entered.
Result<void, Failure> map_own_ids(std::uint32_t inner_uid, std::uint32_t inner_gid, std::uint32_t outer_uid,
                                  std::uint32_t outer_gid);

}  // namespace reef::sandbox
