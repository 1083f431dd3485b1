// https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html and the other health check operations.
#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "aws/unmodelled_errors.h"
#include "base/text.h"
#include "service/route53/route53.h"

namespace reef::service::route53::operations {
namespace {

constexpr std::size_t kHealthChecksMax = 200;

aws::Error bad_check(std::string text) { return {errors::kInvalidInput, std::move(text)}; }

std::string health_prefix(std::string_view account) { return fmt::format("route53/health/{}/", account); }

std::optional<model::HealthCheck> load_check(const Route53& route53, std::string_view account, std::string_view id) {
  const std::string* text = route53.shard().records().find(health_prefix(account) + std::string(id));
  if (!text) return std::nullopt;
  auto check = aws::from_json_text<model::HealthCheck>(*text);
  if (!check) return std::nullopt;
  return *std::move(check);
}

Reply<model::HealthCheck> find_check(const Route53& route53, const Call& call, std::string_view id) {
  auto check = load_check(route53, call.account, id);
  if (!check) return Err(aws::Error(errors::kNoSuchHealthCheck, fmt::format("A health check with id {} does not exist.", id)));
  return *std::move(check);
}

std::vector<model::HealthCheck> load_checks(const Route53& route53, std::string_view account) {
  std::vector<model::HealthCheck> out;
  route53.shard().records().scan(health_prefix(account), [&](std::string_view, const std::string& text) {
    if (auto check = aws::from_json_text<model::HealthCheck>(text)) out.push_back(*std::move(check));
    return true;
  });
  return out;
}

bool is_http(const std::string& type) { return type.starts_with("HTTP"); }

Reply<void> check_config(const Route53& route53, const Call& call, const model::HealthCheckConfig& config) {
  const std::string& type = config.type;
  if (type == "RECOVERY_CONTROL") return Err(aws::not_implemented("Health checks of type RECOVERY_CONTROL"));
  if (type == "CALCULATED") {
    if (!config.child_health_checks || !config.health_threshold) return Err(bad_check("Invalid parameter : ChildHealthChecks and HealthThreshold must be specified for calculated health checks."));
    for (const std::string& child : *config.child_health_checks)
      if (!load_check(route53, call.account, child)) return Err(bad_check(fmt::format("Invalid parameter : The child health check {} does not exist.", child)));
    return {};
  }
  if (type == "CLOUDWATCH_METRIC") {
    if (!config.alarm_identifier) return Err(bad_check("Invalid parameter : AlarmIdentifier must be specified for health checks of type CLOUDWATCH_METRIC."));
    return {};
  }
  if (!config.ip_address && !config.fully_qualified_domain_name) return Err(bad_check("Invalid parameter : Either IPAddress or FullyQualifiedDomainName must be specified."));
  if (type == "TCP" && !config.port) return Err(bad_check("Invalid parameter : Port must be specified for TCP health checks."));
  if (type.ends_with("_STR_MATCH") && config.search_string.value_or("").empty()) return Err(bad_check("Invalid parameter : SearchString must be specified for string match health checks."));
  if (!type.ends_with("_STR_MATCH") && config.search_string) return Err(bad_check(fmt::format("Invalid parameter : SearchString must not be specified for {} health checks.", type)));
  if (config.resource_path && !is_http(type)) return Err(bad_check("Invalid parameter : ResourcePath must not be specified for TCP health checks."));
  if (config.request_interval && *config.request_interval != 10 && *config.request_interval != 30) return Err(bad_check("Invalid parameter : RequestInterval must be 10 or 30."));
  return {};
}

void fill_defaults(model::HealthCheckConfig& config) {
  if (config.type == "CALCULATED" || config.type == "CLOUDWATCH_METRIC") {
    if (!config.inverted) config.inverted = false;
    if (!config.disabled) config.disabled = false;
    return;
  }
  if (!config.port) config.port = config.type.starts_with("HTTPS") ? 443 : 80;
  if (!config.request_interval) config.request_interval = 30;
  if (!config.failure_threshold) config.failure_threshold = 3;
  if (!config.measure_latency) config.measure_latency = false;
  if (!config.inverted) config.inverted = false;
  if (!config.disabled) config.disabled = false;
  if (!config.enable_sni) config.enable_sni = config.type.starts_with("HTTPS");
}

// As GetHealthCheckStatus shows what was seen; there is one checker, and it is here.
model::HealthCheckObservation observation_of(const naming::Observation& seen) {
  model::HealthCheckObservation out;
  out.region = "us-east-1";
  out.ip_address = "127.0.0.1";
  out.status_report = model::StatusReport{.status = seen.text, .checked_time = seen.time};
  return out;
}

Task<Reply<void>> save_check(Route53& route53, const std::string& account, const model::HealthCheck& check) {
  route53.shard().records().put(health_prefix(account) + check.id, aws::to_json_text(check));
  route53.health_checks.put(check.id, to_engine(account, check.health_check_config));
  if (check.health_check_config.type == "CLOUDWATCH_METRIC") route53.watch_alarms();
  co_await route53.committed();
  co_return Reply<void>();
}

// The members that an update may take back to their defaults.
void reset_elements(model::HealthCheckConfig& config, const std::vector<std::string>& elements) {
  for (const std::string& element : elements) {
    if (element == "FullyQualifiedDomainName") config.fully_qualified_domain_name.reset();
    if (element == "Regions") config.regions.reset();
    if (element == "ResourcePath") config.resource_path.reset();
    if (element == "ChildHealthChecks") config.child_health_checks.emplace();
  }
}

}  // namespace

Task<Reply<model::CreateHealthCheckOutput>> CreateHealthCheck(Route53& route53, const model::CreateHealthCheckInput& in, const Call& call) {
  CO_TRY(check_config(route53, call, in.health_check_config));
  const auto all = load_checks(route53, call.account);
  model::CreateHealthCheckOutput out;
  model::HealthCheckConfig config = in.health_check_config;
  fill_defaults(config);
  for (const auto& one : all)
    if (one.caller_reference == in.caller_reference) {
      // The same request again gives the check that it made.
      if (!(one.health_check_config == config))
        co_return Err(aws::Error(errors::kHealthCheckAlreadyExists, fmt::format("A health check already exists with the specified caller reference but different settings: {}", one.id)));
      out.health_check = one;
      out.location = "https://route53.amazonaws.com/2013-04-01/healthcheck/" + one.id;
      co_return out;
    }
  if (all.size() >= kHealthChecksMax) co_return Err(aws::Error(errors::kTooManyHealthChecks, "You have reached the limit of 200 health checks."));
  out.health_check.id = make_uuid(thread_random());
  out.health_check.caller_reference = in.caller_reference;
  out.health_check.health_check_config = std::move(config);
  out.health_check.health_check_version = 1;
  out.location = "https://route53.amazonaws.com/2013-04-01/healthcheck/" + out.health_check.id;
  CO_TRY(co_await save_check(route53, call.account, out.health_check));
  co_return out;
}

Task<Reply<model::GetHealthCheckOutput>> GetHealthCheck(Route53& route53, const model::GetHealthCheckInput& in, const Call& call) {
  co_return model::GetHealthCheckOutput{.health_check = CO_TRY(find_check(route53, call, in.health_check_id))};
}

Task<Reply<model::ListHealthChecksOutput>> ListHealthChecks(Route53& route53, const model::ListHealthChecksInput& in, const Call& call) {
  const auto given = in.max_items ? parse_int<std::size_t>(*in.max_items) : std::optional<std::size_t>(100);
  if (!given || *given == 0) co_return Err(bad_check("The maxitems parameter must be a number of 1 or more."));
  const std::size_t size = std::min<std::size_t>(*given, 1000);
  model::ListHealthChecksOutput out;
  out.marker = in.marker.value_or("");
  out.max_items = std::to_string(size);
  for (auto& check : load_checks(route53, call.account)) {
    if (in.marker && check.id < *in.marker) continue;
    if (out.health_checks.size() == size) {
      out.is_truncated = true;
      out.next_marker = check.id;
      break;
    }
    out.health_checks.push_back(std::move(check));
  }
  co_return out;
}

Task<Reply<model::DeleteHealthCheckOutput>> DeleteHealthCheck(Route53& route53, const model::DeleteHealthCheckInput& in, const Call& call) {
  CO_TRY(find_check(route53, call, in.health_check_id));
  for (const auto& other : load_checks(route53, call.account))
    if (const auto& children = other.health_check_config.child_health_checks; children && std::find(children->begin(), children->end(), in.health_check_id) != children->end())
      co_return Err(aws::Error(errors::kHealthCheckInUse, fmt::format("The health check {} is referenced by the calculated health check {}.", in.health_check_id, other.id)));
  route53.shard().records().erase(health_prefix(call.account) + in.health_check_id);
  forget_tags(route53, call, "healthcheck", in.health_check_id);
  route53.health_checks.erase(in.health_check_id);
  co_await route53.committed();
  co_return model::DeleteHealthCheckOutput{};
}

Task<Reply<model::UpdateHealthCheckOutput>> UpdateHealthCheck(Route53& route53, const model::UpdateHealthCheckInput& in, const Call& call) {
  model::HealthCheck check = CO_TRY(find_check(route53, call, in.health_check_id));
  if (in.health_check_version && *in.health_check_version != check.health_check_version)
    co_return Err(aws::Error(errors::kHealthCheckVersionMismatch, fmt::format("The value of HealthCheckVersion in the request, {}, does not match the current version, {}.",
                                                                              *in.health_check_version, check.health_check_version)));
  model::HealthCheckConfig& config = check.health_check_config;
  if (in.reset_elements) reset_elements(config, *in.reset_elements);
  const auto take = [](auto& to, const auto& from) {
    if (from) to = from;
  };
  take(config.ip_address, in.ip_address);
  take(config.port, in.port);
  take(config.resource_path, in.resource_path);
  take(config.fully_qualified_domain_name, in.fully_qualified_domain_name);
  take(config.search_string, in.search_string);
  take(config.failure_threshold, in.failure_threshold);
  take(config.inverted, in.inverted);
  take(config.disabled, in.disabled);
  take(config.health_threshold, in.health_threshold);
  take(config.child_health_checks, in.child_health_checks);
  take(config.enable_sni, in.enable_sni);
  take(config.regions, in.regions);
  take(config.alarm_identifier, in.alarm_identifier);
  take(config.insufficient_data_health_status, in.insufficient_data_health_status);
  CO_TRY(check_config(route53, call, config));
  ++check.health_check_version;
  CO_TRY(co_await save_check(route53, call.account, check));
  co_return model::UpdateHealthCheckOutput{.health_check = check};
}

Task<Reply<model::GetHealthCheckCountOutput>> GetHealthCheckCount(Route53& route53, const model::GetHealthCheckCountInput&, const Call& call) {
  co_return model::GetHealthCheckCountOutput{.health_check_count = static_cast<std::int64_t>(load_checks(route53, call.account).size())};
}

Task<Reply<model::GetHealthCheckStatusOutput>> GetHealthCheckStatus(Route53& route53, const model::GetHealthCheckStatusInput& in, const Call& call) {
  const model::HealthCheck check = CO_TRY(find_check(route53, call, in.health_check_id));
  model::GetHealthCheckStatusOutput out;
  const std::string& type = check.health_check_config.type;
  if (type == "CALCULATED" || type == "CLOUDWATCH_METRIC")
    co_return Err(bad_check(fmt::format("Invalid parameter : The status of health checks of type {} cannot be asked for.", type)));
  if (const auto seen = route53.health_checks.last(check.id); !seen.text.empty()) out.health_check_observations.push_back(observation_of(seen));
  co_return out;
}

Task<Reply<model::GetHealthCheckLastFailureReasonOutput>> GetHealthCheckLastFailureReason(Route53& route53, const model::GetHealthCheckLastFailureReasonInput& in, const Call& call) {
  const model::HealthCheck check = CO_TRY(find_check(route53, call, in.health_check_id));
  model::GetHealthCheckLastFailureReasonOutput out;
  if (const auto seen = route53.health_checks.last_failure(check.id); !seen.text.empty()) out.health_check_observations.push_back(observation_of(seen));
  co_return out;
}

// There is one checker, and it asks from here.
Task<Reply<model::GetCheckerIpRangesOutput>> GetCheckerIpRanges(Route53&, const model::GetCheckerIpRangesInput&, const Call&) {
  co_return model::GetCheckerIpRangesOutput{.checker_ip_ranges = {"127.0.0.0/8"}};
}

}  // namespace reef::service::route53::operations
