// What App Mesh refuses. https://docs.aws.amazon.com/app-mesh/latest/userguide/service-quotas.html
#include <algorithm>

#include <fmt/format.h>

#include "service/appmesh/access_logs.h"
#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh {
namespace {

constexpr std::size_t kRoutesMax = 50, kBackendsMax = 50, kListenersMax = 1 << 4, kInMeshMax = 200;

aws::Error bad(std::string message) { return {errors::kBadRequestException, std::move(message)}; }
aws::Error too_many(const Kind& kind, std::string_view where, std::size_t most) {
  return {errors::kLimitExceededException, fmt::format("{} has reached its limit of {} resources of the type {}.", where, most, kind.name)};
}

Reply<void> check_regex(const std::optional<std::string>& pattern, std::string_view where) {
  if (!pattern) return {};
  if (const auto checked = edge::mesh::check_pattern(*pattern); !checked) return Err(bad(fmt::format("{}: the regular expression {} cannot be read.", where, *pattern)));
  return {};
}

template <class Headers>
Reply<void> check_headers(const std::optional<Headers>& headers) {
  if (!headers) return {};
  for (const auto& header : *headers) {
    if (!header.match) continue;
    TRY(check_regex(header.match->regex, "match.headers"));
    if (header.match->range && header.match->range->start >= header.match->range->end) return Err(bad("match.range: start must be less than end."));
  }
  return {};
}

Reply<void> check_path(const std::optional<std::string>& prefix, const std::optional<model::HttpPathMatch>& path) {
  if (prefix && path) return Err(bad("Only one of prefix and path can be specified in a match."));
  if (prefix && !prefix->starts_with('/')) return Err(bad("match.prefix must start with /."));
  if (path && path->exact && !path->exact->starts_with('/')) return Err(bad("match.path.exact must start with /."));
  if (path) TRY(check_regex(path->regex, "match.path"));
  return {};
}

Reply<void> check_targets(const AppMesh& appmesh, const Entity& entity, const std::vector<model::WeightedTarget>& targets) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    sum += targets[i].weight;
    for (std::size_t j = 0; j < i; ++j)
      if (targets[j].virtual_node == targets[i].virtual_node && targets[j].port == targets[i].port) return Err(bad(fmt::format("The virtual node {} is a target more than once.", targets[i].virtual_node)));
    if (!find(appmesh, kVirtualNode, entity, targets[i].virtual_node)) return Err(aws::Error(errors::kNotFoundException, fmt::format("VirtualNode with name {} does not exist.", targets[i].virtual_node)));
  }
  if (sum == 0) return Err(bad("The sum of the weights of the targets must be greater than 0."));
  return {};
}

template <class Policy>
Reply<void> check_retry(const std::optional<Policy>& policy) {
  if (!policy) return {};
  bool any = (policy->http_retry_events && !policy->http_retry_events->empty()) || (policy->tcp_retry_events && !policy->tcp_retry_events->empty());
  if constexpr (requires { policy->grpc_retry_events; }) any = any || (policy->grpc_retry_events && !policy->grpc_retry_events->empty());
  if (!any) return Err(bad("A retry policy must have at least one retry event."));
  constexpr std::string_view kEvents[] = {"server-error", "gateway-error", "client-error", "stream-error"};
  if (policy->http_retry_events)
    for (const std::string& event : *policy->http_retry_events)
      if (std::find(std::begin(kEvents), std::end(kEvents), event) == std::end(kEvents)) return Err(bad(fmt::format("{} is not a valid HTTP retry event.", event)));
  return {};
}

Reply<void> check_route(const AppMesh& appmesh, const Entity& entity) {
  const auto spec = spec_of<model::RouteSpec>(entity);
  const int count = int(spec.http_route.has_value()) + int(spec.http2_route.has_value()) + int(spec.grpc_route.has_value()) + int(spec.tcp_route.has_value());
  if (count != 1) return Err(bad("Exactly one of httpRoute, http2Route, grpcRoute and tcpRoute must be specified in the spec of a route."));
  for (const auto* http : {spec.http_route ? &*spec.http_route : nullptr, spec.http2_route ? &*spec.http2_route : nullptr})
    if (http) {
      TRY(check_path(http->match.prefix, http->match.path));
      TRY(check_headers(http->match.headers));
      TRY(check_retry(http->retry_policy));
      TRY(check_targets(appmesh, entity, http->action.weighted_targets));
    }
  if (spec.grpc_route) {
    if (spec.grpc_route->match.method_name && !spec.grpc_route->match.service_name) return Err(bad("serviceName must be specified when methodName is."));
    TRY(check_headers(spec.grpc_route->match.metadata));
    TRY(check_retry(spec.grpc_route->retry_policy));
    TRY(check_targets(appmesh, entity, spec.grpc_route->action.weighted_targets));
  }
  if (spec.tcp_route) TRY(check_targets(appmesh, entity, spec.tcp_route->action.weighted_targets));
  if (all_of(appmesh, kRoute, entity, entity.parent).size() >= kRoutesMax && !appmesh.entities.contains(entity.arn())) return Err(too_many(kRoute, entity.parent, kRoutesMax));
  return {};
}

