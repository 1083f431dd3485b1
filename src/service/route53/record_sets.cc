// One record set: what it may say, and its form in the naming engine.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "service/route53/geo.h"
#include "service/route53/route53.h"
#include "wire/dns.h"

namespace reef::service::route53 {
namespace {

namespace dns = wire::dns;

std::string where(const model::Change& change) {
  const auto& set = change.resource_record_set;
  return fmt::format("[Action={}, Name={}, Type={}, SetIdentifier={}]", change.action, set.name, set.type, set.set_identifier.value_or("null"));
}

aws::Error invalid(std::string text) { return {errors::kInvalidInput, "Invalid request: " + std::move(text)}; }

int policies_in(const model::ResourceRecordSet& set) {
  return set.weight.has_value() + set.region.has_value() + set.failover.has_value() + set.geo_location.has_value() + set.multi_value_answer.has_value() +
         set.cidr_routing_config.has_value() + set.geo_proximity_location.has_value();
}

}  // namespace

std::string_view policy_word(const model::ResourceRecordSet& set) {
  if (set.weight) return "weighted";
  if (set.region) return "latency";
  if (set.failover) return "failover";
  if (set.geo_location) return "geolocation";
  if (set.multi_value_answer) return "multivalue answer";
  return "";
}

Reply<void> check_shape(const model::Change& change) {
  const auto& set = change.resource_record_set;
  if (set.traffic_policy_instance_id || set.cidr_routing_config || set.geo_proximity_location)
    return Err(aws::Error("NotImplemented", "Record sets with a traffic policy instance, CIDR routing or geoproximity are not supported by this version of Atoll.", 501));
  const bool values = set.resource_records && !set.resource_records->empty();
  constexpr std::string_view kOne = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found {} in Change with {}";
  if (set.alias_target && (set.ttl || values)) return Err(invalid(fmt::format(kOne, "more than one", where(change))));
  if (!set.alias_target && (!set.ttl || !values)) {
    if (set.ttl && !values) return Err(invalid(fmt::format("Missing field 'ResourceRecords' in Change with {}", where(change))));
    if (!set.ttl && values) return Err(invalid(fmt::format("Missing field 'TTL' in Change with {}", where(change))));
    return Err(invalid(fmt::format(kOne, "none", where(change))));
  }
  if (const auto& place = set.geo_location; place && !find_place(place->continent_code.value_or(""), place->country_code.value_or(""), place->subdivision_code.value_or("")))
    return Err(invalid(fmt::format("The geolocation is not supported in Change with {}", where(change))));
  const int policies = policies_in(set);
  constexpr std::string_view kPolicies =
      "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, CidrRoutingConfig, or GeoProximityLocation], but found {} in Change with {}";
  if (policies > 1) return Err(invalid(fmt::format(kPolicies, "more than one", where(change))));
  if (policies == 1 && !set.set_identifier) return Err(invalid(fmt::format("Missing field 'SetIdentifier' in Change with {}", where(change))));
  if (policies == 0 && set.set_identifier) return Err(invalid(fmt::format(kPolicies, "none", where(change))));
  return {};
}

void check_values(const model::ResourceRecordSet& set, std::vector<std::string>& messages) {
  const auto type = dns::type_from_text(set.type);
  if (!type) {
    messages.push_back(fmt::format("Invalid request: the record type {} is not known", set.type));
    return;
  }
  if (set.alias_target) {
    if (!canonical_name(set.alias_target->dns_name)) messages.push_back(fmt::format("Invalid alias target: '{}'", set.alias_target->dns_name));
    if (set.type == "NS" || set.type == "SOA") messages.push_back(fmt::format("RRSet of type {} with DNS name {} cannot be an alias", set.type, set.name));
    return;
  }
  std::set<std::string> seen;
  for (const auto& record : *set.resource_records) {
    dns::ValueError error;
    const auto value = dns::encode_value(*type, record.value, error);
    if (!value) messages.push_back(error.message);
    else if (!seen.insert(*value).second) messages.push_back(fmt::format("Duplicate Resource Record: '{}'", record.value));
  }
  if ((set.type == "CNAME" || set.type == "SOA") && set.resource_records->size() > 1)
    messages.push_back(fmt::format("RRSet of type {} with DNS name {} may contain only one Resource Record.", set.type, set.name));
}

naming::RecordSet to_engine(const model::ResourceRecordSet& set) {
  naming::RecordSet out;
  out.name = dns::name_from_text(set.name).value_or(std::string(1, '\0'));
  const auto type = dns::type_from_text(set.type);
  out.type = type.value_or(static_cast<dns::Type>(0));
  out.ttl = static_cast<std::uint32_t>(set.ttl.value_or(60));
  out.id = set.set_identifier.value_or("");
  if (set.resource_records && type)
    for (const auto& record : *set.resource_records) {
      dns::ValueError error;
      if (auto value = dns::encode_value(*type, record.value, error)) out.values.push_back(*std::move(value));
    }
  if (set.alias_target)
    out.alias = naming::Alias{.name = dns::name_from_text(set.alias_target->dns_name).value_or(""), .evaluate_health = set.alias_target->evaluate_target_health};
  out.health_check = set.health_check_id.value_or("");
  using enum naming::Policy;
  if (set.weight) out.policy = kWeighted, out.weight = static_cast<std::uint32_t>(*set.weight);
  else if (set.failover) out.policy = kFailover, out.is_primary = *set.failover == "PRIMARY";
  else if (set.multi_value_answer == true) out.policy = kMultivalue;
  else if (set.region) out.policy = kLatency, out.region = *set.region;
  else if (set.geo_location) {
    out.policy = kGeolocation;
    out.location = {.continent = set.geo_location->continent_code.value_or(""), .country = set.geo_location->country_code.value_or(""),
                    .subdivision = set.geo_location->subdivision_code.value_or("")};
  }
  return out;
}

}  // namespace reef::service::route53
