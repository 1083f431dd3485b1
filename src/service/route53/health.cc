// Health checks in the naming engine's terms.
#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "service/route53/route53.h"

namespace reef::service::route53 {

naming::HealthDefinition to_engine(std::string_view account, const model::HealthCheckConfig& config) {
  naming::HealthDefinition out;
  using Kind = naming::HealthDefinition::Kind;
  out.inverted = config.inverted == true;
  out.disabled = config.disabled == true;
  if (config.type == "CALCULATED") {
    out.kind = Kind::kCalculated;
    out.children = config.child_health_checks.value_or(std::vector<std::string>());
    out.children_threshold = config.health_threshold.value_or(0);
    return out;
  }
  if (config.type == "CLOUDWATCH_METRIC") {
    out.kind = Kind::kAlarm;
    if (config.alarm_identifier) out.alarm = fmt::format("{}/{}/{}", account, config.alarm_identifier->region, config.alarm_identifier->name);
    out.healthy_without_data = config.insufficient_data_health_status != "Unhealthy";
    return out;
  }
  out.target = {.address = config.ip_address.value_or(""), .port = config.port.value_or(80), .http = config.type.starts_with("HTTP"),
                .tls = config.type.starts_with("HTTPS"), .host = config.fully_qualified_domain_name.value_or(""), .sni = config.enable_sni.value_or(true),
                .path = config.resource_path.value_or("/"), .search = config.search_string.value_or("")};
  if (!out.target.path.starts_with('/')) out.target.path.insert(0, "/");
  out.interval = std::chrono::seconds(config.request_interval.value_or(30));
  out.threshold = config.failure_threshold.value_or(3);
  return out;
}

// At the start, every check of every account.
void start_health_checks(Route53& route53) {
  constexpr std::string_view kPrefix = "route53/health/";
  route53.shard().records().scan(kPrefix, [&](std::string_view key, const std::string& text) {
    const std::string_view account = key.substr(kPrefix.size(), key.find('/', kPrefix.size()) - kPrefix.size());
    if (const auto check = aws::from_json_text<model::HealthCheck>(text)) route53.health_checks.put(check->id, to_engine(account, check->health_check_config));
    return true;
  });
}

}  // namespace reef::service::route53
