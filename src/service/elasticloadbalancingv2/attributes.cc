// Attributes of load balancers, listeners and target groups: their defaults and what values they take.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
#include <algorithm>

#include <fmt/format.h>

#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

// What values an attribute takes: "bool", "int:1:4000", "text", "name" of a header, or the words themselves, separated by '|'.
struct Known {
  std::string_view key, initial, values;
};

constexpr Known kApplication[] = {
    {"access_logs.s3.enabled", "false", "bool"},
    {"access_logs.s3.bucket", "", "text"},
    {"access_logs.s3.prefix", "", "text"},
    {"idle_timeout.timeout_seconds", "60", "int:1:4000"},
    {"deletion_protection.enabled", "false", "bool"},
    {"routing.http2.enabled", "true", "bool"},
    {"routing.http.drop_invalid_header_fields.enabled", "false", "bool"},
    {"routing.http.xff_client_port.enabled", "false", "bool"},
    {"routing.http.preserve_host_header.enabled", "false", "bool"},
    {"routing.http.xff_header_processing.mode", "append", "append|preserve|remove"},
    {"load_balancing.cross_zone.enabled", "true", "true"},
    {"routing.http.desync_mitigation_mode", "defensive", "monitor|defensive|strictest"},
    {"client_keep_alive.seconds", "3600", "int:60:604800"},
    {"waf.fail_open.enabled", "false", "bool"},
    {"routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", "bool"},
    {"zonal_shift.config.enabled", "false", "bool"},
    {"connection_logs.s3.enabled", "false", "bool"},
    {"connection_logs.s3.bucket", "", "text"},
    {"connection_logs.s3.prefix", "", "text"},
    {"health_check_logs.s3.enabled", "false", "bool"},
    {"health_check_logs.s3.bucket", "", "text"},
    {"health_check_logs.s3.prefix", "", "text"},
};
constexpr Known kNetwork[] = {
    {"access_logs.s3.enabled", "false", "bool"},
    {"access_logs.s3.bucket", "", "text"},
    {"access_logs.s3.prefix", "", "text"},
    {"deletion_protection.enabled", "false", "bool"},
    {"load_balancing.cross_zone.enabled", "false", "bool"},
    {"dns_record.client_routing_policy", "any_availability_zone", "any_availability_zone|availability_zone_affinity|partial_availability_zone_affinity"},
    {"zonal_shift.config.enabled", "false", "bool"},
    {"ipv6.deny_all_igw_traffic", "false", "bool"},
};
constexpr Known kHttpListener[] = {
    {"routing.http.response.server.enabled", "true", "bool"},
    {"routing.http.response.strict_transport_security.header_value", "", "text"},
    {"routing.http.response.access_control_allow_origin.header_value", "", "text"},
    {"routing.http.response.access_control_allow_methods.header_value", "", "text"},
    {"routing.http.response.access_control_allow_headers.header_value", "", "text"},
    {"routing.http.response.access_control_allow_credentials.header_value", "", "text"},
    {"routing.http.response.access_control_expose_headers.header_value", "", "text"},
    {"routing.http.response.access_control_max_age.header_value", "", "text"},
    {"routing.http.response.content_security_policy.header_value", "", "text"},
    {"routing.http.response.x_content_type_options.header_value", "", "text"},
    {"routing.http.response.x_frame_options.header_value", "", "text"},
};
// Of HTTPS listeners alone: other names for the headers that tell targets of the client.
constexpr Known kSecureListener[] = {
    {"routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name", "X-Amzn-Mtls-Clientcert-Serial-Number", "name"},
    {"routing.http.request.x_amzn_mtls_clientcert_issuer.header_name", "X-Amzn-Mtls-Clientcert-Issuer", "name"},
    {"routing.http.request.x_amzn_mtls_clientcert_subject.header_name", "X-Amzn-Mtls-Clientcert-Subject", "name"},
    {"routing.http.request.x_amzn_mtls_clientcert_validity.header_name", "X-Amzn-Mtls-Clientcert-Validity", "name"},
    {"routing.http.request.x_amzn_mtls_clientcert_leaf.header_name", "X-Amzn-Mtls-Clientcert-Leaf", "name"},
    {"routing.http.request.x_amzn_mtls_clientcert.header_name", "X-Amzn-Mtls-Clientcert", "name"},
    {"routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", "name"},
    {"routing.http.request.x_amzn_tls_cipher_suite.header_name", "X-Amzn-Tls-Cipher-Suite", "name"},
};
constexpr Known kTcpListener[] = {{"tcp.idle_timeout.seconds", "350", "int:60:6000"}};
constexpr Known kHttpGroup[] = {
    {"stickiness.enabled", "false", "bool"},
    {"deregistration_delay.timeout_seconds", "300", "int:0:3600"},
    {"stickiness.type", "lb_cookie", "lb_cookie|app_cookie"},
    {"stickiness.lb_cookie.duration_seconds", "86400", "int:1:604800"},
    {"stickiness.app_cookie.cookie_name", "", "text"},
    {"stickiness.app_cookie.duration_seconds", "86400", "int:1:604800"},
    {"slow_start.duration_seconds", "0", "int:0:900"},
    {"load_balancing.algorithm.type", "round_robin", "round_robin|least_outstanding_requests|weighted_random"},
    {"load_balancing.algorithm.anomaly_mitigation", "off", "on|off"},
    {"load_balancing.cross_zone.enabled", "use_load_balancer_configuration", "true|false|use_load_balancer_configuration"},
    {"target_group_health.dns_failover.minimum_healthy_targets.count", "1", "int:1:1000"},
    {"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", "off|int:1:100"},
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", "int:1:1000"},
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", "off|int:1:100"},
    // Atoll's own; off, a group behaves as on AWS.
    {"atoll.outlier_detection.consecutive_failures", "0", "int:0:1000"},
    {"atoll.outlier_detection.base_ejection_seconds", "30", "int:1:3600"},
    {"atoll.outlier_detection.max_ejection_percent", "50", "int:0:100"},
    {"atoll.circuit_breaker.max_requests_per_target", "0", "int:0:1000000"},
};
constexpr Known kFunctionGroup[] = {{"lambda.multi_value_headers.enabled", "false", "bool"}};
constexpr Known kNetworkGroup[] = {
    {"stickiness.enabled", "false", "bool"},
    {"deregistration_delay.timeout_seconds", "300", "int:0:3600"},
    {"stickiness.type", "source_ip", "source_ip"},
    {"proxy_protocol_v2.enabled", "false", "bool"},
    {"preserve_client_ip.enabled", "true", "bool"},
    {"deregistration_delay.connection_termination.enabled", "false", "bool"},
    {"load_balancing.cross_zone.enabled", "use_load_balancer_configuration", "true|false|use_load_balancer_configuration"},
    {"target_health_state.unhealthy.connection_termination.enabled", "true", "bool"},
    {"target_health_state.unhealthy.draining_interval_seconds", "0", "int:0:360000"},
    {"target_group_health.dns_failover.minimum_healthy_targets.count", "1", "int:1:1000"},
    {"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", "off|int:1:100"},
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", "int:1:1000"},
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", "off|int:1:100"},
};

