// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
#include <algorithm>

#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

bool is_http(const std::string& protocol) { return protocol == "HTTP" || protocol == "HTTPS"; }

// What is common to creating and modifying: the health check's settings.
template <class In>
void take_health(model::TargetGroup& value, const In& in) {
  if (in.health_check_protocol) value.health_check_protocol = in.health_check_protocol;
  if (in.health_check_port) value.health_check_port = in.health_check_port;
  if (in.health_check_path) value.health_check_path = in.health_check_path;
  if (in.health_check_enabled) value.health_check_enabled = in.health_check_enabled;
  if (in.health_check_interval_seconds) value.health_check_interval_seconds = in.health_check_interval_seconds;
  if (in.health_check_timeout_seconds) value.health_check_timeout_seconds = in.health_check_timeout_seconds;
  if (in.healthy_threshold_count) value.healthy_threshold_count = in.healthy_threshold_count;
  if (in.unhealthy_threshold_count) value.unhealthy_threshold_count = in.unhealthy_threshold_count;
  if (in.matcher) value.matcher = in.matcher;
}

Reply<void> check_health(const model::TargetGroup& value) {
  const auto within = [](int number, int from, int to, std::string_view what) -> Reply<void> {
    if (number >= from && number <= to) return {};
    return Err(aws::validation_error(fmt::format("{} '{}' must be between '{}' and '{}'", what, number, from, to)));
  };
  TRY(within(*value.health_check_interval_seconds, 5, 300, "Health check interval"));
  TRY(within(*value.health_check_timeout_seconds, 2, 120, "Health check timeout"));
  TRY(within(*value.healthy_threshold_count, 2, 10, "Healthy threshold count"));
  TRY(within(*value.unhealthy_threshold_count, 2, 10, "Unhealthy threshold count"));
  if (value.target_type != "lambda" && *value.health_check_timeout_seconds >= *value.health_check_interval_seconds && is_http(*value.protocol))
    return Err(aws::validation_error(fmt::format("Health check timeout '{}' must be smaller than the interval '{}'", *value.health_check_timeout_seconds, *value.health_check_interval_seconds)));
  const std::string port = value.health_check_port.value_or("traffic-port");
  const auto number = parse_int<int>(port);
  if (port != "traffic-port" && (!number || *number < 1 || *number > 65535))
    return Err(aws::validation_error(fmt::format("Health check port '{}' must be in the range '1-65535' or 'traffic-port'", port)));
  if (value.health_check_path && !value.health_check_path->starts_with('/'))
    return Err(aws::validation_error(fmt::format("Health check path '{}' must begin with a '/' character", *value.health_check_path)));
  if (value.matcher) {
    const std::string codes = value.matcher->grpc_code.value_or(value.matcher->http_code.value_or(""));
    if (!edge::StatusMatcher::parse(codes)) return Err(aws::validation_error(fmt::format("The matcher '{}' is not valid", codes)));
  }
  return {};
}

void fill_defaults(model::TargetGroup& value) {
  const std::string protocol = value.protocol.value_or("");
  const bool lambda = value.target_type == "lambda", http = lambda || is_http(protocol);
  value.health_check_enabled = value.health_check_enabled.value_or(!lambda);
  if (!value.health_check_protocol && !lambda) value.health_check_protocol = http ? (protocol == "HTTPS" ? "HTTPS" : "HTTP") : value.target_type == "alb" ? "HTTP" : "TCP";
  if (!value.health_check_port && !lambda) value.health_check_port = "traffic-port";
  value.health_check_interval_seconds = value.health_check_interval_seconds.value_or(lambda ? 35 : 30);
  const bool check_http = lambda || is_http(*value.health_check_protocol);
  value.health_check_timeout_seconds = value.health_check_timeout_seconds.value_or(lambda ? 30 : check_http ? (http ? 5 : 6) : 10);
  value.healthy_threshold_count = value.healthy_threshold_count.value_or(5);
  value.unhealthy_threshold_count = value.unhealthy_threshold_count.value_or(2);
  if (check_http && !value.health_check_path) value.health_check_path = value.protocol_version == "GRPC" ? "/AWS.ALB/healthcheck" : "/";
  if (check_http && !value.matcher) {
    value.matcher.emplace();
    if (value.protocol_version == "GRPC") value.matcher->grpc_code = "12";
    else value.matcher->http_code = http ? "200" : "200-399";
  }
}

}  // namespace

model::TargetGroup shown(Elb& elb, const Group& group) {
  model::TargetGroup out = group.value;
  out.load_balancer_arns = elb.balancers_using(group.arn());
  return out;
}

