#include "app/engines.h"

namespace reef::app {

Engines::Engines(const Config& config, Storage& storage, sandbox::Sandboxes& sandboxes, Parts& parts)
    : logs(*storage.kv), tables(*storage.kv), blobs(*storage.kv, config.data + "/blobs", config.durability), function_logs(logs),
      functions({.folder = config.data + "/functions", .api_port = config.port}, sandboxes, function_logs),
      images(config.data + "/images"), tasks({.folder = config.data + "/tasks", .api_port = config.port}, sandboxes, images) {
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
  parts.add(dialer);
  parts.add(functions);
  parts.add(images);
  parts.add(tasks);
  dialer.set_inside([this](std::string_view ip, int port) { return tasks.dial(ip, port); });
}

}  // namespace reef::app
