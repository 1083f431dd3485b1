#include "service/appmesh/gateways.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "service/appmesh/matches.h"

namespace reef::service::appmesh {
namespace {

namespace mesh = edge::mesh;

// What gateway routes say of a request; the engine's routes are compiled from them as from any other's.
struct Ranked {
  std::int64_t priority;
  std::size_t length;
  mesh::Route route;
  mesh::GatewayTarget target;
};

void read_host(mesh::RouteMatch& match, const std::optional<model::GatewayRouteHostnameMatch>& host) {
  if (host && host->exact) match.host = mesh::TextMatch{.kind = mesh::TextMatch::Kind::kExact, .text = *host->exact};
  else if (host && host->suffix) match.host = mesh::TextMatch{.kind = mesh::TextMatch::Kind::kSuffix, .text = *host->suffix};
}

bool keeps_host(const std::optional<model::GatewayRouteHostnameRewrite>& rewrite) { return rewrite && rewrite->default_target_hostname == "DISABLED"; }

mesh::GatewayTarget read_target(const Entity& entity, const model::GatewayRouteTarget& target) {
  const std::string& name = target.virtual_service.virtual_service_name;
  return {.service = make_arn(kVirtualService, entity.account, entity.region, entity.mesh, {}, name), .service_name = name, .port = static_cast<int>(target.port.value_or(0))};
}

void read_http(Ranked& out, const Entity& entity, const model::HttpGatewayRoute& route) {
  mesh::RouteMatch& match = out.route.match;
  if (route.match.path && route.match.path->exact) match.path = mesh::TextMatch{.kind = mesh::TextMatch::Kind::kExact, .text = *route.match.path->exact};
  else if (route.match.path && route.match.path->regex) match.path = mesh::TextMatch{.kind = mesh::TextMatch::Kind::kRegex, .text = *route.match.path->regex};
  else if (route.match.prefix) match.path = mesh::TextMatch{.kind = mesh::TextMatch::Kind::kPrefix, .text = *route.match.prefix};
  match.method = route.match.method.value_or("");
  match.port = static_cast<int>(route.match.port.value_or(0));
  read_host(match, route.match.hostname);
  add_headers(match, route.match.headers);
  if (route.match.query_parameters)
    for (const auto& query : *route.match.query_parameters)
      if (query.match && query.match->exact) match.queries.emplace_back(query.name, *query.match->exact);
  out.length = match.path ? match.path->text.size() : 0;
  // A matched prefix becomes "/" unless that is turned off.
  // https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HttpGatewayRoutePrefixRewrite.html
  const auto& rewrite = route.action.rewrite;
  const bool is_off = rewrite && rewrite->prefix && rewrite->prefix->default_prefix == "DISABLED";
  if (route.match.prefix && *route.match.prefix != "/" && !is_off) out.route.rewrite.prefix = "/";
  if (rewrite && rewrite->prefix && rewrite->prefix->value) out.route.rewrite.prefix = *rewrite->prefix->value;
  if (rewrite && rewrite->path && rewrite->path->exact) out.route.rewrite.path = *rewrite->path->exact;
  if (rewrite) out.route.rewrite.keeps_host = keeps_host(rewrite->hostname);
  // "/a" matched and "/" instead of it would make "//b" of "/a/b".
  if (out.route.rewrite.prefix == "/" && match.path && !match.path->text.ends_with('/')) out.route.rewrite.prefix = "";
  out.target = read_target(entity, route.action.target);
}

Ranked read_route(const Entity& entity) {
  const auto spec = spec_of<model::GatewayRouteSpec>(entity);
  Ranked out{.priority = spec.priority ? std::int64_t{*spec.priority} : INT64_MAX, .length = 0, .route = {.name = entity.name, .match = {}, .to = {}, .retry = {}, .rewrite = {}}, .target = {}};
  if (spec.http_route) read_http(out, entity, *spec.http_route);
  if (spec.http2_route) read_http(out, entity, *spec.http2_route);
  if (spec.grpc_route) {
    const model::GrpcGatewayRoute& route = *spec.grpc_route;
    out.route.match.grpc_service = route.match.service_name.value_or("");
    out.route.match.port = static_cast<int>(route.match.port.value_or(0));
    read_host(out.route.match, route.match.hostname);
    add_headers(out.route.match, route.match.metadata);
    out.length = out.route.match.grpc_service.size();
    if (route.action.rewrite) out.route.rewrite.keeps_host = keeps_host(route.action.rewrite->hostname);
    out.target = read_target(entity, route.action.target);
  }
  return out;
}

}  // namespace

std::string Gateways::address_for(std::string_view arn) const {
  for (std::uint64_t hash = std::hash<std::string_view>{}(arn);; hash = hash * 6364136223846793005ull + 1442695040888963407ull) {
    std::string address = fmt::format("127.63.{}.{}", hash >> 40 & 255, 1 + (hash >> 32 & 255) % 254);
    if (std::none_of(all_.begin(), all_.end(), [&](const auto& one) { return one.second.gateway->plan().address == address; })) return address;
  }
}

void Gateways::put(const Entity& entity) {
  One& one = all_[entity.arn()];
  mesh::GatewayPlan plan{.identity = entity.arn(), .address = one.gateway ? one.gateway->plan().address : std::string(), .listeners = {}, .routes = {}, .targets = {}};
  if (!one.gateway) {
    one.gateway = std::make_unique<mesh::Gateway>(appmesh_.mesh, store::Shard::control().reactor());
    plan.address = address_for(entity.arn());
    one.name = fmt::format("{}.{}.mesh.internal", to_lower(entity.name), to_lower(entity.mesh));
    names_.put(one.name, plan.address);
  }
  const auto spec = spec_of<model::VirtualGatewaySpec>(entity);
  for (const model::VirtualGatewayListener& listener : spec.listeners) {
    mesh::GatewayListener made{.port = static_cast<int>(listener.port_mapping.port), .certificates = {}};
    if (listener.tls && listener.tls->mode != "DISABLED" && listener.tls->certificate.acm)
      if (const auto certificate = certificates_.find(listener.tls->certificate.acm->certificate_arn)) {
        made.certificates.push_back({certificate->chain_pem, certificate->key_pem});
        made.needs_tls = listener.tls->mode == "STRICT";
      }
    plan.listeners.push_back(std::move(made));
  }
  std::vector<Ranked> ranked;
  for (const Entity* route : all_of(appmesh_, kGatewayRoute, entity, entity.name)) ranked.push_back(read_route(*route));
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.length != b.length ? a.length > b.length : a.route.name < b.route.name;
  });
  for (Ranked& route : ranked) {
    plan.routes.push_back(std::move(route.route));
    plan.targets.push_back(std::move(route.target));
  }
  const std::string address = plan.address;
  if (const auto applied = one.gateway->apply(std::move(plan)); !applied)
    log::warn("a virtual gateway cannot listen", {{"gateway", entity.name}, {"address", address}, {"reason", applied.error().message}});
  for (const auto& listener : one.gateway->plan().listeners)
    log::info("virtual gateway", {{"gateway", entity.name}, {"mesh", entity.mesh}, {"address", address}, {"port", one.gateway->port_of(listener.port)}});
}

void Gateways::refresh(const Entity& changed) {
  const std::string arn = changed.kind == &kVirtualGateway ? changed.arn() : make_arn(kVirtualGateway, changed.account, changed.region, changed.mesh, {}, changed.parent);
  const auto entity = appmesh_.entities.find(arn);
  if (entity != appmesh_.entities.end()) return put(entity->second);
  const auto gone = all_.find(arn);
  if (gone == all_.end()) return;
  names_.remove(gone->second.name);
  all_.erase(gone);
}

void Gateways::clear() {
  for (const auto& [arn, one] : all_) names_.remove(one.name);
  all_.clear();
}

}  // namespace reef::service::appmesh