struct KnownList {
  const Known* begin_;
  const Known* end_;
  const Known* begin() const { return begin_; }
  const Known* end() const { return end_; }
};
template <std::size_t N>
KnownList list(const Known (&known)[N]) { return {known, known + N}; }

bool is_http(const std::optional<std::string>& protocol) { return protocol == "HTTP" || protocol == "HTTPS"; }

KnownList known_of(const Balancer& balancer) { return balancer.is_application() ? list(kApplication) : list(kNetwork); }
std::vector<Known> known_of(const Listener& listener) {
  const KnownList first = is_http(listener.value.protocol) ? list(kHttpListener) : listener.value.protocol == "TCP" ? list(kTcpListener) : KnownList{nullptr, nullptr};
  std::vector<Known> out(first.begin(), first.end());
  if (listener.value.protocol == "HTTPS") out.insert(out.end(), std::begin(kSecureListener), std::end(kSecureListener));
  return out;
}
KnownList known_of(const Group& group) {
  return group.value.target_type == "lambda" ? list(kFunctionGroup) : is_http(group.value.protocol) ? list(kHttpGroup) : list(kNetworkGroup);
}

template <class T>
std::vector<std::pair<std::string, std::string>> all(const T& of) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Known& known : known_of(of)) {
    const auto found = of.attributes.find(known.key);
    if (known.key.starts_with("atoll.") && found == of.attributes.end()) continue;   // not AWS's: told only when set
    out.emplace_back(known.key, found == of.attributes.end() ? std::string(known.initial) : found->second);
  }
  return out;
}

