// Conditions and actions: what is sent, checked and turned into what the engine runs.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

constexpr std::size_t kValuesMax = 5, kGroupsMax = 5;

aws::Error invalid(std::string message) { return aws::validation_error(std::move(message)); }

// The values of a condition, from its own member or from the short form.
template <class Config>
std::vector<std::string> values_of(const model::RuleCondition& condition, const std::optional<Config>& config) {
  if (config && config->values) return *config->values;
  return condition.values.value_or(std::vector<std::string>{});
}

// Regular expressions instead, which stand in the same places.
std::optional<std::vector<std::string>> regex_values_of(const model::RuleCondition& condition) {
  const auto some = [](const std::optional<std::vector<std::string>>& values) { return values && !values->empty(); };
  if (condition.host_header_config && some(condition.host_header_config->regex_values)) return condition.host_header_config->regex_values;
  if (condition.path_pattern_config && some(condition.path_pattern_config->regex_values)) return condition.path_pattern_config->regex_values;
  if (condition.http_header_config && some(condition.http_header_config->regex_values)) return condition.http_header_config->regex_values;
  if (some(condition.regex_values)) return condition.regex_values;
  return std::nullopt;
}
bool has_values(const model::RuleCondition& condition) {
  const auto some = [](const auto& config) { return config && config->values && !config->values->empty(); };
  return (condition.values && !condition.values->empty()) || some(condition.host_header_config) || some(condition.path_pattern_config) || some(condition.http_header_config);
}

Reply<std::vector<std::string>> checked(std::vector<std::string> values, std::string_view field, std::size_t length_max) {
  if (values.empty()) return Err(invalid(fmt::format("A {} condition must have at least one value", field)));
  for (const std::string& value : values)
    if (value.empty() || value.size() > length_max)
      return Err(invalid(fmt::format("The {} condition value '{}' must be between 1 and {} characters long", field, value, length_max)));
  return values;
}

Reply<edge::Forward> read_forward(Elb& elb, const model::Action& action, const Listener& listener) {
  edge::Forward out;
  std::vector<model::TargetGroupTuple> groups;
  if (action.forward_config && action.forward_config->target_groups) groups = *action.forward_config->target_groups;
  if (groups.empty() && action.target_group_arn) groups.push_back({.target_group_arn = action.target_group_arn, .weight = std::nullopt});
  if (groups.empty()) return Err(invalid("A target group ARN must be specified"));
  if (groups.size() > kGroupsMax)
    return Err(aws::Error(errors::kTooManyUniqueTargetGroupsPerLoadBalancerException, fmt::format("You can specify at most {} target groups", kGroupsMax)));
  if (action.target_group_arn && (groups.size() != 1 || groups[0].target_group_arn != action.target_group_arn))
    return Err(invalid("You can only specify a target group ARN with a single target group in the forward configuration, and it must be the same"));
  const bool is_http = listener.value.protocol == "HTTP" || listener.value.protocol == "HTTPS";
  std::set<std::string> seen;
  for (const auto& tuple : groups) {
    const std::string arn = tuple.target_group_arn.value_or("");
    const Group* group = TRY(elb.group(arn));
    const std::string protocol = group->value.protocol.value_or("");
    const bool fits = group->value.target_type == "lambda" ? is_http
                      : is_http                            ? protocol == "HTTP" || protocol == "HTTPS"
                      : *listener.value.protocol == "TLS"  ? protocol == "TCP" || protocol == "TLS"
                      : *listener.value.protocol == "TCP"  ? protocol == "TCP" || protocol == "TCP_UDP"
                                                           : protocol == *listener.value.protocol || protocol == "TCP_UDP";
    if (!fits) return Err(aws::Error(errors::kIncompatibleProtocolsException, fmt::format("The protocol of target group '{}' is not compatible with the listener protocol", arn)));
    if (!seen.insert(arn).second) return Err(invalid("A target group ARN can only be specified once"));
    const int weight = tuple.weight.value_or(groups.size() == 1 ? 1 : 0);
    if (weight < 0 || weight > 999) return Err(invalid(fmt::format("The weight '{}' must be between 0 and 999", weight)));
    out.groups.push_back({.group = arn, .weight = weight});
  }
  if (action.forward_config && action.forward_config->target_group_stickiness_config && action.forward_config->target_group_stickiness_config->enabled.value_or(false)) {
    const int seconds = action.forward_config->target_group_stickiness_config->duration_seconds.value_or(0);
    if (seconds < 1 || seconds > 604800) return Err(invalid("Target group stickiness duration must be between 1 and 604800 seconds"));
    out.stickiness = Duration(std::chrono::seconds(seconds));
  }
  return out;
}

