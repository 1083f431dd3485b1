// Every engine, made in order of need and put among the parts that services take.
#pragma once

#include <memory>

#include "app/config.h"
#include "app/function_logs.h"
#include "app/storage.h"
#include "base/parts.h"
#include "engine/blob/blobs.h"
#include "engine/delivery/deliveries.h"
#include "engine/edge/dialer.h"
#include "engine/edge/sites.h"
#include "engine/function/functions.h"
#include "engine/image/images.h"
#include "engine/queue/queues.h"
#include "engine/sandbox/sandboxes.h"
#include "engine/store/reset_hooks.h"
#include "engine/table/tables.h"
#include "engine/task/tasks.h"
#include "engine/telemetry/logs.h"
#include "engine/telemetry/spans.h"

namespace reef::app {

struct Engines {
  Engines(const Config& config, Storage& storage, sandbox::Sandboxes& sandboxes, Parts& parts);

  store::ResetHooks resets;
  telemetry::Spans spans;
  telemetry::Logs logs;
  queue::Queues queues;
  table::Tables tables;
  blob::Blobs blobs;
  delivery::Deliveries deliveries;
  edge::Sites sites;
  edge::Dialer dialer;
  FunctionLogs function_logs;
  function::Functions functions;
  image::Images images;
  task::Tasks tasks;
};

}  // namespace reef::app
