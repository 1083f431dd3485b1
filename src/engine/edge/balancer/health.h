// The health of one target as its checks see it. Pure: results and time come in, a state comes out.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace reef::edge {

enum class CheckProtocol { kHttp, kHttps, kTcp, kTls };

// "200", "200,202", "200-299", "0,12" (gRPC codes).
class StatusMatcher {
 public:
  static Result<StatusMatcher, Failure> parse(std::string_view text);
  bool matches(int status) const;
  bool operator==(const StatusMatcher&) const = default;

 private:
  std::vector<std::pair<int, int>> ranges_;
};

struct HealthSettings {
  bool enabled = true;
  CheckProtocol protocol = CheckProtocol::kHttp;
  int port = 0;                 // 0: the port on which the target receives traffic
  std::string path = "/";
  StatusMatcher matcher;
  bool is_http2 = false;        // the target speaks HTTP/2
  bool is_grpc = false;         // `path` is a gRPC method, `matcher` is of gRPC codes
  Duration interval = 30s;
  Duration timeout = 5s;
  int healthy_threshold = 5;
  int unhealthy_threshold = 2;
  const char* agent = "ELB-HealthChecker/2.0";
  // As Envoy checks: a gRPC answer has to say that the service serves (grpc.health.v1), and an answer with another HTTP status
  // makes the target unhealthy at once.
  bool is_envoy = false;
  bool operator==(const HealthSettings&) const = default;
};

enum class HealthState {
  kInitial,    // registered, its first checks are on their way
  kHealthy,
  kUnhealthy,
  kUnused,     // no listener uses the group
  kDraining,   // deregistered; what is in flight may end
  kUnavailable // checks are disabled
};

enum class HealthReason {
  kNone,
  kRegistrationInProgress,
  kInitialChecking,
  kMismatch,        // an answer with another status
  kTimeout,
  kFailed,          // no connection, or no proper answer
  kNotInUse,
  kDeregistering,
  kDisabled,
};

// What one check found.
struct CheckResult {
  enum class Kind { kAnswer, kTimeout, kFailed };
  Kind kind = Kind::kFailed;
  int status = 0;   // HTTP status or gRPC code of an answer; TCP checks that connect answer 0
  bool passed = false;
};

class TargetHealth {
 public:
  HealthState state() const { return state_; }
  HealthReason reason() const { return reason_; }
  int status() const { return status_; }  // the status that did not match, for kMismatch

  // The group is used by a listener (checks begin), or by none any more.
  void set_used(bool used, const HealthSettings& settings, Time now);
  void start_draining() { enter(HealthState::kDraining, HealthReason::kDeregistering); }
  void settings_changed(const HealthSettings& settings, Time now);
  // When the next check is due; nothing is due unless `is_checked`.
  bool is_checked() const { return checked_; }
  Time next_check() const { return next_check_; }
  // The check that was due has begun: the next one is an interval away.
  void began(const HealthSettings& settings, Time now);
  // True when the state changed.
  bool finished(const CheckResult& result, const HealthSettings& settings, Time now);

 private:
  void enter(HealthState state, HealthReason reason) {
    state_ = state;
    reason_ = reason;
  }
  HealthState state_ = HealthState::kUnused;
  HealthReason reason_ = HealthReason::kNotInUse;
  int status_ = 0;
  bool checked_ = false;
  bool counts_ = true;       // the check in progress counts towards the thresholds
  int passed_ = 0, failed_ = 0;   // in a row
  Duration retry_{0};        // between the first checks
  Time next_check_{}, next_counted_{};
};

// "initial", "Target.Timeout", "Request timed out": as DescribeTargetHealth words them.
std::string_view name_of(HealthState state);
std::string_view code_of(HealthReason reason);
std::string describe(HealthReason reason, int status);

}  // namespace reef::edge
