// One health check of one target, as the load balancer sends it.
#pragma once

#include "base/task.h"
#include "engine/edge/balancer/health.h"
#include "engine/edge/dialer.h"
#include "io/reactor.h"

namespace reef::edge {

// Takes at most `settings.timeout` of real time.
Task<CheckResult> probe(io::Reactor& reactor, const Dialer& dialer, std::string group, std::string ip, int port, HealthSettings settings);

}  // namespace reef::edge
