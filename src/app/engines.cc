#include "app/engines.h"

namespace reef::app {

Engines::Engines(const Config& config, Storage& storage, sandbox::Sandboxes& sandboxes, edge::Authority& authority, Parts& parts)
    : logs(*storage.kv), tables(*storage.kv), blobs(*storage.kv, config.data + "/blobs", config.durability), zones(config.auth.default_region), function_logs(logs),
      functions({.folder = config.data + "/functions", .api_port = config.port}, sandboxes, function_logs),
      balancers(dialer) {
  parts.add(resets);
  parts.add(*storage.kv);
  parts.add(spans);
  parts.add(logs);
  parts.add(queues);
  parts.add(tables);
  parts.add(blobs);
  parts.add(sandboxes);
  parts.add(deliveries);
  parts.add(sites);
  parts.add(host_names);
  parts.add(dialer);
  parts.add(balancers);
  parts.add(authority);
  parts.add(certificates);
  parts.add(zones);
  parts.add(health_checks);
  parts.add(functions);
}

}  // namespace reef::app
