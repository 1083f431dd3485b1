// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html and its kin. AWS's names resolve and
// its endpoints are reached from every sandbox with and without them; an endpoint is what templates and tools see of it.
#include <array>

#include "service/ec2/describe.h"
#include "service/ec2/interfaces.h"
#include "service/ec2/prefix_lists.h"

namespace reef::service::ec2::operations {
namespace {

constexpr std::array<std::string_view, 33> kServices = {
    "acm-pca", "application-autoscaling", "cloudformation", "dynamodb", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry",
    "elasticache", "elasticloadbalancing", "events", "execute-api", "firehose", "kinesis-streams", "kms", "lambda", "logs", "monitoring", "rds", "s3", "secretsmanager",
    "servicediscovery", "sns", "sqs", "ssm", "ssmmessages", "states", "sts", "synthetics", "xray"};
constexpr const char* kOpenPolicy = R"({"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]})";

// "sqs" of "com.amazonaws.us-east-1.sqs".
Reply<std::string> service_of(const Call& call, const std::string& name) {
  const std::string prefix = fmt::format("com.amazonaws.{}.", call.region);
  if (name.starts_with(prefix) && std::find(kServices.begin(), kServices.end(), std::string_view(name).substr(prefix.size())) != kServices.end()) return name.substr(prefix.size());
  return Err(aws::Error("InvalidServiceName", fmt::format("The Vpc Endpoint Service '{}' does not exist", name), 400));
}

bool has_gateway(std::string_view service) { return service == "s3" || service == "dynamodb"; }

// The route to the service's addresses, in one table.
Reply<void> add_route(const Call& call, const model::VpcEndpoint& endpoint, const std::string& table_id, const std::string& list) {
  auto table = TRY(get<model::RouteTable>(call, table_id));
  if (table.vpc_id != endpoint.vpc_id) return Err(invalid_value(fmt::format("Route table {} does not belong to VPC {}", table_id, *endpoint.vpc_id)));
  for (const auto& route : *table.routes)
    if (route.destination_prefix_list_id == list)
      return Err(aws::Error("RouteAlreadyExists", fmt::format("route table {} already has a route with destination-prefix-list-id {}", table_id, list), 400));
  model::Route route;
  route.destination_prefix_list_id = list;
  route.gateway_id = endpoint.vpc_endpoint_id;
  route.origin = "CreateRoute";
  route.state = "active";
  table.routes->push_back(std::move(route));
  put(call, table);
  return {};
}

void remove_routes(const Call& call, const std::string& endpoint, const std::optional<std::string>& only_table = {}) {
  for (auto& table : all<model::RouteTable>(call))
    if ((!only_table || table.route_table_id == *only_table) && std::erase_if(*table.routes, [&](const auto& one) { return one.gateway_id == endpoint; }) > 0) put(call, table);
}

Reply<void> add_interface(Ec2& ec2, const Call& call, model::VpcEndpoint& endpoint, const std::string& subnet) {
  NewInterface wanted;
  wanted.subnet = subnet;
  wanted.description = "VPC Endpoint Interface " + *endpoint.vpc_endpoint_id;
  wanted.type = "vpc_endpoint";
  wanted.requester = "amazon-vpce";
  for (const auto& group : *endpoint.groups) wanted.groups.push_back(group.group_id.value_or(""));
  const auto in_subnet = TRY(get<model::Subnet>(call, subnet));
  if (in_subnet.vpc_id != endpoint.vpc_id) return Err(aws::Error("InvalidSubnetId.NotFound", fmt::format("The subnet ID '{}' does not exist in VPC {}", subnet, *endpoint.vpc_id), 400));
  const auto made = TRY(make_interface(ec2.networks, call, wanted));
  endpoint.subnet_ids->push_back(subnet);
  endpoint.network_interface_ids->push_back(*made.network_interface_id);
  return {};
}

