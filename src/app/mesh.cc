#include "app/mesh.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/mesh/gateway.h"
#include "engine/sandbox/dns_question.h"
#include "engine/store/shard.h"
#include "base/text.h"
#include "wire/json.h"

namespace reef::app {
namespace {

std::string member_of(const task::Tasks& tasks, std::string_view sandbox) {
  const task::LiveTask* const owner = tasks.owner_of(sandbox);
  return owner ? owner->plan.id : std::string(sandbox);
}

// As NetworkGate reads it: the task and its address, so that no loop but the tasks' own has to look for it.
std::string origin_of(const task::Tasks& tasks, std::string_view sandbox) {
  const task::LiveTask* const owner = tasks.owner_of(sandbox);
  return owner ? fmt::format("task:{}@{}", owner->plan.id, owner->address) : std::string();
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html: what Service Connect publishes, by the name
// that was called alone and with the service that has it, and by the caller.
void publish(metrics::Counters& counters, const edge::mesh::Hop& hop) {
  const double took = static_cast<double>(hop.took.count()) / 1000;
  const bool is_http = hop.status > 0;
  if (!is_http) {
    counters.add({hop.account, hop.region, "AWS/ECS", {{"DiscoveryName", hop.service}}}, {{"NewConnectionCount", 1}});
    counters.add({hop.account, hop.region, "AWS/ECS", {{"ClusterName", hop.group}, {"DiscoveryName", hop.service}, {"ServiceName", hop.owner}}}, {{"NewConnectionCount", 1}});
    return;
  }
  const std::string_view code = hop.status < 300 ? "HTTPCode_Target_2XX_Count" : hop.status < 400 ? "HTTPCode_Target_3XX_Count" : hop.status < 500 ? "HTTPCode_Target_4XX_Count" : "HTTPCode_Target_5XX_Count";
  counters.add({hop.account, hop.region, "AWS/ECS", {{"DiscoveryName", hop.service}}}, {{"RequestCount", 1}});
  counters.add({hop.account, hop.region, "AWS/ECS", {{"ClusterName", hop.group}, {"DiscoveryName", hop.service}, {"ServiceName", hop.owner}}}, {{"RequestCount", 1}});
  counters.add({hop.account, hop.region, "AWS/ECS", {{"TargetDiscoveryName", hop.service}}}, {{code, 1}, {"TargetResponseTime", took, metrics::Unit::kMilliseconds}});
  counters.add({hop.account, hop.region, "AWS/ECS", {{"ClusterName", hop.caller_group}, {"ServiceName", hop.caller}, {"TargetDiscoveryName", hop.service}}},
               {{code, 1}, {"TargetResponseTime", took, metrics::Unit::kMilliseconds}});
}

wire::Json describe(const edge::mesh::Mesh& mesh, const std::vector<edge::mesh::Figures>& figures) {
  using wire::Json;
  Json hops = Json::array();
  for (const edge::mesh::Figures& one : figures)
    hops.push_back(Json::object({{"caller", one.caller}, {"service", one.service}, {"target", one.target}, {"requests", one.requests}, {"errors", one.errors},
                                 {"retries", one.retries}, {"denied", one.denied}, {"p50Micros", one.latency.percentile(0.5)}, {"p99Micros", one.latency.percentile(0.99)}}));
  Json nodes = Json::array();
  const Time now = store::Shard::control().now();
  for (const auto& [id, node] : mesh.view().nodes) {
    Json endpoints = Json::array();
    for (const auto& target : node->all)
      endpoints.push_back(Json::object({{"address", fmt::format("{}:{}", target->ip, target->port)}, {"healthy", std::find(node->targets.begin(), node->targets.end(), target) != node->targets.end()},
                                        {"ejected", node->state->is_ejected(target->id, now)}}));
    nodes.push_back(Json::object({{"id", id}, {"name", node->plan.name}, {"endpoints", std::move(endpoints)}, {"ejections", node->state->ejections()},
                                  {"inUse", static_cast<std::int64_t>(node->state->in_use())}, {"pending", static_cast<std::int64_t>(node->state->pending())},
                                  {"overflows", node->state->refused()}}));
  }
  Json gateways = Json::array();
  for (const edge::mesh::Gateway* one : mesh.gateways) {
    const std::string& identity = one->plan().identity;
    Json ports = Json::array();
    for (const auto& listener : one->plan().listeners) ports.push_back(Json::object({{"declared", listener.port}, {"port", one->port_of(listener.port)}, {"tls", !listener.certificates.empty()}}));
    gateways.push_back(Json::object({{"name", identity.substr(identity.rfind('/') + 1)}, {"address", one->plan().address}, {"ports", std::move(ports)}}));
  }
  return Json::object({{"hops", std::move(hops)}, {"nodes", std::move(nodes)}, {"gateways", std::move(gateways)}});
}

}  // namespace

edge::mesh::Tracing make_tracing(telemetry::Spans& spans, metrics::Counters& counters) {
  edge::mesh::Tracing out;
  out.begin = [](std::string_view amzn, std::string_view traceparent, Time now) {
    auto context = telemetry::TraceContext::read(amzn, traceparent, now);
    edge::mesh::Tracing::Position position{.root = context.root, .parent = context.parent, .id = telemetry::new_span_id()};
    context.parent = position.id;
    position.amzn = context.amzn_header();
    position.traceparent = context.traceparent();
    return position;
  };
  out.end = [&spans, &counters](const edge::mesh::Hop& hop) {
    if (!hop.group.empty() && !hop.account.empty()) publish(counters, hop);
    telemetry::Span span;
    span.trace = hop.root;
    span.id = hop.id;
    span.parent = hop.parent;
    span.name = fmt::format("mesh {} -> {}{}{}{}{}{}", hop.caller, hop.service, hop.target.empty() ? "" : " (", hop.target, hop.target.empty() ? "" : ")", hop.method.empty() ? "" : " ", hop.method);
    if (!hop.path.empty()) span.name += fmt::format(" {}", hop.path);
    else if (!hop.endpoint.empty()) span.name += fmt::format(" {}", hop.endpoint);
    span.account = hop.account;
    span.region = hop.region;
    span.start = hop.start;
    span.duration = hop.took;
    span.status = hop.status;
    span.error = hop.error;
    spans.record(std::move(span));
  };
  return out;
}

edge::mesh::SecretSource make_secrets(edge::Authority& authority, edge::Certificates& certificates, edge::PrivateAuthorities& private_authorities) {
  static constexpr Duration kLife = 1h, kArnLooked = 60s;
  return {.certificate = [&authority, &certificates, &private_authorities](const std::string& name, Time now) -> Result<edge::mesh::Secret, Failure> {
            if (name.starts_with("spiffe://")) {
              auto pair = authority.issue_identity(name, kLife, now);
              if (!pair) return Err(std::move(pair.error()));
              return edge::mesh::Secret{*std::move(pair), now + kLife / 2};
            }
            if (const auto hash = name.find('#'); hash != std::string::npos) {
              std::vector<std::string> names, uris;
              for (const std::string_view one : split(std::string_view(name).substr(hash + 1), ',')) (one.starts_with("spiffe://") ? uris : names).emplace_back(one);
              auto pair = private_authorities.issue(name.substr(0, hash), std::move(names), std::move(uris), now - 60s, now + kLife);
              if (!pair) return Err(std::move(pair.error()));
              return edge::mesh::Secret{*std::move(pair), now + kLife / 2};
            }
            const auto found = certificates.find(name);
            if (!found || found->key_pem.empty()) return Err(Failure{"there is no certificate " + name});
            return edge::mesh::Secret{{found->chain_pem, found->key_pem}, now + kArnLooked};
          },
          .trust = [&authority, &certificates, &private_authorities](const std::string& name) -> Result<std::string, Failure> {
            if (name.starts_with("spiffe://")) return authority.certificate_pem();
            if (std::string pem = private_authorities.trusted_pem(name); !pem.empty()) return pem;
            const auto found = certificates.find(name);
            if (!found) return Err(Failure{"there is no certificate authority " + name});
            return found->chain_pem;
          }};
}

std::optional<std::string> answer_mesh(const edge::mesh::Mesh& mesh, const task::Tasks& tasks, std::string_view sandbox, std::string_view query) {
  const auto question = sandbox::parse_question(query);
  if (!question) return std::nullopt;
  const auto address = mesh.resolve(member_of(tasks, sandbox), question->name);
  if (!address) return std::nullopt;
  return sandbox::answer(query, *question, question->type == sandbox::kDnsA ? address : std::nullopt);
}

bool adopt_mesh(edge::mesh::Mesh& mesh, const task::Tasks& tasks, std::string_view sandbox, sandbox::Destination original, int fd) {
  return mesh.adopt(member_of(tasks, sandbox), origin_of(tasks, sandbox), original.address, original.port, fd);
}

gateway::SideDoor make_mesh_admin(const edge::mesh::Mesh& mesh) {
  return {.wants = [](const http::Request& request) { return request.path == "/_atoll/mesh"; },
          .serve = [&mesh](http::Request&) -> Task<http::Response> {
            store::Shard& home = store::Shard::current();
            co_await store::Shard::control().enter();
            http::Response response;
            response.set("content-type", "application/json");
            response.body = describe(mesh, co_await mesh.figures()).dump();
            co_await home.enter();
            co_return response;
          }};
}

}  // namespace reef::app