Reply<void> check_virtual_node(const Entity& entity) {
  const auto spec = spec_of<model::VirtualNodeSpec>(entity);
  if (spec.backends && spec.backends->size() > kBackendsMax) return Err(aws::Error(errors::kLimitExceededException, fmt::format("A virtual node can have at most {} backends.", kBackendsMax)));
  TRY(check_logging(spec.logging));
  if (!spec.listeners) return {};
  if (spec.listeners->size() > kListenersMax) return Err(aws::Error(errors::kLimitExceededException, fmt::format("A virtual node can have at most {} listeners.", kListenersMax)));
  for (std::size_t i = 0; i < spec.listeners->size(); ++i) {
    const model::Listener& one = (*spec.listeners)[i];
    for (std::size_t j = 0; j < i; ++j)
      if ((*spec.listeners)[j].port_mapping.port == one.port_mapping.port) return Err(bad(fmt::format("The port {} is used by more than one listener.", one.port_mapping.port)));
    const std::string& protocol = one.port_mapping.protocol;
    if (one.connection_pool) {
      const auto& pool = *one.connection_pool;
      const bool fits = (pool.http && protocol == "http") || (pool.http2 && protocol == "http2") || (pool.grpc && protocol == "grpc") || (pool.tcp && protocol == "tcp");
      if (!fits) return Err(bad(fmt::format("The connectionPool of a listener must be for its protocol, {}.", protocol)));
    }
    if (one.timeout) {
      const auto& timeout = *one.timeout;
      const bool fits = (timeout.http && protocol == "http") || (timeout.http2 && protocol == "http2") || (timeout.grpc && protocol == "grpc") || (timeout.tcp && protocol == "tcp");
      if (!fits) return Err(bad(fmt::format("The timeout of a listener must be for its protocol, {}.", protocol)));
    }
    if (one.health_check && (one.health_check->protocol == "http" || one.health_check->protocol == "http2") && one.health_check->path.value_or("").empty())
      return Err(bad("A health check policy for http or http2 must have a path."));
    if (one.outlier_detection && one.outlier_detection->max_server_errors < 1) return Err(bad("maxServerErrors must be at least 1."));
    if (one.tls && one.tls->certificate.file) return Err(aws::not_implemented("tls.certificate.file of a listener of a virtual node"));
  }
  return {};
}

Reply<void> check_virtual_service(const AppMesh& appmesh, const Entity& entity) {
  const auto spec = spec_of<model::VirtualServiceSpec>(entity);
  if (!spec.provider) return {};
  if (spec.provider->virtual_node && !find(appmesh, kVirtualNode, entity, spec.provider->virtual_node->virtual_node_name))
    return Err(aws::Error(errors::kNotFoundException, fmt::format("VirtualNode with name {} does not exist.", spec.provider->virtual_node->virtual_node_name)));
  if (spec.provider->virtual_router && !find(appmesh, kVirtualRouter, entity, spec.provider->virtual_router->virtual_router_name))
    return Err(aws::Error(errors::kNotFoundException, fmt::format("VirtualRouter with name {} does not exist.", spec.provider->virtual_router->virtual_router_name)));
  return {};
}