template <class T>
std::string one(const T& of, std::string_view key) {
  if (const auto found = of.attributes.find(key); found != of.attributes.end()) return found->second;
  for (const Known& known : known_of(of))
    if (known.key == key) return std::string(known.initial);
  return {};
}

bool takes(std::string_view values, std::string_view value) {
  // What goes into a header must not end its line.
  if (values == "text") return value.find_first_of("\r\n") == std::string_view::npos && value.find('\0') == std::string_view::npos;
  if (values == "name")
    return !value.empty() && value.size() <= 40 && std::all_of(value.begin(), value.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    });
  if (values == "bool") return value == "true" || value == "false";
  if (values.starts_with("int:")) {
    const auto parts = split(values, ':');
    const auto number = parse_int<std::int64_t>(value);
    return number && *number >= *parse_int<std::int64_t>(parts[1]) && *number <= *parse_int<std::int64_t>(parts[2]);
  }
  if (values == "off|int:1:100") return value == "off" || takes("int:1:100", value);
  const auto words = split(values, '|');
  return std::find(words.begin(), words.end(), value) != words.end();
}

template <class T>
Reply<void> set(T& of, std::string_view what, const std::string& key, const std::string& value) {
  for (const Known& known : known_of(of)) {
    if (known.key != key) continue;
    if (!takes(known.values, value))
      return Err(aws::validation_error(fmt::format("{} attribute value '{}' is not valid for attribute '{}'", what, value, key)));
    of.attributes[key] = value;
    return {};
  }
  return Err(aws::validation_error(fmt::format("{} attribute key '{}' is not recognized", what, key)));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> attributes_of(const Balancer& balancer) { return all(balancer); }
std::vector<std::pair<std::string, std::string>> attributes_of(const Listener& listener) { return all(listener); }
std::vector<std::pair<std::string, std::string>> attributes_of(const Group& group) { return all(group); }
std::string attribute(const Balancer& balancer, std::string_view key) { return one(balancer, key); }
std::string attribute(const Listener& listener, std::string_view key) { return one(listener, key); }
std::string attribute(const Group& group, std::string_view key) { return one(group, key); }

Reply<void> set_attribute(Balancer& balancer, const std::string& key, const std::string& value) {
  return set(balancer, "Load balancer", key, value);
}
Reply<void> set_attribute(Listener& listener, const std::string& key, const std::string& value) { return set(listener, "Listener", key, value); }
Reply<void> set_attribute(Group& group, const std::string& key, const std::string& value) {
  TRY(set(group, "Target group", key, value));
  if (key == "target_health_state.unhealthy.draining_interval_seconds" && value != "0") {
    group.attributes.erase(key);
    return Err(aws::not_implemented("the target group attribute target_health_state.unhealthy.draining_interval_seconds"));
  }
  return {};
}

}  // namespace reef::service::elb