void remove_interface(const Call& call, model::VpcEndpoint& endpoint, const std::string& subnet) {
  std::erase_if(*endpoint.network_interface_ids, [&](const std::string& id) {
    const auto one = find<model::NetworkInterface>(call, id);
    if (!one || one->subnet_id != subnet) return false;
    erase<model::NetworkInterface>(call, id);
    return true;
  });
  std::erase(*endpoint.subnet_ids, subnet);
}

Reply<void> set_groups(const Call& call, model::VpcEndpoint& endpoint, const std::vector<std::string>& ids) {
  const auto groups = TRY(group_identifiers(call, *endpoint.vpc_id, ids));
  endpoint.groups.emplace();
  for (const auto& one : groups) endpoint.groups->push_back({.group_id = one.group_id, .group_name = one.group_name});
  for (const std::string& id : *endpoint.network_interface_ids)
    if (auto one = find<model::NetworkInterface>(call, id)) {
      one->groups = groups;
      put(call, *one);
    }
  return {};
}

}  // namespace

Reply<model::CreateVpcEndpointOutput> CreateVpcEndpoint(Ec2& ec2, const model::CreateVpcEndpointInput& in, const Call& call) {
  TRY(get<model::Vpc>(call, in.vpc_id));
  const std::string type = in.vpc_endpoint_type.value_or("Gateway");
  if (type != "Gateway" && type != "Interface") return Err(aws::Error("UnsupportedOperation", fmt::format("VPC endpoints of type {} are not supported by this version of Atoll.", type), 400));
  const std::string service = TRY(service_of(call, in.service_name.value_or("")));
  if (type == "Gateway" && !has_gateway(service))
    return Err(aws::Error("InvalidParameter", fmt::format("Endpoint type (Gateway) does not match available service types ([Interface]).", type), 400));
  model::VpcEndpoint endpoint;
  endpoint.tags = TRY(tags_for(in.tag_specifications, "vpc-endpoint"));
  endpoint.vpc_endpoint_id = new_id("vpce");
  endpoint.vpc_endpoint_type = type;
  endpoint.vpc_id = in.vpc_id;
  endpoint.service_name = in.service_name;
  endpoint.service_region = call.region;
  endpoint.state = "available";
  endpoint.policy_document = in.policy_document.value_or(kOpenPolicy);
  endpoint.route_table_ids.emplace();
  endpoint.subnet_ids.emplace();
  endpoint.groups.emplace();
  endpoint.network_interface_ids.emplace();
  endpoint.dns_entries.emplace();
  endpoint.private_dns_enabled = type == "Interface" && in.private_dns_enabled.value_or(true);
  endpoint.requester_managed = false;
  endpoint.creation_timestamp = call.now;
  endpoint.owner_id = call.account;
  endpoint.ip_address_type = "ipv4";
  if (type == "Gateway") {
    if (in.subnet_ids || in.security_group_ids) return Err(aws::Error("InvalidParameter", "Subnet IDs and security groups are only supported for Interface type VPC endpoints.", 400));
    const std::string list = *service_prefix_list(call, service).prefix_list_id;
    for (const std::string& table : in.route_table_ids.value_or(Values{})) {
      if (const auto added = add_route(call, endpoint, table, list); !added) {
        remove_routes(call, *endpoint.vpc_endpoint_id);
        return Err(added.error());
      }
      endpoint.route_table_ids->push_back(table);
    }
  } else {
    if (in.route_table_ids) return Err(aws::Error("InvalidParameter", "Route table IDs are only supported for Gateway type VPC endpoints.", 400));
    auto groups = in.security_group_ids.value_or(Values{});
    if (groups.empty()) groups.push_back(default_group(call, in.vpc_id));
    TRY(set_groups(call, endpoint, groups));
    for (const std::string& subnet : in.subnet_ids.value_or(Values{}))
      if (const auto added = add_interface(ec2, call, endpoint, subnet); !added) {
        for (const std::string& made : Values(*endpoint.subnet_ids)) remove_interface(call, endpoint, made);
        return Err(added.error());
      }
    endpoint.dns_entries->push_back({.dns_name = fmt::format("{}.{}.{}.vpce.amazonaws.com", *endpoint.vpc_endpoint_id, service, call.region), .hosted_zone_id = "Z7HUB22UULQXV"});
    if (*endpoint.private_dns_enabled) endpoint.dns_entries->push_back({.dns_name = fmt::format("{}.{}.amazonaws.com", service, call.region), .hosted_zone_id = "ZONEIDPENDING"});
  }
  put(call, endpoint);
  endpoint.state = type == "Gateway" ? "available" : "pending";
  return model::CreateVpcEndpointOutput{.vpc_endpoint = std::move(endpoint), .client_token = in.client_token};
}

