#include "service/elasticloadbalancingv2/log_delivery.h"

#include <fmt/format.h>

#include "aws/models/s3.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/random.h"
#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

constexpr Duration kEvery = std::chrono::minutes(5);

std::string_view attribute_of(LogKind kind) { return kind == LogKind::kAccess ? "access_logs" : kind == LogKind::kConnection ? "connection_logs" : "health_check_logs"; }
// Before the account in a file's name.
std::string_view prefix_of(LogKind kind) { return kind == LogKind::kAccess ? "" : kind == LogKind::kConnection ? "conn_log." : "health_check_log_"; }
std::string_view test_file_of(LogKind kind) {
  return kind == LogKind::kAccess ? "ELBAccessLogTestFile" : kind == LogKind::kConnection ? "ELBConnectionLogTestFile" : "ELBHealthCheckLogTestFile";
}

std::string setting(const Balancer& balancer, LogKind kind, std::string_view name) { return attribute(balancer, fmt::format("{}.s3.{}", attribute_of(kind), name)); }
bool is_on(const Balancer& balancer, LogKind kind) { return setting(balancer, kind, "enabled") == "true"; }

std::string folder_of(const Balancer& balancer, LogKind kind) {
  const std::string prefix = setting(balancer, kind, "prefix");
  return fmt::format("{}{}AWSLogs/{}/", prefix, prefix.empty() ? "" : "/", account_of(balancer.arn()));
}

Task<aws::Reply<void>> put(aws::Caller& caller, std::string balancer_arn, std::string bucket, std::string key, std::string body) {
  aws::s3::PutObjectInput in;
  in.bucket = std::move(bucket);
  in.key = std::move(key);
  in.body = std::move(body);
  const auto reply = co_await caller.call<aws::s3::PutObjectOutput>(caller.internal_call(account_of(balancer_arn), region_of(balancer_arn)), aws::s3::ops::kPutObject, in);
  if (!reply) co_return Err(reply.error());
  co_return aws::Reply<void>();
}

std::string_view type_of(const edge::HealthSettings& health) {
  if (health.protocol == edge::CheckProtocol::kTcp) return "tcp";
  if (health.protocol == edge::CheckProtocol::kTls) return "tls";
  const bool is_tls = health.protocol == edge::CheckProtocol::kHttps;
  return health.is_grpc ? (is_tls ? "grpcs" : "grpc") : health.is_http2 ? "h2" : is_tls ? "https" : "http";
}

}  // namespace

LogDelivery::LogDelivery(Elb& elb, edge::Balancers& engine) : elb_(elb), engine_(engine) {
  engine_.on_check([this](const edge::CheckNote& note) { note_check(note); });
}

void LogDelivery::start() {
  io::Reactor& reactor = store::Shard::control().reactor();
  const std::int64_t every = kEvery.count(), next = (to_micros(reactor.now()) / every + 1) * every;
  reactor.at(from_micros(next), [this] {
    [](LogDelivery& self) -> Task<void> {
      co_await self.flush_all();
      self.start();
    }(*this).detach();
  });
}

std::shared_ptr<edge::TrafficLog> LogDelivery::log_of(const Balancer& balancer, LogKind kind) {
  if (!is_on(balancer, kind)) return nullptr;
  auto& log = logs_[{balancer.arn(), kind}];
  if (!log) log = std::make_shared<edge::TrafficLog>();
  return log;
}

void LogDelivery::forget(const std::string& balancer_arn) {
  for (const LogKind kind : kLogKinds) logs_.erase({balancer_arn, kind});
}

void LogDelivery::note_check(const edge::CheckNote& note) {
  if (logs_.empty()) return;
  for (const std::string& arn : elb_.balancers_using(note.group)) {
    const auto found = logs_.find({arn, LogKind::kHealthCheck});
    if (found == logs_.end()) continue;
    const std::string group = resource_of(note.group);
    found->second->add(edge::check_line({.type = type_of(note.settings), .at = note.began, .latency_micros = note.latency_micros, .target = fmt::format("{}:{}", note.target, note.port),
                                         .group = group, .passed = note.result.passed, .status = note.result.kind == edge::CheckResult::Kind::kAnswer ? note.result.status : -1,
                                         .reason = note.result.passed ? std::string_view{} : code_of(note.reason)}));
  }
}