Reply<edge::Redirect> read_redirect(const model::RedirectActionConfig& config) {
  edge::Redirect out;
  out.protocol = config.protocol.value_or(out.protocol);
  out.host = config.host.value_or(out.host);
  out.port = config.port.value_or(out.port);
  out.path = config.path.value_or(out.path);
  out.query = config.query.value_or(out.query);
  out.status = config.status_code == "HTTP_302" ? 302 : 301;
  if (out.protocol != "HTTP" && out.protocol != "HTTPS" && out.protocol != "#{protocol}")
    return Err(invalid(fmt::format("Redirect protocol '{}' must be HTTP, HTTPS or #{{protocol}}", out.protocol)));
  if (const auto port = parse_int<int>(out.port); out.port != "#{port}" && (!port || *port < 1 || *port > 65535))
    return Err(invalid(fmt::format("Redirect port '{}' must be between 1 and 65535 or #{{port}}", out.port)));
  if (!out.path.starts_with('/')) return Err(invalid("Redirect path must start with '/'"));
  if (out.protocol == "#{protocol}" && out.host == "#{host}" && out.port == "#{port}" && out.path == "/#{path}")
    return Err(aws::Error(errors::kInvalidLoadBalancerActionException,
                          "The redirect action must modify at least one of the following components: protocol, port, hostname or path"));
  return out;
}

Reply<edge::FixedAnswer> read_fixed(const model::FixedResponseActionConfig& config) {
  const auto status = parse_int<int>(config.status_code);
  if (!status || *status < 200 || *status > 599 || (*status >= 300 && *status < 400))
    return Err(invalid("The status code of a fixed response must be 2XX, 4XX or 5XX"));
  const std::string type = config.content_type.value_or("");
  constexpr std::string_view kTypes[] = {"", "text/plain", "text/css", "text/html", "application/javascript", "application/json"};
  if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes))
    return Err(invalid(fmt::format("The content type '{}' is not supported", type)));
  return edge::FixedAnswer{.status = *status, .content_type = type.empty() && config.message_body ? "text/plain" : type, .body = config.message_body.value_or("")};
}

}  // namespace