Task<Reply<model::CreateTargetGroupOutput>> CreateTargetGroup(Elb& elb, const model::CreateTargetGroupInput& in, const Call& call) {
  const std::string type = in.target_type.value_or("instance");
  if (in.name.size() > 32 || in.name.empty()) co_return Err(aws::validation_error(fmt::format("Target group name '{}' cannot be longer than '32' characters", in.name)));
  if (!std::all_of(in.name.begin(), in.name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; }))
    co_return Err(aws::validation_error(fmt::format("Target group name '{}' can only contain characters that are alphanumeric characters or hyphens(-)", in.name)));
  if (in.name.front() == '-' || in.name.back() == '-') co_return Err(aws::validation_error(fmt::format("Target group name '{}' cannot begin or end with '-'", in.name)));
  const Tags tags = CO_TRY(read_tags(in.tags));
  if (type == "alb" && in.protocol != "TCP") co_return Err(aws::validation_error("Target groups of target type 'alb' must have the protocol TCP"));
  if (type != "lambda") {
    if (!in.protocol) co_return Err(aws::validation_error("A protocol must be specified"));
    if (!in.port) co_return Err(aws::validation_error("A port must be specified"));
    if (!in.vpc_id) co_return Err(aws::validation_error("A VPC ID must be specified"));
    if (*in.protocol == "GENEVE" || *in.protocol == "QUIC" || *in.protocol == "TCP_QUIC") co_return Err(aws::not_implemented("Target group protocol '" + *in.protocol + "'"));
    if (*in.port < 1 || *in.port > 65535) co_return Err(aws::validation_error(fmt::format("Port '{}' must be between 1 and 65535", *in.port)));
  } else if (in.protocol || in.port) {
    co_return Err(aws::validation_error("Protocol and port cannot be specified for target groups with target type 'lambda'"));
  }
  // Terraform sends an empty one for none.
  const std::string version = in.protocol_version.value_or("").empty() ? "HTTP1" : *in.protocol_version;
  if (!in.protocol_version.value_or("").empty() && !is_http(in.protocol.value_or(""))) co_return Err(aws::validation_error("A protocol version can only be specified for target groups with protocol HTTP or HTTPS"));
  if (version != "HTTP1" && version != "HTTP2" && version != "GRPC") co_return Err(aws::validation_error(fmt::format("Protocol version '{}' must be one of '[GRPC, HTTP1, HTTP2]'", version)));
  Group group;
  group.tags = tags;
  model::TargetGroup& value = group.value;
  value.target_group_name = in.name;
  value.target_type = type;
  value.protocol = in.protocol;
  value.port = in.port;
  value.vpc_id = in.vpc_id;
  if (is_http(in.protocol.value_or(""))) value.protocol_version = version;
  value.ip_address_type = in.ip_address_type.value_or("ipv4");
  take_health(value, in);
  fill_defaults(value);
  CO_TRY(check_health(value));
  model::CreateTargetGroupOutput out;
  if (const Group* existing = elb.group_named(call, in.name)) {
    model::TargetGroup same = existing->value;
    value.target_group_arn = same.target_group_arn;
    if (!(same == value))
      co_return Err(aws::Error(errors::kDuplicateTargetGroupNameException, fmt::format("A target group with the same name '{}' exists, but with different settings", in.name)));
    out.target_groups = {shown(elb, *existing)};
    co_return out;
  }
  const std::string arn = call.arn("elasticloadbalancing", fmt::format("targetgroup/{}/{}", in.name, make_id()));
  value.target_group_arn = arn;
  elb.save(group);
  elb.groups[arn] = group;
  co_await elb.committed();
  co_await elb.apply_group(arn);
  out.target_groups = {shown(elb, group)};
  co_return out;
}

Task<Reply<model::DescribeTargetGroupsOutput>> DescribeTargetGroups(Elb& elb, const model::DescribeTargetGroupsInput& in, const Call& call) {
  std::vector<model::TargetGroup> all;
  if (in.target_group_arns && !in.target_group_arns->empty()) {
    for (const std::string& arn : *in.target_group_arns) all.push_back(shown(elb, *CO_TRY(elb.group(arn))));
  } else if (in.names && !in.names->empty()) {
    for (const std::string& name : *in.names) {
      const Group* found = elb.group_named(call, name);
      if (!found) co_return Err(aws::Error(errors::kTargetGroupNotFoundException, "One or more target groups not found"));
      all.push_back(shown(elb, *found));
    }
  } else {
    if (in.load_balancer_arn) CO_TRY(elb.balancer(*in.load_balancer_arn));
    for (const auto& [arn, group] : elb.groups) {
      if (account_of(arn) != call.account || region_of(arn) != call.region) continue;
      auto value = shown(elb, group);
      const auto& users = *value.load_balancer_arns;
      if (!in.load_balancer_arn || std::find(users.begin(), users.end(), *in.load_balancer_arn) != users.end()) all.push_back(std::move(value));
    }
  }
  model::DescribeTargetGroupsOutput out;
  CO_TRY(paginate(in, all, out.target_groups, out));
  co_return out;
}

