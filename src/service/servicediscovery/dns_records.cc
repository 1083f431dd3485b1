// What Route 53 holds for Cloud Map: a zone per DNS namespace, record sets and health checks per instance.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_RegisterInstance.html
#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "service/servicediscovery/cloud_map.h"
#include "wire/json.h"

namespace reef::service::servicediscovery {
namespace {

using wire::Json;

// The zone of balancers in us-east-1: aliases need one, and names tell where they lead.
constexpr std::string_view kBalancerZone = "Z35SXDOTRQ7X7K";

std::string attribute(const Instance& instance, std::string_view name) {
  const auto found = instance.attributes.find(name);
  return found == instance.attributes.end() ? std::string() : found->second;
}

Json records_of(std::initializer_list<std::string> values) {
  Json out = Json::array();
  for (const std::string& value : values) out.push_back(Json::object({{"Value", value}}));
  return out;
}

// The record sets that stand for an instance.
std::vector<Json> sets_of(const model::Service& service, const std::string& zone_name, const Instance& instance) {
  std::vector<Json> out;
  const std::string name = fmt::format("{}.{}.", *service.name, zone_name), own = fmt::format("{}.{}", instance.id, name);
  const std::string ipv4 = attribute(instance, "AWS_INSTANCE_IPV4"), ipv6 = attribute(instance, "AWS_INSTANCE_IPV6"), alias = attribute(instance, "AWS_ALIAS_DNS_NAME");
  const bool weighted = service.dns_config->routing_policy == "WEIGHTED";
  const auto add = [&](const std::string& type, std::int64_t ttl, Json values) {
    Json set = Json::object({{"Name", name}, {"Type", type}, {"SetIdentifier", instance.id}});
    if (weighted) set.set("Weight", 1);
    else set.set("MultiValueAnswer", true);
    if (values.is_array()) {
      set.set("TTL", ttl);
      set.set("ResourceRecords", std::move(values));
    } else {
      set.set("AliasTarget", std::move(values));
    }
    if (!instance.health_check.empty()) set.set("HealthCheckId", instance.health_check);
    out.push_back(std::move(set));
  };
  bool has_srv = false;
  for (const auto& record : service.dns_config->dns_records) {
    if (!alias.empty()) {
      if (record.type == "A" || record.type == "AAAA") add(record.type, record.ttl, Json::object({{"HostedZoneId", kBalancerZone}, {"DNSName", alias}, {"EvaluateTargetHealth", true}}));
    } else if (record.type == "A" && !ipv4.empty()) {
      add("A", record.ttl, records_of({ipv4}));
    } else if (record.type == "AAAA" && !ipv6.empty()) {
      add("AAAA", record.ttl, records_of({ipv6}));
    } else if (record.type == "CNAME") {
      add("CNAME", record.ttl, records_of({attribute(instance, "AWS_INSTANCE_CNAME")}));
    } else if (record.type == "SRV") {
      has_srv = true;
      add("SRV", record.ttl, records_of({fmt::format("1 1 {} {}", attribute(instance, "AWS_INSTANCE_PORT"), own)}));
    }
  }
  // What SRV records lead to.
  if (has_srv) {
    const std::int64_t ttl = service.dns_config->dns_records.front().ttl;
    if (!ipv4.empty()) out.push_back(Json::object({{"Name", own}, {"Type", "A"}, {"TTL", ttl}, {"ResourceRecords", records_of({ipv4})}}));
    if (!ipv6.empty()) out.push_back(Json::object({{"Name", own}, {"Type", "AAAA"}, {"TTL", ttl}, {"ResourceRecords", records_of({ipv6})}}));
  }
  return out;
}

// Zone id and name of a service with DNS; nothing for one without.
struct Zone {
  std::string id, name;
};
std::optional<Zone> zone_of(CloudMap& map, const Call& call, const model::Service& service) {
  if (!service.dns_config || service.dns_config->dns_records.empty()) return std::nullopt;
  const auto space = find_namespace(map, call, service.namespace_id.value_or(""));
  if (!space || !space->properties || !space->properties->dns_properties) return std::nullopt;
  return Zone{space->properties->dns_properties->hosted_zone_id.value_or(""), *space->name};
}

Task<Reply<void>> change(CloudMap& map, const Call& call, std::string zone, Json changes) {
  const Json input = Json::object({{"HostedZoneId", zone}, {"ChangeBatch", Json::object({{"Changes", std::move(changes)}})}});
  CO_TRY(co_await map.caller.invoke_json(call, "route53", "ChangeResourceRecordSets", input));
  co_return Reply<void>();
}

}  // namespace

Task<Reply<std::string>> create_zone(CloudMap& map, const Call& call, std::string name, std::string vpc, std::string description) {
  Json input = Json::object({{"Name", name}, {"CallerReference", make_uuid(thread_random())},
                             {"HostedZoneConfig", Json::object({{"Comment", description.empty() ? "Created by AWS Cloud Map namespace " + name : description}})}});
  if (!vpc.empty()) input.set("VPC", Json::object({{"VPCId", vpc}, {"VPCRegion", call.region}}));
  const Json out = CO_TRY(co_await map.caller.invoke_json(call, "route53", "CreateHostedZone", input));
  co_return out["HostedZone"].text("Id").substr(12);
}

Task<Reply<void>> delete_zone(CloudMap& map, const Call& call, std::string zone) {
  const auto out = co_await map.caller.invoke_json(call, "route53", "DeleteHostedZone", Json::object({{"Id", zone}}));
  if (!out && out.error().code != "NoSuchHostedZone") co_return std::unexpected(out.error());
  co_return Reply<void>();
}

Task<Reply<void>> set_soa_ttl(CloudMap& map, const Call& call, const model::Namespace& space, std::int64_t ttl) {
  const std::string zone = space.properties->dns_properties->hosted_zone_id.value_or(""), name = *space.name + ".";
  const Json listed = CO_TRY(co_await map.caller.invoke_json(
      call, "route53", "ListResourceRecordSets", Json::object({{"HostedZoneId", zone}, {"StartRecordName", name}, {"StartRecordType", "SOA"}, {"MaxItems", "1"}})));
  for (Json set : listed["ResourceRecordSets"].as_array())
    if (set.text("Type") == "SOA") {
      set.set("TTL", ttl);
      CO_TRY(co_await change(map, call, zone, Json::array({Json::object({{"Action", "UPSERT"}, {"ResourceRecordSet", std::move(set)}})})));
    }
  co_return Reply<void>();
}

Task<Reply<void>> put_records(CloudMap& map, const Call& call, const model::Service& service, const Instance& instance) {
  const auto zone = zone_of(map, call, service);
  if (!zone) co_return Reply<void>();
  Json changes = Json::array();
  for (Json& set : sets_of(service, zone->name, instance)) changes.push_back(Json::object({{"Action", "UPSERT"}, {"ResourceRecordSet", std::move(set)}}));
  if (changes.size() > 0) CO_TRY(co_await change(map, call, zone->id, std::move(changes)));
  co_return Reply<void>();
}

Task<Reply<void>> remove_records(CloudMap& map, const Call& call, const model::Service& service, const Instance& instance) {
  const auto zone = zone_of(map, call, service);
  if (!zone) co_return Reply<void>();
  for (Json& set : sets_of(service, zone->name, instance)) {
    const auto done = co_await change(map, call, zone->id, Json::array({Json::object({{"Action", "DELETE"}, {"ResourceRecordSet", std::move(set)}})}));
    // Not there any more is what was wanted.
    if (!done && done.error().code != "InvalidChangeBatch" && done.error().code != "NoSuchHostedZone") co_return std::unexpected(done.error());
  }
  co_return Reply<void>();
}

Task<Reply<std::string>> create_check(CloudMap& map, const Call& call, const model::Service& service, const Instance& instance) {
  const auto& config = *service.health_check_config;
  std::string port = attribute(instance, "AWS_INSTANCE_PORT");
  if (port.empty()) port = config.type == "HTTPS" ? "443" : "80";
  std::string address = attribute(instance, "AWS_INSTANCE_IPV4");
  if (address.empty()) address = attribute(instance, "AWS_INSTANCE_IPV6");
  Json check = Json::object({{"Type", config.type}, {"IPAddress", address}, {"Port", parse_int(port).value_or(80)}, {"RequestInterval", 30},
                             {"FailureThreshold", config.failure_threshold.value_or(1)}});
  if (config.resource_path && config.type != "TCP") check.set("ResourcePath", *config.resource_path);
  const Json out = CO_TRY(co_await map.caller.invoke_json(
      call, "route53", "CreateHealthCheck", Json::object({{"CallerReference", make_uuid(thread_random())}, {"HealthCheckConfig", std::move(check)}})));
  co_return out["HealthCheck"].text("Id");
}

Task<Reply<void>> delete_check(CloudMap& map, const Call& call, std::string id) {
  const auto out = co_await map.caller.invoke_json(call, "route53", "DeleteHealthCheck", Json::object({{"HealthCheckId", id}}));
  if (!out && out.error().code != "NoSuchHealthCheck") co_return std::unexpected(out.error());
  co_return Reply<void>();
}

}  // namespace reef::service::servicediscovery
