// Every engine, made in order of need and put among the parts that services take.
#pragma once

#include <memory>

#include "app/config.h"
#include "app/function_logs.h"
#include "app/storage.h"
#include "base/parts.h"
#include "engine/blob/blobs.h"
#include "engine/delivery/deliveries.h"
#include "engine/edge/authority.h"
#include "engine/edge/certificates.h"
#include "engine/edge/balancer/balancers.h"
#include "engine/edge/dialer.h"
#include "engine/edge/host_names.h"
#include "engine/edge/identity_clients.h"
#include "engine/edge/private_authorities.h"
#include "engine/edge/mesh/mesh.h"
#include "engine/edge/sites.h"
#include "engine/events/publisher.h"
#include "engine/function/functions.h"
#include "engine/metrics/alarm_targets.h"
#include "engine/metrics/counters.h"
#include "engine/naming/health_checks.h"
#include "engine/naming/zones.h"
#include "engine/image/images.h"
#include "engine/network/connections.h"
#include "engine/network/networks.h"
#include "engine/queue/queues.h"
#include "engine/sandbox/sandboxes.h"
#include "engine/session/sessions.h"
#include "engine/store/reset_hooks.h"
#include "engine/table/tables.h"
#include "engine/task/tasks.h"
#include "engine/telemetry/logs.h"
#include "engine/telemetry/spans.h"

namespace reef::app {

// Where the local authority is for programs in sandboxes (sandbox::write_trust_files).
std::string trust_folder(const Config& config);

struct Engines {
  Engines(const Config& config, Storage& storage, sandbox::Sandboxes& sandboxes, edge::Authority& authority, Parts& parts);

  store::ResetHooks resets;
  telemetry::Spans spans;
  telemetry::Logs logs;
  metrics::Metrics metrics;
  metrics::Counters counters;
  metrics::AlarmTargets alarm_targets;
  queue::Queues queues;
  table::Tables tables;
  blob::Blobs blobs;
  delivery::Deliveries deliveries;
  events::Publisher publisher;
  edge::Sites sites;
  edge::HostNames host_names;
  edge::IdentityClients identity_clients;
  network::Networks networks;
  network::Connections connections;
  edge::Dialer dialer;
  edge::Certificates certificates;
  edge::PrivateAuthorities private_authorities;
  naming::Zones zones;
  naming::HealthChecks health_checks{zones};
  FunctionLogs function_logs;
  function::Functions functions;
  edge::Balancers balancers;
  edge::mesh::Mesh mesh;
  image::Images images;
  task::Tasks tasks;
  session::Sessions session_clients;
};

}  // namespace reef::app
