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

// Becomes `uid`/`gid` for good.
Result<void, Failure> become_user(std::uint32_t uid, std::uint32_t gid);

// Maps the process's ids to `inner_uid`/`inner_gid` in the user namespace that it just entered.
Result<void, Failure> map_own_ids(std::uint32_t inner_uid, std::uint32_t inner_gid, std::uint32_t outer_uid,
                                  std::uint32_t outer_gid);

}  // namespace reef::sandbox
