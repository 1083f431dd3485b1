#include "service/ec2/state.h"

#include <algorithm>

#include "base/random.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/ec2/access_lists.h"

namespace reef::service::ec2 {
namespace {

std::vector<Change> g_changes;  // control shard only

std::string scope(const Call& call, std::string_view type) { return fmt::format("ec2/{}/{}/{}/", call.account, call.region, type); }

// Every account has a default VPC in every region until it is deleted.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html
void ensure_default_vpc(const Call& call) {
  auto& records = store::Shard::control().records();
  const std::string marker = fmt::format("ec2/{}/{}/default-vpc-made", call.account, call.region);
  if (records.find(marker)) return;
  records.put(marker, "1");
  const model::Vpc vpc = make_vpc(call, "172.31.0.0/16", true);
  set_dns(call, *vpc.vpc_id, {.support = true, .hostnames = true});
  int third = 0;
  for (const std::string& zone : zone_names(call)) {
    make_subnet(call, vpc, fmt::format("172.31.{}.0/20", third), zone, true);
    third += 16;
  }
  model::InternetGateway gateway;
  gateway.internet_gateway_id = new_id("igw");
  gateway.owner_id = call.account;
  gateway.attachments = std::vector<model::InternetGatewayAttachment>{{.state = "available", .vpc_id = vpc.vpc_id}};
  gateway.tags = std::vector<model::Tag>{};
  put(call, gateway);
  for (model::RouteTable& table : all<model::RouteTable>(call)) {
    if (table.vpc_id != vpc.vpc_id) continue;
    model::Route route;
    route.destination_cidr_block = "0.0.0.0/0";
    route.gateway_id = gateway.internet_gateway_id;
    route.origin = "CreateRoute";
    route.state = "active";
    table.routes->push_back(std::move(route));
    put(call, table);
  }
}

}  // namespace

const std::string* find_record(const Call& call, std::string_view type, std::string_view id) {
  ensure_default_vpc(call);
  return store::Shard::control().records().find(scope(call, type) + std::string(id));
}

std::vector<std::string> all_records(const Call& call, std::string_view type) {
  ensure_default_vpc(call);
  std::vector<std::string> out;
  store::Shard::control().records().scan(scope(call, type), [&](std::string_view, const std::string& text) {
    out.push_back(text);
    return true;
  });
  return out;
}

std::vector<Change> take_changes() { return std::exchange(g_changes, {}); }

void put_record(const Call& call, std::string_view type, std::string_view id, std::string value) {
  g_changes.push_back({call.account, call.region, std::string(type), std::string(id), value});
  store::Shard::control().records().put(scope(call, type) + std::string(id), std::move(value));
}
bool erase_record(const Call& call, std::string_view type, std::string_view id) {
  g_changes.push_back({call.account, call.region, std::string(type), std::string(id), std::nullopt});
  return store::Shard::control().records().erase(scope(call, type) + std::string(id));
}

std::string new_id(std::string_view prefix) {
  return fmt::format("{}-0{}", prefix, make_token(thread_random(), 16, "0123456789abcdef"));
}

aws::Error invalid_value(std::string message) { return aws::Error("InvalidParameterValue", std::move(message), 400); }
aws::Error in_use(std::string_view noun, std::string_view id) {
  return aws::Error("DependencyViolation", fmt::format("The {} '{}' has dependencies and cannot be deleted.", noun, id), 400);
}

Reply<Tags> tags_for(const std::optional<std::vector<model::TagSpecification>>& specifications, std::string_view type) {
  Tags out = std::vector<model::Tag>{};
  if (!specifications) return out;
  for (const model::TagSpecification& one : *specifications) {
    if (one.resource_type != type)
      return Err(invalid_value(fmt::format("'{}' is not a valid taggable resource type for this operation.", one.resource_type.value_or(""))));
    if (!one.tags) continue;
    for (const model::Tag& tag : *one.tags) {
      const std::string key = tag.key.value_or("");
      if (key.empty() || key.size() > 127) return Err(invalid_value(fmt::format("Tag key exceeds the maximum length of 127 characters: {}", key)));
      for (const model::Tag& other : *out)
        if (other.key == tag.key) return Err(invalid_value(fmt::format("Duplicate tag key '{}' specified.", key)));
      out->push_back({.key = key, .value = tag.value.value_or("")});
    }
  }
  return out;
}

std::vector<std::string> zone_names(const Call& call) {
  std::vector<std::string> out;
  for (char letter = 'a'; letter <= (call.region == "us-east-1" ? 'f' : 'c'); ++letter) out.push_back(call.region + letter);
  return out;
}

// "us-east-1a" is "use1-az1" here; on AWS the numbers differ from account to account.
std::string zone_id(const Call& call, std::string_view zone) {
  std::string out;
  const auto dash = call.region.find('-'), last = call.region.rfind('-');
  if (dash == std::string::npos || last == dash) return std::string(zone);
  out = call.region.substr(0, dash) + call.region[dash + 1];
  const std::string direction = call.region.substr(dash + 1, last - dash - 1);
  for (const std::string_view second : {"east", "west"})
    if (direction.size() > second.size() && direction.ends_with(second)) out += second[0];  // "southeast": se
  return fmt::format("{}{}-az{}", out, call.region.substr(last + 1), zone.back() - 'a' + 1);
}

model::Vpc make_vpc(const Call& call, std::string cidr, bool is_default) {
  model::Vpc vpc;
  vpc.vpc_id = new_id("vpc");
  vpc.owner_id = call.account;
  vpc.instance_tenancy = "default";
  vpc.is_default = is_default;
  vpc.state = "available";
  vpc.cidr_block = cidr;
  vpc.dhcp_options_id = "default";
  vpc.tags = std::vector<model::Tag>{};
  vpc.cidr_block_association_set = std::vector<model::VpcCidrBlockAssociation>{
      {.association_id = new_id("vpc-cidr-assoc"), .cidr_block = cidr, .cidr_block_state = model::VpcCidrBlockState{.state = "associated", .status_message = {}}}};
  put(call, vpc);
  set_dns(call, *vpc.vpc_id, {});
  make_route_table(call, vpc, true);
  make_access_list(call, *vpc.vpc_id, true);
  const model::SecurityGroup group = make_group(call, *vpc.vpc_id, "default", "default VPC security group");
  model::SecurityGroupRule rule;
  rule.security_group_rule_id = new_id("sgr");
  rule.group_id = group.group_id;
  rule.group_owner_id = call.account;
  rule.is_egress = false;
  rule.ip_protocol = "-1";
  rule.from_port = -1;
  rule.to_port = -1;
  rule.referenced_group_info.emplace();
  rule.referenced_group_info->group_id = group.group_id;
  rule.referenced_group_info->user_id = call.account;
  put(call, rule);
  return vpc;
}

model::Subnet make_subnet(const Call& call, const model::Vpc& vpc, std::string cidr, std::string zone, bool is_default) {
  model::Subnet subnet;
  subnet.subnet_id = new_id("subnet");
  subnet.vpc_id = vpc.vpc_id;
  subnet.owner_id = call.account;
  subnet.state = "available";
  subnet.cidr_block = cidr;
  // AWS keeps the first four addresses and the last one of each subnet.
  // https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
  const auto slash = cidr.find('/');
  subnet.available_ip_address_count = (1 << (32 - std::stoi(cidr.substr(slash + 1)))) - 5;
  subnet.availability_zone = zone;
  subnet.availability_zone_id = zone_id(call, zone);
  subnet.default_for_az = is_default;
  subnet.map_public_ip_on_launch = is_default;
  subnet.assign_ipv6_address_on_creation = false;
  subnet.map_customer_owned_ip_on_launch = false;
  subnet.enable_dns64 = false;
  subnet.ipv6_native = false;
  subnet.subnet_arn = call.arn("ec2", "subnet/" + *subnet.subnet_id);
  subnet.tags = std::vector<model::Tag>{};
  subnet.ipv6_cidr_block_association_set.emplace();
  put(call, subnet);
  associate_by_default(call, *vpc.vpc_id, *subnet.subnet_id);
  return subnet;
}

model::RouteTable make_route_table(const Call& call, const model::Vpc& vpc, bool main) {
  model::RouteTable table;
  table.route_table_id = new_id("rtb");
  table.vpc_id = vpc.vpc_id;
  table.owner_id = call.account;
  table.tags = std::vector<model::Tag>{};
  table.propagating_vgws.emplace();
  model::Route local;
  local.destination_cidr_block = vpc.cidr_block;
  local.gateway_id = "local";
  local.origin = "CreateRouteTable";
  local.state = "active";
  table.routes = std::vector<model::Route>{std::move(local)};
  table.associations.emplace();
  if (main) {
    model::RouteTableAssociation one;
    one.main = true;
    one.route_table_association_id = new_id("rtbassoc");
    one.route_table_id = table.route_table_id;
    one.association_state.emplace();
    one.association_state->state = "associated";
    table.associations->push_back(std::move(one));
  }
  put(call, table);
  return table;
}

model::SecurityGroup make_group(const Call& call, const std::string& vpc, std::string name, std::string description) {
  model::SecurityGroup group;
  group.group_id = new_id("sg");
  group.group_name = std::move(name);
  group.description = std::move(description);
  group.vpc_id = vpc;
  group.owner_id = call.account;
  group.security_group_arn = call.arn("ec2", "security-group/" + *group.group_id);
  group.tags = std::vector<model::Tag>{};
  put(call, group);
  model::SecurityGroupRule rule;  // a new group lets everything out
  rule.security_group_rule_id = new_id("sgr");
  rule.group_id = group.group_id;
  rule.group_owner_id = call.account;
  rule.is_egress = true;
  rule.ip_protocol = "-1";
  rule.from_port = -1;
  rule.to_port = -1;
  rule.cidr_ipv4 = "0.0.0.0/0";
  put(call, rule);
  return group;
}

std::optional<model::Vpc> default_vpc(const Call& call) {
  for (model::Vpc& vpc : all<model::Vpc>(call))
    if (vpc.is_default.value_or(false)) return std::move(vpc);
  return std::nullopt;
}

VpcDns dns_of(const Call& call, std::string_view vpc) {
  const std::string* text = find_record(call, "vpc-dns", vpc);
  if (!text || text->size() != 2) return {};
  return {.support = (*text)[0] == '1', .hostnames = (*text)[1] == '1'};
}
void set_dns(const Call& call, std::string_view vpc, VpcDns dns) {
  put_record(call, "vpc-dns", vpc, fmt::format("{}{}", dns.support ? 1 : 0, dns.hostnames ? 1 : 0));
}

}  // namespace reef::service::ec2
