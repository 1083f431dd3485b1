// A mesh as the engine follows it: each listener of a virtual node is a node there, each virtual service a service with
// the routes of what provides it, each virtual node and gateway an identity of callers.
#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/mesh/retry.h"
#include "service/appmesh/access_logs.h"
#include "service/appmesh/appmesh.h"
#include "service/appmesh/gateways.h"
#include "service/appmesh/matches.h"

namespace reef::service::appmesh {
namespace {

namespace mesh = edge::mesh;

// https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy-defaults.html
mesh::RetryPolicy default_retry(mesh::Protocol protocol) {
  mesh::RetryPolicy out{.retries_max = 2, .stream_error = true, .connection_error = true};
  if (protocol == mesh::Protocol::kGrpc) out.grpc_statuses = {1, 14};
  return out;
}

mesh::TextMatch text_match(mesh::TextMatch::Kind kind, std::string text) { return {.kind = kind, .text = std::move(text)}; }

std::optional<mesh::TextMatch> path_match(const std::optional<std::string>& prefix, const std::optional<model::HttpPathMatch>& path) {
  if (path && path->exact) return text_match(mesh::TextMatch::Kind::kExact, *path->exact);
  if (path && path->regex) return text_match(mesh::TextMatch::Kind::kRegex, *path->regex);
  if (prefix && *prefix != "/") return text_match(mesh::TextMatch::Kind::kPrefix, *prefix);
  return std::nullopt;
}

template <class Policy>
mesh::RetryPolicy read_retry(const Policy& policy) {
  mesh::RetryPolicy out{.retries_max = static_cast<int>(policy.max_retries), .per_try_timeout = read_duration(policy.per_retry_timeout)};
  if (policy.http_retry_events)
    for (const std::string& event : *policy.http_retry_events) {
      out.server_error = out.server_error || event == "server-error";
      out.gateway_error = out.gateway_error || event == "gateway-error";
      out.client_error = out.client_error || event == "client-error";
      out.stream_error = out.stream_error || event == "stream-error";
    }
  out.connection_error = policy.tcp_retry_events && !policy.tcp_retry_events->empty();
  if constexpr (requires { policy.grpc_retry_events; })
    if (policy.grpc_retry_events)
      for (const std::string& event : *policy.grpc_retry_events)
        if (const auto number = mesh::grpc_status_number(event)) out.grpc_statuses.push_back(*number);
  return out;
}

template <class Timeout>
void read_timeout(const std::optional<Timeout>& timeout, std::optional<Duration>& request, std::optional<Duration>& idle) {
  if (!timeout) return;
  if (timeout->idle) idle = read_duration(*timeout->idle);
  if constexpr (requires { timeout->per_request; })
    if (timeout->per_request) request = read_duration(*timeout->per_request);
}

// The engine's nodes of weighted targets. A target without a port is the node's one listener.
std::vector<mesh::WeightedNode> read_targets(const AppMesh& appmesh, const Entity& beside, const std::vector<model::WeightedTarget>& targets) {
  std::vector<mesh::WeightedNode> out;
  for (const model::WeightedTarget& target : targets) {
    const Entity* const node = find(appmesh, kVirtualNode, beside, target.virtual_node);
    if (!node) continue;
    std::int64_t port = target.port.value_or(0);
    if (port == 0) port = node->spec["listeners"].at(0)["portMapping"]["port"].as_int().value_or(0);
    out.push_back({.node = engine_node(node->arn(), port), .weight = static_cast<std::uint32_t>(target.weight)});
  }
  return out;
}

void read_http(mesh::Route& out, const AppMesh& appmesh, const Entity& entity, const model::HttpRoute& route, mesh::Protocol protocol) {
  out.protocol = protocol;
  out.match.path = path_match(route.match.prefix, route.match.path);
  out.match.method = route.match.method.value_or("");
  out.match.scheme = route.match.scheme.value_or("");
  out.match.port = static_cast<int>(route.match.port.value_or(0));
  add_headers(out.match, route.match.headers);
  if (route.match.query_parameters)
    for (const auto& query : *route.match.query_parameters)
      if (query.match && query.match->exact) out.match.queries.emplace_back(query.name, *query.match->exact);
  out.retry = route.retry_policy ? read_retry(*route.retry_policy) : default_retry(protocol);
  read_timeout(route.timeout, out.request_timeout, out.idle_timeout);
  out.to = read_targets(appmesh, entity, route.action.weighted_targets);
}

mesh::Route read_route(const AppMesh& appmesh, const Entity& entity, const model::RouteSpec& spec) {
  mesh::Route out{.name = entity.name, .match = {}, .to = {}, .retry = {}, .rewrite = {}};
  if (spec.http_route) read_http(out, appmesh, entity, *spec.http_route, mesh::Protocol::kHttp);
  if (spec.http2_route) read_http(out, appmesh, entity, *spec.http2_route, mesh::Protocol::kHttp2);
  if (spec.grpc_route) {
    const model::GrpcRoute& route = *spec.grpc_route;
    out.protocol = mesh::Protocol::kGrpc;
    out.match.grpc_service = route.match.service_name.value_or("");
    out.match.grpc_method = route.match.method_name.value_or("");
    out.match.port = static_cast<int>(route.match.port.value_or(0));
    add_headers(out.match, route.match.metadata);
    out.retry = route.retry_policy ? read_retry(*route.retry_policy) : default_retry(out.protocol);
    read_timeout(route.timeout, out.request_timeout, out.idle_timeout);
    out.to = read_targets(appmesh, entity, route.action.weighted_targets);
  }
  if (spec.tcp_route) {
    out.protocol = mesh::Protocol::kTcp;
    if (spec.tcp_route->match) out.match.port = static_cast<int>(spec.tcp_route->match->port.value_or(0));
    out.retry = default_retry(out.protocol);
    read_timeout(spec.tcp_route->timeout, out.request_timeout, out.idle_timeout);
    out.to = read_targets(appmesh, entity, spec.tcp_route->action.weighted_targets);
  }
  return out;
}

// By priority, those without one last; then what says more about the path first.
std::vector<mesh::Route> read_router(const AppMesh& appmesh, const Entity& router) {
  struct Ranked {
    std::int64_t priority;
    std::size_t length;
    mesh::Route route;
  };
  std::vector<Ranked> ranked;
  for (const Entity* one : all_of(appmesh, kRoute, router, router.name)) {
    const auto spec = spec_of<model::RouteSpec>(*one);
    mesh::Route route = read_route(appmesh, *one, spec);
    const std::size_t length = route.match.path ? route.match.path->text.size() : route.match.grpc_service.size() + route.match.grpc_method.size();
    ranked.push_back({spec.priority ? std::int64_t{*spec.priority} : INT64_MAX, length, std::move(route)});
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.length != b.length ? a.length > b.length : a.route.name < b.route.name;
  });
  std::vector<mesh::Route> out;
  for (Ranked& one : ranked) out.push_back(std::move(one.route));
  return out;
}

// https://docs.aws.amazon.com/app-mesh/latest/userguide/mutual-tls.html
mesh::ServerTlsPlan read_listener_tls(const model::ListenerTls& tls) {
  mesh::ServerTlsPlan out{.certificate = {}, .trust = {}, .names = {}};
  out.mode = tls.mode == "STRICT" ? mesh::ServerTlsPlan::Mode::kStrict : tls.mode == "PERMISSIVE" ? mesh::ServerTlsPlan::Mode::kPermissive : mesh::ServerTlsPlan::Mode::kDisabled;
  if (tls.certificate.acm) out.certificate = tls.certificate.acm->certificate_arn;
  if (tls.certificate.sds) out.certificate = tls.certificate.sds->secret_name;
  if (tls.validation && tls.validation->trust.sds) out.trust = tls.validation->trust.sds->secret_name;
  if (tls.validation && tls.validation->subject_alternative_names) out.names = tls.validation->subject_alternative_names->match.exact;
  return out;
}

std::optional<mesh::ClientTlsPlan> read_client_policy(const wire::Json& policy) {
  if (!policy["tls"].is_object()) return std::nullopt;
  const auto tls = aws::from_json<model::ClientPolicyTls>(policy["tls"]);
  if (!tls) return std::nullopt;
  mesh::ClientTlsPlan out{.enforced = tls->enforce.value_or(true), .ports = {}, .certificate = {}, .trust = {}, .names = {}};
  if (tls->ports) out.ports.assign(tls->ports->begin(), tls->ports->end());
  if (tls->certificate && tls->certificate->sds) out.certificate = tls->certificate->sds->secret_name;
  if (tls->validation.trust.acm) out.trust = tls->validation.trust.acm->certificate_authority_arns;
  if (tls->validation.trust.sds) out.trust = {tls->validation.trust.sds->secret_name};
  if (tls->validation.subject_alternative_names) out.names = tls->validation.subject_alternative_names->match.exact;
  return out;
}

// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HealthCheckPolicy.html
edge::HealthSettings read_health(const model::HealthCheckPolicy& policy) {
  edge::HealthSettings out{.path = policy.path.value_or("/"), .matcher = {}, .agent = "Envoy/HC", .is_envoy = true};
  out.port = static_cast<int>(policy.port.value_or(0));
  out.interval = std::chrono::milliseconds(std::int64_t{policy.interval_millis});
  out.timeout = std::chrono::milliseconds(std::int64_t{policy.timeout_millis});
  out.healthy_threshold = static_cast<int>(policy.healthy_threshold);
  out.unhealthy_threshold = static_cast<int>(policy.unhealthy_threshold);
  out.protocol = policy.protocol == "tcp" ? edge::CheckProtocol::kTcp : edge::CheckProtocol::kHttp;
  out.is_http2 = policy.protocol == "http2" || policy.protocol == "grpc";
  out.is_grpc = policy.protocol == "grpc";
  // The path is that of the service that gRPC defines for this.
  if (out.is_grpc) out.path = "/grpc.health.v1.Health/Check";
  out.matcher = *edge::StatusMatcher::parse(out.is_grpc ? "0" : "200");
  return out;
}

template <class Logging>
std::shared_ptr<const mesh::AccessFormat> format_of(const std::optional<Logging>& logging) {
  if (!logging || !logging->access_log || !logging->access_log->file) return nullptr;
  auto format = read_access_format(*logging->access_log->file);
  return format ? std::make_shared<const mesh::AccessFormat>(*std::move(format)) : nullptr;
}

void publish_nodes(AppMesh& appmesh, const Entity& entity, AppMesh::Published& now) {
  const auto spec = spec_of<model::VirtualNodeSpec>(entity);
  if (!spec.listeners) return;
  for (const model::Listener& one : *spec.listeners) {
    mesh::NodePlan plan{.id = engine_node(entity.arn(), one.port_mapping.port), .name = entity.name, .port = static_cast<int>(one.port_mapping.port),
                        .protocol = protocol_of(one.port_mapping.protocol), .outliers = {}, .pool = {}};
    if (one.outlier_detection)
      plan.outliers = {.errors_max = static_cast<int>(one.outlier_detection->max_server_errors), .interval = read_duration(one.outlier_detection->interval),
                       .base_ejection = read_duration(one.outlier_detection->base_ejection_duration), .ejected_percent_max = static_cast<int>(one.outlier_detection->max_ejection_percent)};
    if (one.connection_pool) {
      const auto& pool = *one.connection_pool;
      if (pool.http) {
        plan.pool.in_use_max = static_cast<std::uint32_t>(pool.http->max_connections);
        if (pool.http->max_pending_requests) plan.pool.pending_max = static_cast<std::uint32_t>(*pool.http->max_pending_requests);
      } else {
        plan.pool = {.in_use_max = static_cast<std::uint32_t>(pool.http2 ? pool.http2->max_requests : pool.grpc ? pool.grpc->max_requests : pool.tcp ? pool.tcp->max_connections : 0xFFFFFFFF), .pending_max = 0};
      }
    }
    if (one.timeout) {
      read_timeout(one.timeout->http, plan.request_timeout, plan.idle_timeout);
      read_timeout(one.timeout->http2, plan.request_timeout, plan.idle_timeout);
      read_timeout(one.timeout->grpc, plan.request_timeout, plan.idle_timeout);
      read_timeout(one.timeout->tcp, plan.request_timeout, plan.idle_timeout);
    }
    if (one.tls) plan.tls = read_listener_tls(*one.tls);
    plan.access_log = format_of(spec.logging);
    if (one.health_check) plan.health = read_health(*one.health_check);
    now.nodes.insert(plan.id);
    if (spec.service_discovery) appmesh.discoveries[plan.id] = {entity.account, entity.region, *spec.service_discovery, 0};
    appmesh.mesh.put_node(std::move(plan));
  }
}

void publish_service(AppMesh& appmesh, const Entity& entity, AppMesh::Published& now) {
  const auto spec = spec_of<model::VirtualServiceSpec>(entity);
  mesh::ServicePlan plan{.id = entity.arn(), .scope = mesh_arn(entity), .name = entity.name, .shown = entity.name, .ports = {}, .routes = {}};
  if (spec.provider && spec.provider->virtual_router) {
    const Entity* const router = find(appmesh, kVirtualRouter, entity, spec.provider->virtual_router->virtual_router_name);
    if (!router) return;
    for (const wire::Json& listener : router->spec["listeners"].as_array()) plan.ports.push_back(static_cast<int>(listener["portMapping"]["port"].as_int().value_or(0)));
    plan.routes = read_router(appmesh, *router);
  } else if (spec.provider && spec.provider->virtual_node) {
    const Entity* const node = find(appmesh, kVirtualNode, entity, spec.provider->virtual_node->virtual_node_name);
    if (!node) return;
    for (const wire::Json& listener : node->spec["listeners"].as_array()) {
      const std::int64_t port = listener["portMapping"]["port"].as_int().value_or(0);
      const mesh::Protocol protocol = protocol_of(listener["portMapping"].text("protocol"));
      mesh::Route route{.name = node->name, .protocol = protocol, .match = {}, .to = {{.node = engine_node(node->arn(), port)}}, .retry = default_retry(protocol), .rewrite = {}};
      route.match.port = static_cast<int>(port);
      plan.ports.push_back(static_cast<int>(port));
      plan.routes.push_back(std::move(route));
    }
  }
  now.services.insert(plan.id);
  appmesh.mesh.put_service(std::move(plan));
}

void publish_identity(AppMesh& appmesh, const Entity& entity, bool only_backends, AppMesh::Published& now) {
  mesh::MemberPlan plan{.scopes = {mesh_arn(entity)}, .name = entity.name, .node = entity.arn(), .only_backends = only_backends, .backends = {}, .account = entity.account, .region = entity.region};
  plan.tls = read_client_policy(entity.spec["backendDefaults"]["clientPolicy"]);
  for (const wire::Json& backend : entity.spec["backends"].as_array()) {
    plan.backends.push_back(make_arn(kVirtualService, entity.account, entity.region, entity.mesh, {}, backend["virtualService"].text("virtualServiceName")));
    if (auto own = read_client_policy(backend["virtualService"]["clientPolicy"])) plan.tls_of.emplace_back(plan.backends.back(), *std::move(own));
  }
  if (entity.kind == &kVirtualNode) plan.access_log = format_of(spec_of<model::VirtualNodeSpec>(entity).logging);
  else plan.access_log = format_of(spec_of<model::VirtualGatewaySpec>(entity).logging);
  now.identities.insert(entity.arn());
  appmesh.mesh.put_identity(entity.arn(), std::move(plan));
}

}  // namespace

