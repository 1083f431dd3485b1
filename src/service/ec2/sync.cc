// Tells the network engine what is in the records: at the start all of it, after each operation what it wrote.
#include <algorithm>

#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/ec2/access_lists.h"
#include "service/ec2/flow_logs.h"
#include "service/ec2/interfaces.h"
#include "service/ec2/prefix_lists.h"

namespace reef::service::ec2 {
namespace {

network::RuleSpec rule_spec(const model::SecurityGroupRule& rule) {
  network::RuleSpec out;
  out.group = rule.group_id.value_or("");
  out.egress = rule.is_egress.value_or(false);
  out.protocol = network::parse_protocol(rule.ip_protocol.value_or("-1")).value_or(network::kAnyProtocol);
  if (rule.from_port.value_or(-1) >= 0) out.from_port = static_cast<std::uint16_t>(*rule.from_port);
  if (rule.to_port.value_or(-1) >= 0) out.to_port = static_cast<std::uint16_t>(*rule.to_port);
  if (rule.cidr_ipv4) out.range = parse_cidr(*rule.cidr_ipv4);
  if (rule.referenced_group_info) out.peer_group = rule.referenced_group_info->group_id.value_or("");
  out.prefix_list = rule.prefix_list_id.value_or("");
  return out;
}

network::InterfaceSpec interface_spec(const Change& change, const model::NetworkInterface& one) {
  network::InterfaceSpec out;
  out.id = change.id;
  out.account = change.account;
  out.region = change.region;
  out.vpc = one.vpc_id.value_or("");
  out.subnet = one.subnet_id.value_or("");
  out.zone = one.availability_zone.value_or("");
  out.zone_id = one.availability_zone_id.value_or("");
  out.address = network::parse_address(one.private_ip_address.value_or("")).value_or(0);
  if (one.groups)
    for (const auto& group : *one.groups) out.groups.push_back(group.group_id.value_or(""));
  return out;
}

// A function's interface tells its name: "AWS Lambda VPC ENI-<name>-<36 characters>".
std::string function_of(const model::NetworkInterface& one) {
  constexpr std::string_view kPrefix = "AWS Lambda VPC ENI-";
  constexpr std::size_t kSuffix = 37;
  const std::string description = one.description.value_or("");
  if (one.interface_type != "lambda" || !description.starts_with(kPrefix) || description.size() <= kPrefix.size() + kSuffix) return {};
  return description.substr(kPrefix.size(), description.size() - kPrefix.size() - kSuffix);
}

network::AccessListSpec access_list_spec(const model::NetworkAcl& list) {
  network::AccessListSpec out{.id = *list.network_acl_id, .entries = {}, .subnets = {}};
  if (list.entries)
    for (const auto& one : *list.entries) {
      const auto range = parse_cidr(one.cidr_block.value_or(""));
      if (!range) continue;
      network::AccessEntry entry{.number = one.rule_number.value_or(0), .egress = one.egress.value_or(false), .allow = one.rule_action == "allow",
                                 .protocol = network::parse_protocol(one.protocol.value_or("-1")).value_or(network::kAnyProtocol), .range = *range};
      if (one.port_range) {
        entry.from_port = static_cast<std::uint16_t>(std::max(0, one.port_range->from.value_or(0)));
        entry.to_port = static_cast<std::uint16_t>(one.port_range->to.value_or(65535) < 0 ? 65535 : one.port_range->to.value_or(65535));
      }
      out.entries.push_back(entry);
    }
  if (list.associations)
    for (const auto& one : *list.associations) out.subnets.push_back(one.subnet_id.value_or(""));
  return out;
}

void tell(network::Networks& networks, const Change& change) {
  const auto read = [&]<class T>(const auto& put) {
    if (auto value = aws::from_json_text<T>(*change.value)) put(*value);
  };
  if (change.type == "security-group-rule") {
    if (!change.value) networks.erase_rule(change.id);
    else read.template operator()<model::SecurityGroupRule>([&](const auto& one) { networks.put_rule(change.id, rule_spec(one)); });
  } else if (change.type == "network-interface") {
    if (!change.value) {
      networks.erase_interface(change.id);
      networks.set_owner(change.id, {}, {});
    } else {
      read.template operator()<model::NetworkInterface>([&](const auto& one) {
        networks.put_interface(interface_spec(change, one));
        if (const std::string function = function_of(one); !function.empty())
          networks.set_owner(change.id, fmt::format("lambda/{}/{}/{}", change.account, change.region, function), {function});
      });
    }
  } else if (change.type == "prefix-list-entries") {
    if (!change.value) return networks.erase_prefix_list(change.id);
    std::vector<Cidr> blocks;
    for (const auto& entry : read_entries(*change.value))
      if (const auto block = parse_cidr(entry.cidr.value_or(""))) blocks.push_back(*block);
    networks.put_prefix_list(change.id, std::move(blocks));
  } else if (change.type == "network-acl") {
    if (!change.value) networks.erase_access_list(change.id);
    else read.template operator()<model::NetworkAcl>([&](const auto& one) { networks.put_access_list(access_list_spec(one)); });
  }
}

}  // namespace

Ec2::Ec2(Parts& parts) : networks(parts.get<network::Networks>()), flow_logs(std::make_unique<FlowLogs>(parts, networks)) {
  networks.maker = this;
}

Ec2::~Ec2() = default;

namespace {

Call call_for(const std::string& account, const std::string& region) {
  Call call;
  call.account = account;
  call.region = region;
  call.now = store::Shard::control().now();
  return call;
}

// Data folders of before there were network ACLs have VPCs without.
void add_missing_lists() {
  std::vector<std::pair<Call, std::string>> vpcs;
  store::Shard::control().records().scan("ec2/", [&](std::string_view key, const std::string&) {
    const auto parts = split(key, '/');
    if (parts.size() == 5 && parts[3] == Kind<model::Vpc>::type) vpcs.emplace_back(call_for(std::string(parts[1]), std::string(parts[2])), parts[4]);
    return true;
  });
  for (const auto& [call, vpc] : vpcs) {
    if (!access_lists_of(call, vpc).empty()) continue;
    make_access_list(call, vpc, true);
    for (const auto& subnet : all<model::Subnet>(call))
      if (subnet.vpc_id == vpc) associate_by_default(call, vpc, *subnet.subnet_id);
  }
}

}  // namespace

void Ec2::stop() { flow_logs->stop(); }

void Ec2::start() {
  constexpr std::string_view kPrefix = "ec2/";
  store::Shard::control().records().scan(kPrefix, [this](std::string_view key, const std::string& text) {
    const auto parts = split(key, '/');
    if (parts.size() == 5) tell(networks, {std::string(parts[1]), std::string(parts[2]), std::string(parts[3]), std::string(parts[4]), text});
    if (parts.size() == 5 && parts[3] == Kind<model::FlowLog>::type) flow_logs->changed({std::string(parts[1]), std::string(parts[2]), std::string(parts[3]), std::string(parts[4]), text});
    if (parts.size() == 5 && parts[3] == "network-interface")
      if (const auto* one = networks.interface(parts[4])) networks.avoid(one->address);
    return true;
  });
  add_missing_lists();
  sync();
}

void Ec2::reset() {
  static_cast<void>(take_changes());
  flow_logs->clear();
}

void Ec2::sync() {
  for (const Change& change : take_changes()) {
    tell(networks, change);
    if (change.type == Kind<model::FlowLog>::type) flow_logs->changed(change);
  }
  networks.publish();
}

// --- for other services ----------------------------------------------------------------------------------------------

Result<network::InterfaceSpec, Failure> Ec2::make(const network::InterfaceRequest& request) {
  const Call call = call_for(request.account, request.region);
  NewInterface wanted{.subnet = request.subnet, .address = {}, .description = request.description, .type = request.type, .requester = request.requester,
                      .groups = request.groups, .wants_groups = request.wants_groups, .tags = {}};
  auto made = make_interface(networks, call, wanted);
  if (!made) {
    sync();
    return Err(Failure{fmt::format("{}: {}", made.error().code, made.error().message)});
  }
  networks.set_owner(*made->network_interface_id, request.owner, request.names);
  sync();
  return *networks.interface(*made->network_interface_id);
}

void Ec2::release(const std::string& account, const std::string& region, const std::string& id) {
  erase_record(call_for(account, region), "network-interface", id);
  sync();
}

Result<void, Failure> Ec2::set_groups(const std::string& account, const std::string& region, const std::string& id, const std::vector<std::string>& groups) {
  const Call call = call_for(account, region);
  auto one = find<model::NetworkInterface>(call, id);
  if (!one) return {};
  auto identifiers = group_identifiers(call, *one->vpc_id, groups);
  if (!identifiers) return Err(Failure{fmt::format("{}: {}", identifiers.error().code, identifiers.error().message)});
  one->groups = *std::move(identifiers);
  put(call, *one);
  sync();
  return {};
}

}  // namespace reef::service::ec2
