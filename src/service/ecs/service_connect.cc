#include "service/ecs/service_connect.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::service::ecs {
namespace {

using wire::Json;
namespace mesh = edge::mesh;

aws::Error invalid(std::string message) { return {errors::kInvalidParameterException, std::move(message)}; }

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html#service-connect-concepts-proxy
constexpr int kRetries = 2, kOutlierErrors = 5, kEjectedPercent = 50;
constexpr Duration kOutlierInterval = 30s, kEjection = 30s, kRequestTimeout = 15s, kHttpIdle = 300s, kTcpIdle = 3600s;

struct Named {
  const model::ContainerDefinition* container;
  const model::PortMapping* port;
};
std::optional<Named> find_port(const model::TaskDefinition& definition, const std::string& name) {
  for (const model::ContainerDefinition& container : *definition.container_definitions)
    if (container.port_mappings)
      for (const model::PortMapping& port : *container.port_mappings)
        if (port.name == name) return Named{&container, &port};
  return std::nullopt;
}

mesh::Protocol protocol_of(const model::PortMapping& port) {
  if (port.app_protocol == "http") return mesh::Protocol::kHttp;
  if (port.app_protocol == "http2") return mesh::Protocol::kHttp2;
  if (port.app_protocol == "grpc") return mesh::Protocol::kGrpc;
  return mesh::Protocol::kTcp;
}

bool goes_back(const StoredService& service) {
  const task::ShiftStatus status = service.shift.state().status;
  return status == task::ShiftStatus::kRollingBack || status == task::ShiftStatus::kRolledBack;
}

// The configuration of the newest deployment that has not failed; nullptr when it is not enabled.
const model::ServiceConnectConfiguration* configuration_of(const StoredService& service) {
  if (service.machine.deployments().empty()) return nullptr;
  auto found = service.deployments.find(service.machine.deployments().front().id);
  if (shifts(service.service) && goes_back(service) && service.deployments.contains(service.shift.state().source)) found = service.deployments.find(service.shift.state().source);
  if (found == service.deployments.end() || !found->second.service_connect_configuration || !found->second.service_connect_configuration->enabled) return nullptr;
  return &*found->second.service_connect_configuration;
}

// While traffic shifts, the two versions are two nodes, as they are two target groups behind a balancer.
std::string node_id(const StoredService& service, const std::string& port_name, bool alternate) {
  return fmt::format("{}#{}{}", *service.service.service_arn, port_name, alternate ? "#alternate" : "");
}
bool uses_alternate(const StoredService& service, const std::string& deployment) {
  const auto link = service.links.find(deployment);
  return link != service.links.end() && link->second.uses_alternate;
}

struct Found {
  std::string arn, name;
};
Task<Reply<std::optional<Found>>> find_namespace(Ecs& ecs, Call call, std::string wanted) {
  Json input = Json::object({});
  for (;;) {
    const auto out = CO_TRY(co_await ecs.caller.invoke_json(call, "servicediscovery", "ListNamespaces", input));
    for (const Json& one : out["Namespaces"].as_array())
      if (one.text("Arn") == wanted || one.text("Name") == wanted) co_return std::optional(Found{one.text("Arn"), one.text("Name")});
    if (out.text("NextToken").empty()) co_return std::optional<Found>();
    input.set("NextToken", out.text("NextToken"));
  }
}

mesh::Route make_route(const std::string& name, mesh::Protocol protocol, const model::ServiceConnectService& one, std::vector<mesh::WeightedNode> to) {
  mesh::Route route{.name = name, .protocol = protocol, .match = {}, .to = std::move(to), .rewrite = {}};
  route.retry = {.retries_max = kRetries, .stream_error = true, .connection_error = true};
  const bool is_tcp = protocol == mesh::Protocol::kTcp;
  route.request_timeout = is_tcp ? Duration(0) : kRequestTimeout;
  route.idle_timeout = is_tcp ? kTcpIdle : kHttpIdle;
  if (one.timeout && one.timeout->per_request_timeout_seconds) route.request_timeout = std::chrono::seconds(*one.timeout->per_request_timeout_seconds);
  if (one.timeout && one.timeout->idle_timeout_seconds) route.idle_timeout = std::chrono::seconds(*one.timeout->idle_timeout_seconds);
  return route;
}

// What test requests carry.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-blue-green.html
std::pair<std::string, mesh::TextMatch> test_header(const model::ServiceConnectClientAlias& alias) {
  if (!alias.test_traffic_rules) return {"x-amzn-ecs-blue-green-test", {}};
  const auto& header = alias.test_traffic_rules->header;
  mesh::TextMatch match;
  if (header.value) match = {.kind = mesh::TextMatch::Kind::kExact, .text = header.value->exact};
  return {to_lower(header.name), std::move(match)};
}

// Where an alias leads: to one node, or while a deployment shifts traffic to two by their weights, with test requests to the new one.
std::vector<mesh::Route> routes_of(const StoredService& service, const model::ServiceConnectService& one, const model::ServiceConnectClientAlias& alias, mesh::Protocol protocol) {
  const std::string name = node_id(service, one.port_name, false);
  const task::ShiftState& state = service.shift.state();
  if (!shifts(service.service) || state.target.empty()) return {make_route(name, protocol, one, {{.node = name}})};
  const std::string target = node_id(service, one.port_name, uses_alternate(service, state.target));
  if (state.source.empty()) return {make_route(name, protocol, one, {{.node = target}})};
  // Parts of a thousand: percentages have one decimal place.
  const auto part = static_cast<std::uint32_t>(std::lround(state.production * 10));
  std::vector<mesh::Route> out;
  if (state.test == 100 && protocol != mesh::Protocol::kTcp) {
    out.push_back(make_route(name + "#test", protocol, one, {{.node = target}}));
    out.back().match.headers.push_back(test_header(alias));
  }
  out.push_back(make_route(name, protocol, one, {{.node = target, .weight = part}, {.node = node_id(service, one.port_name, uses_alternate(service, state.source)), .weight = 1000 - part}}));
  return out;
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-envoy-access-logs.html
std::shared_ptr<const mesh::AccessFormat> access_format(const model::ServiceConnectConfiguration& configuration) {
  if (!configuration.access_log_configuration) return nullptr;
  const auto& wanted = *configuration.access_log_configuration;
  const std::string path = wanted.include_query_parameters == "ENABLED" ? "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%" : "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%";
  auto format = wanted.format == "JSON"
                    ? mesh::AccessFormat::json({{"start_time", "%START_TIME%"}, {"method", "%REQ(:METHOD)%"}, {"path", path}, {"protocol", "%PROTOCOL%"}, {"response_code", "%RESPONSE_CODE%"},
                                                {"response_flags", "%RESPONSE_FLAGS%"}, {"bytes_received", "%BYTES_RECEIVED%"}, {"bytes_sent", "%BYTES_SENT%"}, {"duration", "%DURATION%"},
                                                {"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"}, {"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"}, {"user_agent", "%REQ(USER-AGENT)%"},
                                                {"request_id", "%REQ(X-REQUEST-ID)%"}, {"authority", "%REQ(:AUTHORITY)%"}, {"upstream_host", "%UPSTREAM_HOST%"}})
                    : mesh::AccessFormat::text("[%START_TIME%] \"%REQ(:METHOD)% " + path +
                                               " %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
                                               "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"");
  return std::make_shared<const mesh::AccessFormat>(*std::move(format));
}

}  // namespace

Task<Reply<model::ServiceConnectConfiguration>> check_connect(Ecs& ecs, const Call& call, model::ServiceConnectConfiguration wanted, const StoredCluster& cluster,
                                                              const model::TaskDefinition& definition) {
  if (!wanted.enabled) co_return wanted;
  if (wanted.access_log_configuration && !wanted.log_configuration) co_return Err(invalid("logConfiguration must be specified in the serviceConnectConfiguration when accessLogConfiguration is specified."));
  if (wanted.access_log_configuration && wanted.log_configuration->log_driver != "awslogs")
    co_return Err(aws::not_implemented(fmt::format("accessLogConfiguration of a serviceConnectConfiguration with the log driver {}", wanted.log_configuration->log_driver)));
  if (!wanted.namespace_ && cluster.cluster.service_connect_defaults) wanted.namespace_ = cluster.cluster.service_connect_defaults->namespace_;
  if (wanted.namespace_.value_or("").empty()) co_return Err(invalid("Namespace must be specified in the ServiceConnectConfiguration when the cluster has no default Service Connect namespace."));
  const auto found = CO_TRY(co_await find_namespace(ecs, call, *wanted.namespace_));
  if (!found) co_return Err(aws::Error(errors::kNamespaceNotFoundException, "The specified namespace wasn't found."));
  wanted.namespace_ = found->arn;
  if (definition.network_mode == "host") co_return Err(invalid("Service Connect feature is only available with awsvpc and bridge network modes."));
  if (!wanted.services) co_return wanted;
  for (const model::ServiceConnectService& one : *wanted.services) {
    const auto port = find_port(definition, one.port_name);
    if (!port) co_return Err(invalid(fmt::format("The portName {} in the ServiceConnectConfiguration does not match the name of a portMapping in the task definition.", one.port_name)));
    if (one.ingress_port_override) co_return Err(aws::not_implemented("ingressPortOverride of a Service Connect service"));
    if (one.tls && one.tls->issuer_certificate_authority.aws_pca_authority_arn.value_or("").empty()) co_return Err(invalid("awsPcaAuthorityArn must be specified in the tls of a Service Connect service."));
    if (!one.client_aliases || one.client_aliases->empty()) co_return Err(invalid("At least one clientAlias must be specified for each ServiceConnectService."));
    if (one.client_aliases->size() > 1) co_return Err(invalid("At most one clientAlias can be specified for each ServiceConnectService."));
    if (const auto& test = one.client_aliases->front().test_traffic_rules) {
      if (test->header.name.empty()) co_return Err(invalid("The header name of the testTrafficRules must be specified."));
      if (protocol_of(*port->port) == mesh::Protocol::kTcp) co_return Err(invalid(fmt::format("testTrafficRules cannot be set for the port {}, whose appProtocol is TCP.", one.port_name)));
    }
    if (protocol_of(*port->port) == mesh::Protocol::kTcp && one.timeout && one.timeout->per_request_timeout_seconds)
      co_return Err(invalid("perRequestTimeoutSeconds cannot be set for a Service Connect service whose appProtocol is TCP."));
  }
  co_return wanted;
}

// Services of the type HTTP, found by DiscoverInstances alone. One that is there is shared.
Task<Reply<void>> make_discovery(Ecs& ecs, const Call& call, const model::ServiceConnectConfiguration& configuration, StoredService& service) {
  service.connect_resources.clear();
  if (!configuration.enabled) co_return Reply<void>();
  const auto found = CO_TRY(co_await find_namespace(ecs, call, *configuration.namespace_));
  if (!found) co_return Err(aws::Error(errors::kNamespaceNotFoundException, "The specified namespace wasn't found."));
  service.connect_namespace = found->name;
  const std::string space(last_part(found->arn));
  for (const model::ServiceConnectService& one : configuration.services.value_or(std::vector<model::ServiceConnectService>())) {
    const std::string name = one.discovery_name.value_or(one.port_name);
    const auto made = co_await ecs.caller.invoke_json(call, "servicediscovery", "CreateService", Json::object({{"Name", name}, {"NamespaceId", space}, {"Type", "HTTP"}}));
    std::string arn = made ? (*made)["Service"].text("Arn") : std::string();
    if (!made && made.error().code != "ServiceAlreadyExists") co_return Err(invalid(fmt::format("The discovery name {} cannot be made: {}", name, made.error().message)));
    if (!made) {
      const Json filters = Json::array({Json::object({{"Name", "NAMESPACE_ID"}, {"Values", Json::array({space})}, {"Condition", "EQ"}})});
      const Json listed = CO_TRY(co_await ecs.caller.invoke_json(call, "servicediscovery", "ListServices", Json::object({{"Filters", filters}})));
      for (const Json& other : listed["Services"].as_array())
        if (other.text("Name") == name) arn = other.text("Arn");
    }
    service.connect_resources.push_back({.discovery_name = name, .discovery_arn = arn});
  }
  co_return Reply<void>();
}

Task<void> remove_discovery(Ecs& ecs, ServicePtr service) {
  const Call call = ecs.caller.internal_call(service->account, service->region);
  const auto resources = std::exchange(service->connect_resources, {});
  for (const model::ServiceConnectServiceResource& one : resources)   // refused while other services share it
    static_cast<void>(co_await ecs.caller.invoke_json(call, "servicediscovery", "DeleteService", Json::object({{"Id", std::string(last_part(one.discovery_arn.value_or("")))}})));
}

Task<Reply<std::string>> default_namespace(Ecs& ecs, const Call& call, std::string wanted) {
  if (const auto found = CO_TRY(co_await find_namespace(ecs, call, wanted))) co_return found->arn;
  if (wanted.starts_with("arn:")) co_return Err(aws::Error(errors::kNamespaceNotFoundException, "The specified namespace wasn't found."));
  CO_TRY(co_await ecs.caller.invoke_json(call, "servicediscovery", "CreateHttpNamespace", Json::object({{"Name", wanted}})));
  const auto made = CO_TRY(co_await find_namespace(ecs, call, wanted));
  if (!made) co_return Err(aws::Error(errors::kNamespaceNotFoundException, "The specified namespace wasn't found."));
  co_return made->arn;
}

void connect_service(Ecs& ecs, StoredService& service) {
  disconnect_service(ecs, service);
  // What the newest deployment says, after a restart.
  if (service.connect_resources.empty() && !service.machine.deployments().empty())
    if (const auto newest = service.deployments.find(service.machine.deployments().front().id); newest != service.deployments.end() && newest->second.service_connect_resources)
      service.connect_resources = *newest->second.service_connect_resources;
  const model::ServiceConnectConfiguration* const configuration = configuration_of(service);
  if (!configuration || !configuration->services) return;
  const StoredDefinition* const definition = find_definition(ecs, service.account, service.region, *service.service.task_definition);
  if (!definition) return;
  for (const model::ServiceConnectService& one : *configuration->services) {
    const auto port = find_port(definition->definition, one.port_name);
    if (!port) continue;
    const mesh::Protocol protocol = protocol_of(*port->port);
    const std::string node = node_id(service, one.port_name, false), discovery = one.discovery_name.value_or(one.port_name);
    for (const model::ServiceConnectServiceResource& resource : service.connect_resources)
      if (resource.discovery_name == discovery)
        service.connect_registries.push_back({.registry_arn = resource.discovery_arn, .port = {}, .container_name = port->container->name, .container_port = port->port->container_port});
    // Certificates by the private authority, shown to callers that trust it.
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-tls.html
    mesh::ServerTlsPlan server{.certificate = {}, .trust = {}, .names = {}};
    std::optional<mesh::ClientTlsPlan> client;
    if (one.tls) {
      const std::string& authority = *one.tls->issuer_certificate_authority.aws_pca_authority_arn;
      const std::string name = fmt::format("{}.{}", discovery, service.connect_namespace);
      server = {.mode = mesh::ServerTlsPlan::Mode::kStrict, .certificate = fmt::format("{}#{}", authority, name), .trust = {}, .names = {}};
      client = mesh::ClientTlsPlan{.ports = {}, .certificate = {}, .trust = {authority}, .names = {name}};
    }
    for (const bool alternate : {false, true}) {
      if (alternate && !shifts(service.service)) continue;
      const std::string id = node_id(service, one.port_name, alternate);
      ecs.mesh.put_node({.id = id, .name = service.name, .port = port->port->container_port.value_or(0), .protocol = protocol,
                         .outliers = {.errors_max = kOutlierErrors, .interval = kOutlierInterval, .base_ejection = kEjection, .ejected_percent_max = kEjectedPercent}, .pool = {}, .tls = server, .access_log = access_format(*configuration)});
      service.mesh_nodes.push_back(id);
    }
    for (const model::ServiceConnectClientAlias& alias : *one.client_aliases) {
      const std::string dns = alias.dns_name.value_or("").empty() ? fmt::format("{}.{}", discovery, service.connect_namespace) : *alias.dns_name;
      const std::string id = fmt::format("{}#{}:{}", node, dns, alias.port);
      ecs.mesh.put_service({.id = id, .scope = *configuration->namespace_, .name = dns, .shown = discovery, .ports = {static_cast<int>(alias.port)}, .routes = routes_of(service, one, alias, protocol), .tls = client, .owner = service.name, .group = service.cluster});
      service.mesh_services.push_back(id);
    }
  }
  connect_endpoints(ecs, service);
}

bool has_test_traffic(const StoredService& service) {
  const model::ServiceConnectConfiguration* const configuration = configuration_of(service);
  return configuration && configuration->services && !configuration->services->empty();
}

void disconnect_service(Ecs& ecs, StoredService& service) {
  service.connect_registries.clear();
  for (const std::string& id : std::exchange(service.mesh_services, {})) ecs.mesh.remove_service(id);
  for (const std::string& id : std::exchange(service.mesh_nodes, {})) ecs.mesh.remove_node(id);
}

void connect_endpoints(Ecs& ecs, const StoredService& service) {
  const model::ServiceConnectConfiguration* const configuration = configuration_of(service);
  if (!configuration || !configuration->services) return;
  for (const model::ServiceConnectService& one : *configuration->services) {
    std::vector<mesh::Endpoint> endpoints, alternates;
    const bool shifting = shifts(service.service);
    for (const auto& [id, member] : service.machine.members()) {
      const auto found = ecs.all_tasks.find(id);
      if (found == ecs.all_tasks.end()) continue;
      const StoredTask& task = *found->second;
      if (task.task.last_status != "RUNNING" || task.task.desired_status != "RUNNING" || task.is_draining || task.container_healthy == false) continue;
      const StoredDefinition* const definition = find_definition(ecs, task.account, task.region, *task.task.task_definition_arn);
      const auto port = definition ? find_port(definition->definition, one.port_name) : std::nullopt;
      if (!port) continue;
      // Tasks of earlier attempts are on their way out.
      const task::ShiftState& state = service.shift.state();
      if (shifting && !state.target.empty() && member.deployment != state.source && member.deployment != state.target) continue;
      auto& node = shifting && uses_alternate(service, member.deployment) ? alternates : endpoints;
      if (const auto at = reached_at(task, port->container->name.value_or(""), port->port->container_port.value_or(0))) node.push_back({.id = id, .ip = at->first, .port = at->second});
    }
    ecs.mesh.set_endpoints(node_id(service, one.port_name, false), std::move(endpoints));
    if (shifting) ecs.mesh.set_endpoints(node_id(service, one.port_name, true), std::move(alternates));
  }
}

edge::mesh::AccessSink proxy_log(Ecs& ecs, const StoredTask& task, const std::string& proxy, const std::optional<model::LogConfiguration>& configuration) {
  if (!configuration || configuration->log_driver != "awslogs" || !configuration->options) return {};
  const auto option = [&](std::string_view name) {
    const auto found = configuration->options->find(name);
    return found == configuration->options->end() ? std::string() : found->second;
  };
  const std::string region = option("awslogs-region"), prefix = option("awslogs-stream-prefix");
  if (option("awslogs-group").empty()) return {};
  std::string group = fmt::format("{}/{}/{}", task.account, region.empty() ? task.region : region, option("awslogs-group"));
  std::string stream = prefix.empty() ? task.id : fmt::format("{}/{}/{}", prefix, proxy, task.id);
  return [&ecs, group = std::move(group), stream = std::move(stream)](std::string line) {
    // Hops end on any loop.
    store::Shard::control().reactor().post([&ecs, group, stream, line = std::move(line), now = store::Shard::current().now()]() mutable { ecs.logs.append_anyway(group, stream, std::move(line), now); });
  };
}

void connect_member(Ecs& ecs, const StoredTask& task, const StoredService& service) {
  if (const auto* const configuration = configuration_of(service))
    ecs.mesh.put_member(task.id, {.scopes = {*configuration->namespace_}, .name = service.name, .node = {}, .backends = {}, .account = task.account, .region = task.region, .group = service.cluster, .access_log = access_format(*configuration)},
                        proxy_log(ecs, task, "ecs-service-connect-" + service.name, configuration->log_configuration));
}

}  // namespace reef::service::ecs