Reply<edge::RuleConditions> read_conditions(const std::vector<model::RuleCondition>& conditions) {
  edge::RuleConditions out;
  std::size_t values = 0;
  std::set<std::string> once;
  for (const model::RuleCondition& condition : conditions) {
    const std::string field = condition.field.value_or("");
    const auto regex = regex_values_of(condition);
    const bool takes_regex = field == "host-header" || field == "path-pattern" || field == "http-header";
    if (regex && !takes_regex) return Err(invalid(fmt::format("A {} condition cannot have regex values", field)));
    if (field != "http-header" && field != "query-string" && !once.insert(field).second)
      return Err(invalid(fmt::format("A rule can only have one '{}' condition", field)));
    if (regex) {
      if (has_values(condition)) return Err(invalid(fmt::format("A {} condition can have either values or regex values, but not both", field)));
      auto expressions = TRY(read_expressions(TRY(checked(*regex, field, 128)), field));
      values += expressions.size();
      if (field == "host-header") {
        out.host_expressions.push_back(std::move(expressions));
      } else if (field == "path-pattern") {
        out.path_expressions.push_back(std::move(expressions));
      } else {
        if (!condition.http_header_config || !condition.http_header_config->http_header_name) return Err(invalid("A http-header condition must have a header name"));
        out.headers.push_back({.name = to_lower(*condition.http_header_config->http_header_name), .values = {}, .expressions = std::move(expressions)});
      }
    } else if (field == "host-header") {
      out.hosts.push_back(TRY(checked(values_of(condition, condition.host_header_config), field, 128)));
      values += out.hosts.back().size();
    } else if (field == "path-pattern") {
      out.paths.push_back(TRY(checked(values_of(condition, condition.path_pattern_config), field, 128)));
      values += out.paths.back().size();
    } else if (field == "http-request-method") {
      out.methods.push_back(TRY(checked(values_of(condition, condition.http_request_method_config), field, 40)));
      values += out.methods.back().size();
    } else if (field == "http-header") {
      if (!condition.http_header_config || !condition.http_header_config->http_header_name) return Err(invalid("A http-header condition must have a header name"));
      out.headers.push_back({.name = to_lower(*condition.http_header_config->http_header_name), .values = TRY(checked(values_of(condition, condition.http_header_config), field, 128)), .expressions = {}});
      values += out.headers.back().values.size();
    } else if (field == "query-string") {
      auto& pairs = out.queries.emplace_back();
      if (condition.query_string_config && condition.query_string_config->values)
        for (const auto& pair : *condition.query_string_config->values) pairs.push_back({.key = pair.key.value_or(""), .value = pair.value.value_or("")});
      if (pairs.empty()) return Err(invalid("A query-string condition must have at least one value"));
      values += pairs.size();
    } else if (field == "source-ip") {
      auto& blocks = out.sources.emplace_back();
      for (const std::string& text : TRY(checked(values_of(condition, condition.source_ip_config), field, 64))) {
        const auto block = edge::AddressBlock::parse(text);
        if (!block || text.find('/') == std::string::npos) return Err(invalid(fmt::format("The CIDR block '{}' is not valid", text)));
        blocks.push_back(*block);
      }
      values += blocks.size();
    } else {
      return Err(invalid(fmt::format("Condition field '{}' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", field)));
    }
  }
  if (values > kValuesMax) return Err(invalid(fmt::format("The maximum number of condition values per rule is '{}'", kValuesMax)));
  return out;
}

Reply<edge::RuleActions> read_actions(Elb& elb, const std::vector<model::Action>& actions, const Listener& listener, std::string_view rule) {
  edge::RuleActions out;
  std::vector<const model::Action*> ordered;
  for (const model::Action& action : actions) ordered.push_back(&action);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) { return a->order.value_or(50000) < b->order.value_or(50000); });
  int ends = 0;
  for (const model::Action* action : ordered) {
    if (ends > 0) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "The last action must be of type 'forward', 'redirect' or 'fixed-response'"));
    const bool is_https = listener.value.protocol == "HTTPS";
    if (action->type == "forward") {
      out.forward = TRY(read_forward(elb, *action, listener));
      ++ends;
    } else if (action->type == "redirect") {
      if (!action->redirect_config) return Err(invalid("A redirect action must have a redirect configuration"));
      out.redirect = TRY(read_redirect(*action->redirect_config));
      ++ends;
    } else if (action->type == "fixed-response") {
      if (!action->fixed_response_config) return Err(invalid("A fixed-response action must have a fixed response configuration"));
      out.fixed = TRY(read_fixed(*action->fixed_response_config));
      ++ends;
    } else if (action->type == "authenticate-oidc") {
      if (!is_https) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "Actions of type 'authenticate-oidc' are supported only on HTTPS listeners"));
      if (out.sign_in || out.token_check) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "A rule can have only one authenticate action"));
      if (!action->authenticate_oidc_config) return Err(invalid("An authenticate-oidc action must have an OIDC configuration"));
      out.sign_in = TRY(read_sign_in(elb.keyring, *action->authenticate_oidc_config, listener.value.load_balancer_arn.value_or(""), rule));
    } else if (action->type == "jwt-validation") {
      if (!is_https) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "Actions of type 'jwt-validation' are supported only on HTTPS listeners"));
      if (out.token_check || out.sign_in) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "A rule can have only one authenticate or jwt-validation action"));
      if (!action->jwt_validation_config) return Err(invalid("A jwt-validation action must have a JWT validation configuration"));
      out.token_check = TRY(read_token_check(*action->jwt_validation_config));
    } else if (action->type == "authenticate-cognito") {
      if (!is_https) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "Actions of type 'authenticate-cognito' are supported only on HTTPS listeners"));
      if (out.sign_in || out.token_check) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "A rule can have only one authenticate action"));
      if (!action->authenticate_cognito_config) return Err(invalid("An authenticate-cognito action must have a Cognito configuration"));
      out.sign_in = TRY(read_cognito_sign_in(elb.keyring, elb.identity_clients, *action->authenticate_cognito_config, elb.caller.internal_call({}, {}).endpoint, listener.value.load_balancer_arn.value_or(""), rule));
    } else {
      // Refused rather than ignored: a rule without its sign-in would let everybody through.
      return Err(aws::not_implemented(fmt::format("Action type '{}'", action->type)));
    }
  }
  if (ends == 0) return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "The last action must be of type 'forward', 'redirect' or 'fixed-response'"));
  if (listener.value.protocol != "HTTP" && listener.value.protocol != "HTTPS" && !out.forward)
    return Err(aws::Error(errors::kInvalidLoadBalancerActionException, "Listeners of network load balancers support only 'forward' actions"));
  return out;
}