std::string engine_node(std::string_view node_arn, std::int64_t port) { return fmt::format("{}#{}", node_arn, port); }

mesh::Protocol protocol_of(std::string_view name) {
  return name == "http2" ? mesh::Protocol::kHttp2 : name == "grpc" ? mesh::Protocol::kGrpc : name == "tcp" ? mesh::Protocol::kTcp : mesh::Protocol::kHttp;
}

Duration read_duration(const model::Duration& duration) {
  return duration.unit == "ms" ? Duration(std::chrono::milliseconds(duration.value.value_or(0))) : Duration(std::chrono::seconds(duration.value.value_or(0)));
}

void publish(AppMesh& appmesh, const Entity& changed) {
  const std::string arn = mesh_arn(changed);
  const AppMesh::Published before = std::exchange(appmesh.published[arn], {});
  AppMesh::Published& now = appmesh.published[arn];
  const auto found = appmesh.entities.find(arn);
  if (found != appmesh.entities.end()) {
    const Entity& mesh = found->second;
    const bool drops = mesh.spec["egressFilter"].text("type") != "ALLOW_ALL";
    for (const std::string& id : before.nodes) appmesh.discoveries.erase(id);
    for (const Entity* one : all_of(appmesh, kVirtualNode, mesh)) publish_nodes(appmesh, *one, now);
    for (const Entity* one : all_of(appmesh, kVirtualService, mesh)) publish_service(appmesh, *one, now);
    for (const Entity* one : all_of(appmesh, kVirtualNode, mesh)) publish_identity(appmesh, *one, drops, now);
    for (const Entity* one : all_of(appmesh, kVirtualGateway, mesh)) publish_identity(appmesh, *one, false, now);
  } else {
    appmesh.published.erase(arn);
  }
  static const AppMesh::Published kNothing;
  const AppMesh::Published& kept = found != appmesh.entities.end() ? now : kNothing;
  for (const std::string& id : before.nodes)
    if (!kept.nodes.contains(id)) {
      appmesh.mesh.remove_node(id);
      appmesh.discoveries.erase(id);
    }
  for (const std::string& id : before.services)
    if (!kept.services.contains(id)) appmesh.mesh.remove_service(id);
  for (const std::string& id : before.identities)
    if (!kept.identities.contains(id)) appmesh.mesh.remove_identity(id);
  if (changed.kind == &kVirtualGateway || changed.kind == &kGatewayRoute) appmesh.gateways->refresh(changed);
  look_for_endpoints(appmesh);
}

}  // namespace reef::service::appmesh
