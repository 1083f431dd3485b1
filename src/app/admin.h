// Endpoints about the system itself: health, metrics, traces, the clock, and reset. Not AWS calls.
#pragma once

#include <functional>

#include "aws/access_keys.h"
#include "aws/caller.h"
#include "engine/edge/host_names.h"
#include "engine/store/reset_hooks.h"
#include "engine/telemetry/spans.h"
#include "gateway/gateway.h"
#include "aws/resource.h"
#include "gateway/registry.h"
#include "io/reactor.h"

namespace reef::app {

class Storage;

struct AdminContext {
  gateway::Registry& registry;
  aws::Caller& caller;
  const gateway::AuthSettings& auth;
  telemetry::Spans& spans;
  Storage& storage;
  store::ResetHooks& resets;
  aws::AccessKeys& keys;
  std::int64_t started_micros;  // monotonic
  const edge::HostNames& names;
};

gateway::SideDoor make_admin(AdminContext& context);

// {"sqs": {"served": ["AddPermission", …], "missing": […]}, …}
wire::Json coverage(gateway::Registry& registry);

}  // namespace reef::app
