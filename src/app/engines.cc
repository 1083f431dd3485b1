#include "app/engines.h"

#include <filesystem>

#include "app/mesh.h"
#include "base/log.h"

namespace reef::app {

// Bound into sandboxes, which know no working directory.
std::string trust_folder(const Config& config) { return std::filesystem::absolute(config.data + "/trust").lexically_normal().string(); }

// One line for each, so that engines come and go without touching the others.
Engines::Engines(const Config& config, Storage& storage, sandbox::Sandboxes& sandboxes, edge::Authority& authority, Parts& parts)
    : logs(*storage.kv),
      metrics(*storage.kv),
      counters(metrics),
      tables(*storage.kv),
      blobs(*storage.kv, config.data + "/blobs", config.durability),
      connections(storage.reactors.size()),
      zones(config.auth.default_region),
      function_logs(logs),
      functions({.folder = config.data + "/functions", .api_port = config.port, .trust = trust_folder(config)}, sandboxes, function_logs),
      balancers(dialer),
      mesh(balancers, dialer),
      images(config.data + "/images"),
      tasks({.folder = config.data + "/tasks", .api_port = config.port, .trust = trust_folder(config)}, sandboxes, images) {
  parts.add(resets);
  parts.add(*storage.kv);
  parts.add(spans);
  parts.add(logs);
  parts.add(metrics);
  parts.add(counters);
  parts.add(alarm_targets);
  parts.add(queues);
  parts.add(tables);
  parts.add(blobs);
  parts.add(sandboxes);
  parts.add(deliveries);
  parts.add(publisher);
  parts.add(sites);
  parts.add(host_names);
  parts.add(identity_clients);
  parts.add(dialer);
  parts.add(balancers);
  parts.add(mesh);
  parts.add(authority);
  parts.add(certificates);
  parts.add(private_authorities);
  parts.add(zones);
  parts.add(health_checks);
  parts.add(functions);
  parts.add(images);
  parts.add(tasks);
  parts.add(session_clients);
  parts.add(networks);
  parts.add(connections);
  health_checks.set_dial([this](std::string ip, int port) -> Task<Result<int, Failure>> { co_return co_await dialer.dial(ip, port); });
  mesh.set_tracing(make_tracing(spans, counters));
  mesh.set_access_log([](const std::string& owner, const std::string& line) { log::info("mesh access", {{"of", owner}, {"line", line}}); });
  resets.hooks.push_back([this]() -> Task<void> {
    mesh.clear();
    co_return;
  });
  mesh.set_secrets(make_secrets(authority, certificates, private_authorities));
  mesh.set_inside([this](std::string_view ip, int port) { return tasks.dial(ip, port); });
  dialer.set_inside([this](std::string_view ip, int port) {
    auto guarded = mesh.dial(ip, port);
    return guarded ? std::move(guarded) : tasks.dial(ip, port);
  });
}

}  // namespace reef::app
