// What a mesh is told to do, in the machine's words. Pure data, replaced whole on every change: nobody here knows an ARN
// from any other name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/edge/balancer/health.h"
#include "engine/edge/mesh/access_format.h"
#include "engine/edge/mesh/keyring.h"

namespace reef::edge::mesh {

enum class Protocol { kHttp, kHttp2, kGrpc, kTcp };

// How a text of a request has to be; the values of a matcher that is not negated are what must hold.
struct TextMatch {
  enum class Kind { kPresent, kExact, kPrefix, kSuffix, kRegex, kRange };
  Kind kind = Kind::kPresent;
  std::string text;
  std::int64_t from = 0, to = 0;   // of a range; `to` is not in it
  bool negated = false;
};

// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HttpRouteMatch.html
struct RouteMatch {
  std::optional<TextMatch> path;                                // a prefix, exactly, or a regular expression
  std::string method;                                           // empty: any
  std::string scheme;
  std::vector<std::pair<std::string, TextMatch>> headers;       // names in lower case; gRPC metadata too
  std::vector<std::pair<std::string, std::string>> queries;     // name and exact value
  std::optional<TextMatch> host;                                // of gateway routes
  std::string grpc_service, grpc_method;
  int port = 0;                                                 // of the connection; 0: any
};

// What is tried again. https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HttpRetryPolicy.html
struct RetryPolicy {
  int retries_max = 0;
  Duration per_try_timeout{0};   // 0: none
  bool server_error = false;     // 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511
  bool gateway_error = false;    // 502, 503, 504
  bool client_error = false;     // 409
  bool stream_error = false;     // a stream that the target refused
  bool connection_error = false; // a connection that could not be made, or ended before a reply
  std::vector<int> grpc_statuses;
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

struct WeightedNode {
  std::string node;
  std::uint32_t weight = 1;
  int port = 0;                  // of the targets; 0: their own
};

struct Rewrite {
  std::optional<std::string> prefix, path;   // instead of the matched prefix, or of the whole path
  bool keeps_host = false;
};

struct Route {
  std::string name;
  Protocol protocol = Protocol::kHttp;
  RouteMatch match;
  std::vector<WeightedNode> to;
  RetryPolicy retry;
  std::optional<Duration> request_timeout, idle_timeout;   // 0: none
  Rewrite rewrite;
};

// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_OutlierDetection.html
struct OutlierPolicy {
  int errors_max = 0;            // in one interval; 0: no detection
  Duration interval = 10s;
  Duration base_ejection = 30s;
  int ejected_percent_max = 50;
  friend bool operator==(const OutlierPolicy&, const OutlierPolicy&) = default;
};

// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_VirtualNodeConnectionPool.html
struct PoolPolicy {
  std::uint32_t in_use_max = 0xFFFFFFFF;   // connections, or requests with HTTP/2 and gRPC
  std::uint32_t pending_max = 0xFFFFFFFF;  // requests that wait for one
  friend bool operator==(const PoolPolicy&, const PoolPolicy&) = default;
};

// How a destination wants to be spoken to.
struct NodePlan {
  std::string id;
  std::string name;              // as shown
  int port = 0;                  // of its listener: what targets without a port are reached at
  Protocol protocol = Protocol::kHttp;
  OutlierPolicy outliers;
  PoolPolicy pool;
  std::optional<Duration> request_timeout, idle_timeout;
  ServerTlsPlan tls;             // that its listener ends
  std::optional<HealthSettings> health;   // active checks
  std::shared_ptr<const AccessFormat> access_log;   // of what its tasks are asked; null: none is written
};

// One of the places where a node is reached.
struct Endpoint {
  std::string id, ip;
  int port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// A name that callers of a scope use, with the routes behind it.
struct ServicePlan {
  std::string id;
  std::string scope;             // who sees the name: a mesh, a namespace
  std::string name;              // "orders.local", as callers write it; case ignored
  std::string shown;             // how it is called in figures and spans
  std::vector<int> ports;        // that it is reached at; empty: any
  std::vector<Route> routes;     // in order of priority
  std::optional<ClientTlsPlan> tls;   // what callers do that have no policy of their own
  std::string owner, group;      // whose it is, for whoever publishes metrics of it; empty: nobody does
};

// Who calls. One task, or whatever else connects.
struct MemberPlan {
  std::vector<std::string> scopes;   // names are looked for in this order
  std::string name;                  // "orders-v1", as shown
  std::string node;                  // the node it is one of; empty: none
  bool only_backends = false;        // nothing but `backends` may be called
  std::vector<std::string> backends; // ids of services
  std::optional<ClientTlsPlan> tls;  // towards all services, but for those that have their own:
  std::vector<std::pair<std::string, ClientTlsPlan>> tls_of;   // by id of the service
  std::string account, region;
  std::string group;                 // beside its name in metrics
  std::shared_ptr<const AccessFormat> access_log;   // of what it asks; null: none is written
};

}  // namespace reef::edge::mesh
