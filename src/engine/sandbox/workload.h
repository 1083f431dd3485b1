// Starts a workload's own process inside a sandbox.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "engine/sandbox/init.h"

namespace reef::sandbox {

// Forks, gives everything up and executes. Returns when the program runs, or why it does not. When the workload gets a
// user namespace of several ids, `context.user_namespace` becomes a descriptor of it.
Result<pid_t, Failure> start_workload(InitContext& context);

// The same for one more process, from a first process that gave everything up itself already.
Result<pid_t, Failure> start_beside(const InitContext& context);

}  // namespace reef::sandbox
