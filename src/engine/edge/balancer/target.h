// Targets and target groups as the data path sees them. A Target is shared by the loops; what each loop alone touches
// is in its LoopSide, so that the path of a request takes no lock and shares no counter.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/edge/balancer/health.h"

namespace reef::http {
class Http2Client;
}

namespace reef::edge {

class Upstream;

// What happened to requests, since the last collection. Names follow the AWS/ApplicationELB metrics.
struct Counters {
  std::uint64_t requests = 0, status_2xx = 0, status_3xx = 0, status_4xx = 0, status_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t latency_micros = 0;   // sum over `requests` that were answered
  void count_status(int status) {
    ++(status < 300 ? status_2xx : status < 400 ? status_3xx : status < 500 ? status_4xx : status_5xx);
  }
  void add(const Counters& other) {
    requests += other.requests, status_2xx += other.status_2xx, status_3xx += other.status_3xx;
    status_4xx += other.status_4xx, status_5xx += other.status_5xx;
    connection_errors += other.connection_errors, latency_micros += other.latency_micros;
  }
};

struct Target {
  struct alignas(64) LoopSide {
    std::vector<Upstream*> idle;   // kept-alive connections, the last used at the back
    std::shared_ptr<http::Http2Client> http2;   // of groups that speak HTTP/2
    Counters counters;
  };
  Target(std::string target_id, std::string target_ip, int target_port, std::size_t loops)
      : id(std::move(target_id)), ip(std::move(target_ip)), port(target_port), sides(loops),
        key(std::hash<std::string>{}(id + ":" + std::to_string(port))) {}

  const std::string id;   // as registered: an address or an instance
  const std::string ip;
  const int port;
  std::vector<LoopSide> sides;
  const std::uint64_t key;                         // names the target in stickiness cookies
  std::atomic<int> outstanding{0};                 // requests in flight, over all loops
  std::atomic<std::int64_t> healthy_since{0};      // microseconds of user time; 0: never healthy
  std::atomic<std::uint32_t> recent_requests{0}, recent_errors{0};   // halved every few seconds
  std::atomic<bool> is_anomalous{false};
  // Outlier ejection: failures one after the other, how often it was left out in a row, and until when (user time).
  std::atomic<std::uint32_t> failures_in_row{0}, ejections{0};
  std::atomic<std::int64_t> ejected_until{0};
};

enum class TargetProtocol { kHttp, kHttps, kTcp, kTls, kUdp };
enum class HttpVersion { kHttp1, kHttp2, kGrpc };
enum class Algorithm { kRoundRobin, kLeastOutstanding, kWeightedRandom };
enum class Stickiness { kNone, kBalancerCookie, kAppCookie, kSourceIp };

struct GroupSettings {
  std::string id;
  TargetProtocol protocol = TargetProtocol::kHttp;
  HttpVersion version = HttpVersion::kHttp1;
  Algorithm algorithm = Algorithm::kRoundRobin;
  bool mitigates_anomalies = false;
  Duration slow_start{0};
  Stickiness stickiness = Stickiness::kNone;
  Duration stickiness_duration = 24h;
  std::string app_cookie;
  std::string function;              // the ARN, when the target is a function
  bool multi_value_headers = false;  // how requests are put to a function
  bool preserves_client_ip = false, proxy_protocol = false;
  bool ends_connections = false;     // of a target that has been drained
  bool ends_unhealthy = false;       // and of one that has become unhealthy
  Duration deregistration_delay = 300s;
  int healthy_count_min = 1, healthy_percent_min = 0;   // below either, the unhealthy get traffic too; percent 0: only the count matters
  HealthSettings health;
  // Not of AWS, and off unless asked for. After so many failures one after the other (5xx, broken connections) a target gets
  // nothing for a while, longer each time; never more than a share of the group at once.
  int outlier_failures = 0;
  Duration outlier_ejection = 30s;
  int outlier_percent_max = 50;
  // A target with so many requests in flight gets no further one; when all have, the balancer answers 503.
  int target_requests_max = 0;
  bool is_guarded() const { return outlier_failures > 0 || target_requests_max > 0; }
};

// Whether so few targets of a group are healthy that all of them get traffic.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
bool fails_open(const GroupSettings& settings, std::size_t healthy, std::size_t registered);

// Those of a group's targets that take new requests; replaced whole when a target comes, goes or changes its health.
struct TargetSet {
  std::vector<std::shared_ptr<Target>> usable;
  std::vector<std::shared_ptr<Target>> cut;   // connections of bytes to these end now
};

// A group on one loop.
struct LoopGroup {
  std::shared_ptr<const GroupSettings> settings;
  std::shared_ptr<const TargetSet> targets = std::make_shared<TargetSet>();
  std::size_t cursor = 0;
};

// What a request came to, for outlier ejection.
void note_outcome(const LoopGroup& group, Target& target, bool failed, Time now);

// The next target, or null when the group has none that may be asked. `sticky` names the target of an earlier request, 0 none.
const std::shared_ptr<Target>* choose_target(LoopGroup& group, std::uint64_t sticky, Time now, std::uint64_t random);

}  // namespace reef::edge