std::vector<model::Action> shown_actions(const std::vector<model::Action>& actions) {
  std::vector<model::Action> out = actions;
  const bool several = out.size() > 1;
  int order = 1;
  for (model::Action& action : out) {
    if (several && !action.order) action.order = order;
    ++order;
    if (action.authenticate_oidc_config) action.authenticate_oidc_config->client_secret.reset();
    if (action.type == "redirect" && action.redirect_config) {
      auto& redirect = *action.redirect_config;
      redirect.protocol = redirect.protocol.value_or("#{protocol}");
      redirect.port = redirect.port.value_or("#{port}");
      redirect.host = redirect.host.value_or("#{host}");
      redirect.path = redirect.path.value_or("/#{path}");
      redirect.query = redirect.query.value_or("#{query}");
    }
    if (action.type != "forward") continue;
    if (!action.forward_config) action.forward_config.emplace();
    auto& forward = *action.forward_config;
    if (!forward.target_groups || forward.target_groups->empty()) forward.target_groups = {{.target_group_arn = action.target_group_arn, .weight = 1}};
    for (auto& tuple : *forward.target_groups)
      if (!tuple.weight) tuple.weight = forward.target_groups->size() == 1 ? 1 : 0;
    if (!forward.target_group_stickiness_config) forward.target_group_stickiness_config = {.enabled = false, .duration_seconds = std::nullopt};
    if (forward.target_groups->size() == 1) action.target_group_arn = forward.target_groups->front().target_group_arn;
  }
  return out;
}

std::vector<model::RuleCondition> shown_conditions(const std::vector<model::RuleCondition>& conditions) {
  std::vector<model::RuleCondition> out = conditions;
  for (model::RuleCondition& condition : out) {
    const auto fill = [&](auto& config) {
      if (!config) config.emplace();
      if constexpr (requires { config->regex_values; }) {
        if (!config->regex_values) config->regex_values = condition.regex_values;
        condition.regex_values = config->regex_values;
        if (config->regex_values && !config->regex_values->empty()) return;
      }
      if (!config->values) config->values = condition.values;
      condition.values = config->values;
    };
    if (condition.field == "host-header") fill(condition.host_header_config);
    else if (condition.field == "path-pattern") fill(condition.path_pattern_config);
    else if (condition.field == "http-request-method") fill(condition.http_request_method_config);
    else if (condition.field == "source-ip") fill(condition.source_ip_config);
    if (condition.field != "host-header" && condition.field != "path-pattern") condition.values.reset();
  }
  return out;
}