Task<Reply<model::ModifyTargetGroupOutput>> ModifyTargetGroup(Elb& elb, const model::ModifyTargetGroupInput& in, const Call&) {
  Group changed = *CO_TRY(elb.group(in.target_group_arn));
  take_health(changed.value, in);
  fill_defaults(changed.value);
  CO_TRY(check_health(changed.value));
  elb.groups[in.target_group_arn] = changed;
  elb.save(changed);
  co_await elb.committed();
  co_await elb.apply_group(in.target_group_arn);
  co_return model::ModifyTargetGroupOutput{.target_groups = {{shown(elb, changed)}}};
}

Task<Reply<model::DeleteTargetGroupOutput>> DeleteTargetGroup(Elb& elb, const model::DeleteTargetGroupInput& in, const Call&) {
  const auto found = elb.group(in.target_group_arn);
  if (!found && found.error().code == "TargetGroupNotFound") co_return model::DeleteTargetGroupOutput{};
  CO_TRY(found);
  if (!elb.balancers_using(in.target_group_arn).empty())
    co_return Err(aws::Error(errors::kResourceInUseException, fmt::format("Target group '{}' is currently in use by a listener or a rule", in.target_group_arn)));
  elb.groups.erase(in.target_group_arn);
  elb.erase(in.target_group_arn);
  co_await elb.committed();
  co_await elb.balancers_engine.remove_group(in.target_group_arn);
  co_return model::DeleteTargetGroupOutput{};
}

Task<Reply<model::DescribeTargetGroupAttributesOutput>> DescribeTargetGroupAttributes(Elb& elb, const model::DescribeTargetGroupAttributesInput& in, const Call&) {
  co_return model::DescribeTargetGroupAttributesOutput{.attributes = list_attributes<model::TargetGroupAttribute>(*CO_TRY(elb.group(in.target_group_arn)))};
}

Task<Reply<model::ModifyTargetGroupAttributesOutput>> ModifyTargetGroupAttributes(Elb& elb, const model::ModifyTargetGroupAttributesInput& in, const Call&) {
  Group changed = *CO_TRY(elb.group(in.target_group_arn));
  for (const auto& attribute : in.attributes) CO_TRY(set_attribute(changed, attribute.key.value_or(""), attribute.value.value_or("")));
  const auto slow_start = parse_int<int>(attribute(changed, "slow_start.duration_seconds")).value_or(0);
  if (slow_start > 0 && slow_start < 30) co_return Err(aws::validation_error("Slow start duration must be 0 or between 30 and 900 seconds"));
  if (slow_start > 0 && attribute(changed, "load_balancing.algorithm.type") == "least_outstanding_requests")
    co_return Err(aws::Error(errors::kInvalidConfigurationRequestException, "Slow start is not supported with the 'least_outstanding_requests' algorithm"));
  if (attribute(changed, "load_balancing.algorithm.anomaly_mitigation") == "on" && attribute(changed, "load_balancing.algorithm.type") != "weighted_random")
    co_return Err(aws::Error(errors::kInvalidConfigurationRequestException, "Anomaly mitigation is supported only with the 'weighted_random' algorithm"));
  if (attribute(changed, "stickiness.enabled") == "true" && attribute(changed, "stickiness.type") == "app_cookie") {
    const std::string name = attribute(changed, "stickiness.app_cookie.cookie_name");
    if (name.empty()) co_return Err(aws::validation_error("A cookie name must be specified for stickiness of type 'app_cookie'"));
    if (name.starts_with("AWSALB")) co_return Err(aws::validation_error("The cookie names AWSALB, AWSALBAPP and AWSALBTG are reserved"));
  }
  elb.groups[in.target_group_arn] = changed;
  elb.save(changed);
  co_await elb.committed();
  co_await elb.apply_group(in.target_group_arn);
  co_return model::ModifyTargetGroupAttributesOutput{.attributes = list_attributes<model::TargetGroupAttribute>(changed)};
}

}  // namespace reef::service::elb::operations