Reply<void> check_gateway_route(const AppMesh& appmesh, const Entity& entity) {
  const auto spec = spec_of<model::GatewayRouteSpec>(entity);
  const int count = int(spec.http_route.has_value()) + int(spec.http2_route.has_value()) + int(spec.grpc_route.has_value());
  if (count != 1) return Err(bad("Exactly one of httpRoute, http2Route and grpcRoute must be specified in the spec of a gateway route."));
  std::string service;
  for (const auto* http : {spec.http_route ? &*spec.http_route : nullptr, spec.http2_route ? &*spec.http2_route : nullptr})
    if (http) {
      TRY(check_path(http->match.prefix, http->match.path));
      TRY(check_headers(http->match.headers));
      service = http->action.target.virtual_service.virtual_service_name;
    }
  if (spec.grpc_route) {
    TRY(check_headers(spec.grpc_route->match.metadata));
    service = spec.grpc_route->action.target.virtual_service.virtual_service_name;
  }
  if (!find(appmesh, kVirtualService, entity, service)) return Err(aws::Error(errors::kNotFoundException, fmt::format("VirtualService with name {} does not exist.", service)));
  return {};
}

Reply<void> check_virtual_gateway(const Entity& entity) {
  const auto spec = spec_of<model::VirtualGatewaySpec>(entity);
  TRY(check_logging(spec.logging));
  if (spec.listeners.empty()) return Err(bad("A virtual gateway must have at least one listener."));
  for (const auto& one : spec.listeners)
    if (one.tls && one.tls->mode != "DISABLED" && one.tls->certificate.file) return Err(aws::not_implemented("tls.certificate.file of a listener of a virtual gateway"));
  return {};
}

}  // namespace

Reply<void> check_spec(const AppMesh& appmesh, const Entity& entity) {
  if (entity.kind != &kMesh && entity.kind->parent_member.empty() && !appmesh.entities.contains(entity.arn()) && all_of(appmesh, *entity.kind, entity).size() >= kInMeshMax)
    return Err(too_many(*entity.kind, entity.mesh, kInMeshMax));
  if (entity.kind == &kRoute) return check_route(appmesh, entity);
  if (entity.kind == &kVirtualNode) return check_virtual_node(entity);
  if (entity.kind == &kVirtualService) return check_virtual_service(appmesh, entity);
  if (entity.kind == &kGatewayRoute) return check_gateway_route(appmesh, entity);
  if (entity.kind == &kVirtualGateway) return check_virtual_gateway(entity);
  return {};
}

// A mesh that cannot be deleted names the first thing in it.
// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_DeleteMesh.html
Reply<void> check_unused(const AppMesh& appmesh, const Entity& entity) {
  const auto in_use = [&](std::string why) { return Err(aws::Error(errors::kResourceInUseException, fmt::format("{} with name {} cannot be deleted because {}.", entity.kind->name, entity.name, why))); };
  if (entity.kind == &kMesh)
    for (const Kind* kind : kKinds)
      if (kind != &kMesh && !all_of(appmesh, *kind, entity).empty()) return in_use(fmt::format("it has one or more resources of the type {}", kind->name));
  if (entity.kind == &kVirtualRouter) {
    if (!all_of(appmesh, kRoute, entity, entity.name).empty()) return in_use("it has one or more routes");
    for (const Entity* service : all_of(appmesh, kVirtualService, entity))
      if (service->spec["provider"]["virtualRouter"].text("virtualRouterName") == entity.name) return in_use("it is the provider of one or more virtual services");
  }
  if (entity.kind == &kVirtualGateway && !all_of(appmesh, kGatewayRoute, entity, entity.name).empty()) return in_use("it has one or more gateway routes");
  if (entity.kind == &kVirtualNode) {
    for (const Entity* route : all_of(appmesh, kRoute, entity))
      for (const auto& [type, of] : route->spec.as_object())
        for (const wire::Json& target : of["action"]["weightedTargets"].as_array())
          if (target.text("virtualNode") == entity.name) return in_use("it is the target of one or more routes");
    for (const Entity* service : all_of(appmesh, kVirtualService, entity))
      if (service->spec["provider"]["virtualNode"].text("virtualNodeName") == entity.name) return in_use("it is the provider of one or more virtual services");
  }
  if (entity.kind == &kVirtualService)
    for (const Entity* route : all_of(appmesh, kGatewayRoute, entity))
      for (const auto& [type, of] : route->spec.as_object())
        if (of["action"]["target"]["virtualService"].text("virtualServiceName") == entity.name)
          return Err(aws::Error(errors::kResourceInUseException, fmt::format("VirtualService {} is being referenced in the following: GATEWAY_ROUTE: [{}]", entity.name, route->metadata.uid)));
  return {};
}

}  // namespace reef::service::appmesh