Reply<model::DescribeVpcEndpointsOutput> DescribeVpcEndpoints(const model::DescribeVpcEndpointsInput& in, const Call& call) {
  model::DescribeVpcEndpointsOutput out;
  out.vpc_endpoints = TRY(choose<model::VpcEndpoint>(call, in, in.vpc_endpoint_ids, [](const model::VpcEndpoint& one, std::string_view name) -> std::optional<Values> {
    if (name == "vpc-endpoint-id") return one_value(one.vpc_endpoint_id);
    if (name == "vpc-endpoint-type") return one_value(one.vpc_endpoint_type);
    if (name == "vpc-endpoint-state") return one_value(one.state);
    if (name == "vpc-id") return one_value(one.vpc_id);
    if (name == "service-name") return one_value(one.service_name);
    if (name == "ip-address-type") return one_value(one.ip_address_type);
    return std::nullopt;
  }, out.next_token));
  return out;
}

Reply<model::ModifyVpcEndpointOutput> ModifyVpcEndpoint(Ec2& ec2, const model::ModifyVpcEndpointInput& in, const Call& call) {
  auto endpoint = TRY(get<model::VpcEndpoint>(call, in.vpc_endpoint_id));
  if (in.reset_policy.value_or(false)) endpoint.policy_document = kOpenPolicy;
  if (in.policy_document) endpoint.policy_document = in.policy_document;
  if (in.private_dns_enabled) endpoint.private_dns_enabled = in.private_dns_enabled;
  const bool is_gateway = endpoint.vpc_endpoint_type == "Gateway";
  if (is_gateway && (in.add_subnet_ids || in.remove_subnet_ids || in.add_security_group_ids || in.remove_security_group_ids))
    return Err(aws::Error("InvalidParameter", "Subnet IDs and security groups are only supported for Interface type VPC endpoints.", 400));
  if (!is_gateway && (in.add_route_table_ids || in.remove_route_table_ids))
    return Err(aws::Error("InvalidParameter", "Route table IDs are only supported for Gateway type VPC endpoints.", 400));
  for (const std::string& table : in.remove_route_table_ids.value_or(Values{})) {
    remove_routes(call, in.vpc_endpoint_id, table);
    std::erase(*endpoint.route_table_ids, table);
  }
  for (const std::string& table : in.add_route_table_ids.value_or(Values{})) {
    const std::string service = TRY(service_of(call, *endpoint.service_name));
    TRY(add_route(call, endpoint, table, *service_prefix_list(call, service).prefix_list_id));
    endpoint.route_table_ids->push_back(table);
  }
  if (in.add_security_group_ids || in.remove_security_group_ids) {
    Values groups;
    for (const auto& one : *endpoint.groups) groups.push_back(one.group_id.value_or(""));
    for (const std::string& gone : in.remove_security_group_ids.value_or(Values{})) std::erase(groups, gone);
    for (const std::string& added : in.add_security_group_ids.value_or(Values{}))
      if (std::find(groups.begin(), groups.end(), added) == groups.end()) groups.push_back(added);
    TRY(set_groups(call, endpoint, groups));
  }
  for (const std::string& subnet : in.remove_subnet_ids.value_or(Values{})) remove_interface(call, endpoint, subnet);
  for (const std::string& subnet : in.add_subnet_ids.value_or(Values{})) TRY(add_interface(ec2, call, endpoint, subnet));
  put(call, endpoint);
  return model::ModifyVpcEndpointOutput{.return_ = true};
}