Task<aws::Reply<void>> LogDelivery::try_buckets(const Balancer& before, const Balancer& after) {
  const Balancer changed = after, old = before;
  for (const LogKind kind : kLogKinds) {
    if (!is_on(changed, kind)) continue;
    const std::string bucket = setting(changed, kind, "bucket");
    if (is_on(old, kind) && bucket == setting(old, kind, "bucket") && setting(changed, kind, "prefix") == setting(old, kind, "prefix")) continue;
    if (bucket.empty()) co_return Err(aws::validation_error(fmt::format("The value of '{}.s3.bucket' must be specified when '{}.s3.enabled' is true", attribute_of(kind), attribute_of(kind))));
    if (setting(changed, kind, "prefix").find("AWSLogs") != std::string::npos)
      co_return Err(aws::validation_error(fmt::format("The value of '{}.s3.prefix' cannot contain 'AWSLogs'", attribute_of(kind))));
    const auto tried = co_await put(elb_.caller, changed.arn(), bucket, folder_of(changed, kind) + std::string(test_file_of(kind)), fmt::format("Enable {} for ELB: {} at {}", attribute_of(kind), resource_of(changed.arn()), format_iso8601(store::Shard::control().now(), true)));
    if (!tried) co_return Err(aws::Error("InvalidConfigurationRequest", fmt::format("Access Denied for bucket: {}. Please check S3bucket permission", bucket), 400));
  }
  co_return aws::Reply<void>();
}

Task<void> LogDelivery::flush(std::string balancer_arn) {
  const auto found = elb_.balancers.find(balancer_arn);
  if (found == elb_.balancers.end()) co_return;
  const Balancer balancer = found->second;
  for (const LogKind kind : kLogKinds) {
    const auto log = logs_.find({balancer_arn, kind});
    if (log == logs_.end()) continue;
    const auto kept = log->second;
    if (!is_on(balancer, kind)) logs_.erase(log);
    co_await deliver(balancer, kind, *kept, store::Shard::control().now());
  }
}

Task<void> LogDelivery::flush_all() {
  const Time now = store::Shard::control().now();
  const auto kept = logs_;
  for (const auto& [key, log] : kept) {
    const auto found = elb_.balancers.find(key.first);
    if (found != elb_.balancers.end()) co_await deliver(found->second, key.second, *log, now);
  }
}

Task<void> LogDelivery::deliver(Balancer balancer, LogKind kind, edge::TrafficLog& log, Time now) {
  const auto taken = log.take();
  if (taken.dropped) log::warn("a load balancer's log was full; lines are missing from it", {{"balancer", balancer.arn()}, {"log", attribute_of(kind)}, {"dropped", taken.dropped}});
  if (taken.text.empty()) co_return;
  const std::string account = account_of(balancer.arn()), region = region_of(balancer.arn()), day = format_iso8601(now).substr(0, 10), basic = format_basic(now);
  std::string label = resource_of(balancer.arn());
  for (char& c : label)
    if (c == '/') c = '.';
  // Only the nodes of application balancers put their addresses into the name.
  const std::string node = balancer.is_application() ? balancer.address + "_" : std::string();
  const std::string name = fmt::format("{}elasticloadbalancing/{}/{}/{}/{}/{}{}_elasticloadbalancing_{}_{}_{}Z_{}{}.log.gz", folder_of(balancer, kind), region, day.substr(0, 4), day.substr(5, 2), day.substr(8, 2),
                                       prefix_of(kind), account, region, label, basic.substr(0, 13), node, make_token(thread_random(), 8));
  const std::string bucket = setting(balancer, kind, "bucket");
  if (const auto done = co_await put(elb_.caller, balancer.arn(), bucket, name, gzip(taken.text)); !done)
    log::warn("a load balancer's log cannot be delivered", {{"balancer", balancer.arn()}, {"bucket", bucket}, {"reason", done.error().message}});
}

}  // namespace reef::service::elb