edge::GroupSettings group_settings(const Group& group) {
  const model::TargetGroup& value = group.value;
  edge::GroupSettings out;
  out.id = group.arn();
  const std::string protocol = value.protocol.value_or("HTTP"), version = value.protocol_version.value_or("HTTP1");
  out.protocol = protocol == "HTTPS" ? edge::TargetProtocol::kHttps
                 : protocol == "TCP" || protocol == "TCP_UDP" ? edge::TargetProtocol::kTcp
                 : protocol == "TLS" ? edge::TargetProtocol::kTls
                 : protocol == "UDP" ? edge::TargetProtocol::kUdp
                                     : edge::TargetProtocol::kHttp;
  out.version = version == "GRPC" ? edge::HttpVersion::kGrpc : version == "HTTP2" ? edge::HttpVersion::kHttp2 : edge::HttpVersion::kHttp1;
  const auto seconds = [&](std::string_view key) { return Duration(std::chrono::seconds(parse_int<std::int64_t>(attribute(group, key)).value_or(0))); };
  const std::string algorithm = attribute(group, "load_balancing.algorithm.type");
  out.algorithm = algorithm == "least_outstanding_requests" ? edge::Algorithm::kLeastOutstanding
                  : algorithm == "weighted_random"          ? edge::Algorithm::kWeightedRandom
                                                            : edge::Algorithm::kRoundRobin;
  out.mitigates_anomalies = attribute(group, "load_balancing.algorithm.anomaly_mitigation") == "on";
  out.slow_start = seconds("slow_start.duration_seconds");
  out.deregistration_delay = seconds("deregistration_delay.timeout_seconds");
  const auto least = [&](std::string_view key, int otherwise) {
    return parse_int<int>(attribute(group, fmt::format("target_group_health.unhealthy_state_routing.minimum_healthy_targets.{}", key))).value_or(otherwise);
  };
  out.healthy_count_min = least("count", 1);
  out.healthy_percent_min = least("percentage", 0);
  if (attribute(group, "stickiness.enabled") == "true") {
    const std::string type = attribute(group, "stickiness.type");
    out.stickiness = type == "app_cookie" ? edge::Stickiness::kAppCookie : type == "source_ip" ? edge::Stickiness::kSourceIp : edge::Stickiness::kBalancerCookie;
    out.app_cookie = attribute(group, "stickiness.app_cookie.cookie_name");
    out.stickiness_duration = seconds(type == "app_cookie" ? "stickiness.app_cookie.duration_seconds" : "stickiness.lb_cookie.duration_seconds");
  }
  const auto own = [&](std::string_view key) { return parse_int<int>(attribute(group, key)).value_or(0); };
  out.outlier_failures = own("atoll.outlier_detection.consecutive_failures");
  out.outlier_ejection = seconds("atoll.outlier_detection.base_ejection_seconds");
  out.outlier_percent_max = own("atoll.outlier_detection.max_ejection_percent");
  out.target_requests_max = own("atoll.circuit_breaker.max_requests_per_target");
  out.preserves_client_ip = attribute(group, "preserve_client_ip.enabled") == "true";
  out.proxy_protocol = attribute(group, "proxy_protocol_v2.enabled") == "true";
  out.ends_connections = attribute(group, "deregistration_delay.connection_termination.enabled") == "true";
  out.ends_unhealthy = attribute(group, "target_health_state.unhealthy.connection_termination.enabled") == "true";
  out.multi_value_headers = attribute(group, "lambda.multi_value_headers.enabled") == "true";
  if (value.target_type == "lambda" && !group.targets.empty()) out.function = group.targets[0].id;
  edge::HealthSettings& health = out.health;
  health.enabled = value.health_check_enabled.value_or(true) && value.target_type != "lambda";
  const std::string check = value.health_check_protocol.value_or("HTTP");
  health.protocol = check == "HTTPS" ? edge::CheckProtocol::kHttps : check == "TCP" ? edge::CheckProtocol::kTcp : check == "TLS" ? edge::CheckProtocol::kTls : edge::CheckProtocol::kHttp;
  health.port = parse_int<int>(value.health_check_port.value_or("traffic-port")).value_or(0);
  health.path = value.health_check_path.value_or("/");
  health.is_http2 = out.version != edge::HttpVersion::kHttp1;
  health.is_grpc = out.version == edge::HttpVersion::kGrpc;
  const std::string codes = value.matcher ? value.matcher->grpc_code.value_or(value.matcher->http_code.value_or("200")) : "200-399";
  if (auto matcher = edge::StatusMatcher::parse(codes)) health.matcher = *std::move(matcher);
  health.interval = Duration(std::chrono::seconds(value.health_check_interval_seconds.value_or(30)));
  health.timeout = Duration(std::chrono::seconds(value.health_check_timeout_seconds.value_or(5)));
  health.healthy_threshold = value.healthy_threshold_count.value_or(5);
  health.unhealthy_threshold = value.unhealthy_threshold_count.value_or(2);
  return out;
}

}  // namespace reef::service::elb