Reply<model::DeleteVpcEndpointsOutput> DeleteVpcEndpoints(const model::DeleteVpcEndpointsInput& in, const Call& call) {
  model::DeleteVpcEndpointsOutput out;
  out.unsuccessful.emplace();
  for (const std::string& id : in.vpc_endpoint_ids) {
    auto endpoint = find<model::VpcEndpoint>(call, id);
    if (!endpoint) {
      const auto error = missing<model::VpcEndpoint>(id);
      out.unsuccessful->push_back({.error = model::UnsuccessfulItemError{.code = error.code, .message = error.message}, .resource_id = id});
      continue;
    }
    remove_routes(call, id);
    for (const std::string& subnet : Values(*endpoint->subnet_ids)) remove_interface(call, *endpoint, subnet);
    erase<model::VpcEndpoint>(call, id);
  }
  return out;
}

Reply<model::DescribeVpcEndpointServicesOutput> DescribeVpcEndpointServices(const model::DescribeVpcEndpointServicesInput& in, const Call& call) {
  model::DescribeVpcEndpointServicesOutput out;
  out.service_names.emplace();
  out.service_details.emplace();
  for (const std::string& name : in.service_names.value_or(Values{})) TRY(service_of(call, name));
  const auto add = [&](std::string_view service, std::string type) -> Reply<void> {
    model::ServiceDetail one;
    one.service_name = fmt::format("com.amazonaws.{}.{}", call.region, service);
    if (in.service_names && !in.service_names->empty() && std::find(in.service_names->begin(), in.service_names->end(), *one.service_name) == in.service_names->end()) return {};
    one.service_id = fmt::format("vpce-svc-{:016x}", std::hash<std::string>{}(*one.service_name + type));
    one.service_type = std::vector<model::ServiceTypeDetail>{{.service_type = type}};
    one.service_region = call.region;
    one.availability_zones = zone_names(call);
    one.owner = "amazon";
    one.base_endpoint_dns_names = Values{fmt::format("{}.{}.{}amazonaws.com", service, call.region, type == "Gateway" ? "" : "vpce.")};
    if (type == "Interface") one.private_dns_name = fmt::format("{}.{}.amazonaws.com", service, call.region);
    one.vpc_endpoint_policy_supported = true;
    one.acceptance_required = false;
    one.manages_vpc_endpoints = false;
    one.supported_ip_address_types = Values{"ipv4"};
    one.tags = std::vector<model::Tag>{};
    const ValuesOf<model::ServiceDetail> values_of = [](const model::ServiceDetail& each, std::string_view name) -> std::optional<Values> {
      if (name == "service-name") return one_value(each.service_name);
      if (name == "service-type") return each.service_type ? one_value(each.service_type->front().service_type) : Values{};
      if (name == "owner") return one_value(each.owner);
      if (name == "supported-ip-address-types") return each.supported_ip_address_types;
      return std::nullopt;
    };
    if (!TRY(matches<model::ServiceDetail>(one, in.filters, values_of))) return {};
    if (out.service_names->empty() || out.service_names->back() != *one.service_name) out.service_names->push_back(*one.service_name);
    out.service_details->push_back(std::move(one));
    return {};
  };
  for (const std::string_view service : kServices) {
    if (has_gateway(service)) TRY(add(service, "Gateway"));
    TRY(add(service, "Interface"));
  }
  return out;
}

}  // namespace reef::service::ec2::operations
