// Where virtual nodes are: instances of Cloud Map services, or what a name resolves to. Looked up again and again, as
// Envoy does, because neither tells of changes.
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "engine/naming/view.h"
#include "engine/naming/zones.h"
#include "http/resolve.h"
#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh {
namespace {

using wire::Json;
using edge::mesh::Endpoint;

constexpr Duration kLookEvery = 500ms;

Task<std::optional<std::vector<Endpoint>>> look_in_cloud_map(AppMesh& appmesh, Call call, model::AwsCloudMapServiceDiscovery how) {
  Json input = Json::object({{"NamespaceName", how.namespace_name}, {"ServiceName", how.service_name}, {"HealthStatus", "HEALTHY_OR_ELSE_ALL"}, {"MaxResults", 1000}});
  if (how.attributes && !how.attributes->empty()) {
    Json& wanted = input.set("QueryParameters", Json::object());
    for (const model::AwsCloudMapInstanceAttribute& one : *how.attributes) wanted.set(one.key, one.value);
  }
  const auto found = co_await appmesh.caller.invoke_json(call, "servicediscovery", "DiscoverInstances", input);
  std::vector<Endpoint> out;
  // A service that is not there (yet) has no instances.
  if (!found) co_return out;
  for (const Json& one : (*found)["Instances"].as_array()) {
    const Json& attributes = one["Attributes"];
    if (attributes.text("AWS_INSTANCE_IPV4").empty()) continue;
    // The listener's port counts: the registered one is of those who do not use the mesh.
    out.push_back({.id = one.text("InstanceId"), .ip = attributes.text("AWS_INSTANCE_IPV4"), .port = 0});
  }
  co_return out;
}

std::string text_of(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[i])); };
  return fmt::format("{}.{}.{}.{}", at(0), at(1), at(2), at(3));
}

// What is known here answers first; the system's resolver the rest.
Task<std::optional<std::vector<Endpoint>>> look_in_dns(AppMesh& appmesh, model::DnsServiceDiscovery how) {
  std::vector<Endpoint> out;
  const auto view = appmesh.zones.view()->load();
  const naming::Looked looked = naming::look_up(*view, how.hostname, wire::dns::kA, thread_random());
  for (const wire::dns::Record& record : looked.answers)
    if (record.type == wire::dns::kA && record.data.size() == 4) out.push_back({.id = text_of(record.data), .ip = text_of(record.data), .port = 0});
  if (out.empty() && looked.code != wire::dns::kNoError) {
    const auto address = co_await http::resolve(store::Shard::control().reactor(), how.hostname);
    if (!address) co_return out;
    out.push_back({.id = *address, .ip = *address, .port = 0});
  }
  co_return out;
}

Task<void> look_once(AppMesh& appmesh, std::string node) {
  const auto found = appmesh.discoveries.find(node);
  if (found == appmesh.discoveries.end()) co_return;
  const AppMesh::Discovery how = found->second;
  const std::uint32_t round = ++found->second.round;
  auto endpoints = how.how.aws_cloud_map ? co_await look_in_cloud_map(appmesh, appmesh.caller.internal_call(how.account, how.region), *how.how.aws_cloud_map)
                   : how.how.dns         ? co_await look_in_dns(appmesh, *how.how.dns)
                                         : std::optional<std::vector<Endpoint>>();
  const auto now = appmesh.discoveries.find(node);
  // Another look may have begun meanwhile, or the node be another one.
  if (!endpoints || now == appmesh.discoveries.end() || now->second.round != round) co_return;
  std::sort(endpoints->begin(), endpoints->end());
  appmesh.mesh.set_endpoints(node, *std::move(endpoints));
}

}  // namespace

void look_for_endpoints(AppMesh& appmesh) {
  io::Reactor& reactor = store::Shard::control().reactor();
  reactor.cancel(std::exchange(appmesh.discovery_timer, 0));
  if (appmesh.is_stopping || appmesh.discoveries.empty()) return;
  std::vector<std::string> nodes;
  for (const auto& [node, how] : appmesh.discoveries) nodes.push_back(node);
  for (const std::string& node : nodes) look_once(appmesh, node).detach();
  appmesh.discovery_timer = reactor.after(kLookEvery, [&appmesh] {
    appmesh.discovery_timer = 0;
    look_for_endpoints(appmesh);
  });
}

}  // namespace reef::service::appmesh
