// What the loops write of requests and connections when a caller's or a destination's node keeps an access log: the line that its Envoy
// would write, on the side of the caller, of the destination, or of both.
#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/mesh/mesh_loop.h"
#include "engine/edge/mesh/trip.h"

namespace reef::edge::mesh {
namespace {

struct Said {
  std::string_view error, flags, details;
};
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage, of %RESPONSE_FLAGS%
constexpr Said kSaid[] = {{"no-route", "NR", "route_not_found"},
                          {"no-node", "NC", "cluster_not_found"},
                          {"no-endpoint", "UH", "no_healthy_upstream"},
                          {"overflow", "UO", "overflow"},
                          {"timeout", "UT", "response_timeout"},
                          {"idle", "SI", "stream_idle_timeout"},
                          {"not-connected", "UF", "upstream_reset_before_response_started{connection_failure}"},
                          {"broken", "UC", "upstream_reset_before_response_started{connection_termination}"}};

// "task:id@10.0.0.7"
std::string_view task_of(std::string_view origin) {
  if (!origin.starts_with("task:")) return {};
  return origin.substr(5, origin.rfind('@') - 5);
}

}  // namespace

std::shared_ptr<AccessEntry> MeshLoop::begin_entry(const MemberPlan& caller, std::string_view origin, const Node* node, std::string_view target, std::string_view error) const {
  auto out = std::make_shared<AccessEntry>();
  const auto add = [&](const std::shared_ptr<const AccessFormat>& format, std::string_view member, const std::string& owner) {
    if (!format) return;
    const auto found = view_->members.find(member);
    out->writers.push_back({format, found == view_->members.end() ? nullptr : found->second.log, owner});
  };
  add(caller.access_log, task_of(origin), caller.name);
  if (node && !target.empty()) add(node->plan.access_log, target, node->plan.name);
  if (out->writers.empty()) return nullptr;
  if (const auto at = origin.rfind('@'); at != std::string_view::npos) out->facts.downstream = fmt::format("{}:0", origin.substr(at + 1));
  out->facts.details = "via_upstream";
  for (const Said& one : kSaid)
    if (one.error == error) {
      out->facts.flags = one.flags;
      out->facts.details = one.details;
    }
  if (node) out->facts.upstream_cluster = node->plan.name;
  return out;
}

std::shared_ptr<AccessEntry> MeshLoop::begin_entry(const Trip& trip, std::string_view origin, std::string_view error, const http::Response& reply) const {
  auto out = begin_entry(*trip.caller, origin, trip.node.get(), trip.target ? std::string_view(trip.target->id) : std::string_view(), error);
  if (!out) return nullptr;
  AccessFacts& facts = out->facts;
  const http::Request& request = trip.request;
  facts.start = trip.start;
  facts.until_head = Duration(io::monotonic_micros() - trip.began);
  facts.method = request.method;
  facts.path = request.target;
  facts.protocol = request.version == 20 ? "HTTP/2" : request.version == 10 ? "HTTP/1.0" : "HTTP/1.1";
  facts.authority = request.host;
  if (facts.downstream.empty()) facts.downstream = request.peer;
  for (const auto& header : request.headers) facts.request_headers.emplace_back(header.name, header.value);
  for (const auto& [name, value] : reply.headers) facts.reply_headers.emplace_back(to_lower(name), value);
  facts.reply_headers.emplace_back("x-envoy-upstream-service-time", std::to_string(facts.until_head->count() / 1000));
  facts.status = reply.status;
  if (trip.route) facts.route = trip.route->name;
  facts.upstream_host = trip.endpoint;
  facts.grpc_status = trip.result.grpc_status;
  if (!error.empty()) {
    facts.own_body = reply.body;
    if (trip.route && trip.tries > trip.route->retry.retries_max && trip.tries > 1) facts.flags += ",URX";
  }
  out->began = trip.began;
  out->body = trip.body;
  out->known_size = request.body->size().value_or(0);
  return out;
}

void MeshLoop::write(AccessEntry& entry, const http::Body* reply) const {
  AccessFacts& facts = entry.facts;
  facts.took = Duration(io::monotonic_micros() - entry.began);
  facts.received = entry.body ? entry.body->passed() : entry.known_size;
  if (reply)
    for (const auto& [name, value] : reply->trailers()) {
      facts.trailers.emplace_back(to_lower(name), value);
      if (facts.trailers.back().first == "grpc-status") facts.grpc_status = parse_int<int>(value);
    }
  for (const AccessEntry::Writer& one : entry.writers) {
    std::string line = one.format->line(facts);
    if (one.sink) (*one.sink)(std::move(line));
    else if (shared_.access_log) shared_.access_log(one.owner, line);
  }
}

}  // namespace reef::edge::mesh
