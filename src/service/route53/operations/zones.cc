// https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html and what else is about hosted zones.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/route53/route53.h"

namespace reef::service::route53::operations {
namespace {

constexpr std::size_t kPageMax = 100, kZonesMax = 500, kVpcsMax = 300;

model::HostedZone shown(const Route53& route53, const StoredZone& zone) {
  model::HostedZone out = zone.zone;
  out.resource_record_set_count = static_cast<std::int64_t>(route53.set_count(zone.id()));
  return out;
}

void put_default_sets(Route53& route53, const StoredZone& zone) {
  model::ResourceRecordSet servers{.name = zone.zone.name, .type = "NS"};
  servers.ttl = 172800;
  servers.resource_records.emplace();
  for (const std::string& server : zone.name_servers) servers.resource_records->push_back({.value = server + "."});
  route53.put_set(zone, set_key(servers), servers);
  model::ResourceRecordSet soa{.name = zone.zone.name, .type = "SOA"};
  soa.ttl = 900;
  soa.resource_records.emplace();
  soa.resource_records->push_back({.value = fmt::format("{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", zone.name_servers.front())});
  route53.put_set(zone, set_key(soa), soa);
}

Reply<void> check_vpc(const model::VPC& vpc) {
  if (!vpc.vpc_id || !vpc.vpc_id->starts_with("vpc-"))
    return Err(aws::Error(errors::kInvalidVPCId, fmt::format("The VPC ID that you specified, {}, is not valid.", vpc.vpc_id.value_or("(none)"))));
  return {};
}

Reply<std::size_t> page_size(const std::optional<std::string>& given) {
  if (!given) return kPageMax;
  const auto size = parse_int<std::size_t>(*given);
  if (!size || *size == 0) return Err(aws::Error(errors::kInvalidInput, "The maxitems parameter must be a number of 1 or more."));
  return std::min(*size, kPageMax);
}

bool same_vpc(const model::VPC& a, const model::VPC& b) { return a.vpc_id == b.vpc_id; }

}  // namespace

Task<Reply<model::CreateHostedZoneOutput>> CreateHostedZone(Route53& route53, const model::CreateHostedZoneInput& in, const Call& call) {
  const auto name = canonical_name(in.name);
  if (!name || *name == ".") co_return Err(aws::Error(errors::kInvalidDomainName, fmt::format("{} is not a valid domain name.", in.name)));
  const auto existing = route53.load_zones(call.account);
  if (existing.size() >= kZonesMax)
    co_return Err(aws::Error(errors::kTooManyHostedZones, "You have reached the limit of 500 hosted zones."));
  for (const StoredZone& one : existing)
    if (one.zone.caller_reference == in.caller_reference)
      co_return Err(aws::Error(errors::kHostedZoneAlreadyExists, fmt::format("A hosted zone has already been created with the specified caller reference.")));
  StoredZone made;
  made.account = call.account;
  made.zone = {.id = make_id("/hostedzone/Z", 20), .name = *name, .caller_reference = in.caller_reference};
  made.zone.config = model::HostedZoneConfig{.comment = in.hosted_zone_config ? in.hosted_zone_config->comment : std::nullopt, .private_zone = in.vpc.has_value()};
  if (in.hosted_zone_config && in.hosted_zone_config->private_zone == true && !in.vpc)
    co_return Err(aws::Error(errors::kInvalidInput, "When you're creating a private hosted zone, you must specify a VPC."));
  if (in.vpc) {
    CO_TRY(check_vpc(*in.vpc));
    for (const StoredZone& one : existing)
      if (one.is_private() && one.zone.name == *name && std::any_of(one.vpcs.begin(), one.vpcs.end(), [&](const auto& vpc) { return same_vpc(vpc, *in.vpc); }))
        co_return Err(aws::Error(errors::kConflictingDomainExists, fmt::format("The VPC {} in region {} has already been associated with the hosted zone {} with the same domain name.",
                                                                               *in.vpc->vpc_id, in.vpc->vpc_region.value_or(""), one.id())));
    made.vpcs.push_back(*in.vpc);
    made.name_servers = {"ns-0.awsdns-00.com", "ns-512.awsdns-00.net", "ns-1024.awsdns-00.org", "ns-1536.awsdns-00.co.uk"};
  } else if (in.delegation_set_id) {
    const auto servers = delegation_servers(route53, call, *in.delegation_set_id);
    if (!servers) co_return Err(aws::Error(errors::kNoSuchDelegationSet, "The specified delegation set does not exist."));
    made.name_servers = *servers;
    made.delegation_set = bare_id(*in.delegation_set_id);
  } else {
    made.name_servers = make_name_servers();
  }
  route53.save_zone(made);
  put_default_sets(route53, made);
  route53.publish();
  co_await route53.committed();
  model::CreateHostedZoneOutput out;
  out.hosted_zone = shown(route53, made);
  out.change_info = make_change(call);
  out.delegation_set.name_servers = made.name_servers;
  if (!made.delegation_set.empty()) out.delegation_set.id = "/delegationset/" + made.delegation_set;
  out.vpc = in.vpc;
  out.location = fmt::format("https://route53.amazonaws.com/2013-04-01/hostedzone/{}", made.id());
  co_return out;
}

Task<Reply<model::GetHostedZoneOutput>> GetHostedZone(Route53& route53, const model::GetHostedZoneInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.id));
  model::GetHostedZoneOutput out;
  out.hosted_zone = zone.zone;
  if (zone.is_private()) {
    out.vpcs = zone.vpcs;
  } else {
    out.delegation_set.emplace().name_servers = zone.name_servers;
    if (!zone.delegation_set.empty()) out.delegation_set->id = "/delegationset/" + zone.delegation_set;
  }
  co_return out;
}

Task<Reply<model::ListHostedZonesOutput>> ListHostedZones(Route53& route53, const model::ListHostedZonesInput& in, const Call& call) {
  auto all = route53.load_zones(call.account);
  if (in.delegation_set_id) std::erase_if(all, [&](const StoredZone& one) { return one.delegation_set != bare_id(*in.delegation_set_id); });
  if (in.hosted_zone_type == "PrivateHostedZone") std::erase_if(all, [](const StoredZone& one) { return !one.is_private(); });
  const std::size_t size = CO_TRY(page_size(in.max_items));
  model::ListHostedZonesOutput out;
  out.marker = in.marker.value_or("");
  out.max_items = std::to_string(size);
  for (const StoredZone& one : all) {
    if (in.marker && one.id() < bare_id(*in.marker)) continue;
    if (out.hosted_zones.size() == size) {
      out.is_truncated = true;
      out.next_marker = one.id();
      break;
    }
    out.hosted_zones.push_back(one.zone);
  }
  co_return out;
}

Task<Reply<model::ListHostedZonesByNameOutput>> ListHostedZonesByName(Route53& route53, const model::ListHostedZonesByNameInput& in, const Call& call) {
  if (in.hosted_zone_id && !in.dns_name) co_return Err(aws::Error(errors::kInvalidInput, "If you specify hostedzoneid, you must also specify dnsname."));
  auto all = route53.load_zones(call.account);
  const auto order = [](const StoredZone& zone) { return std::pair(reversed_name(zone.zone.name), zone.id()); };
  std::sort(all.begin(), all.end(), [&](const StoredZone& a, const StoredZone& b) { return order(a) < order(b); });
  const std::size_t size = CO_TRY(page_size(in.max_items));
  model::ListHostedZonesByNameOutput out;
  out.dns_name = in.dns_name;
  out.hosted_zone_id = in.hosted_zone_id;
  out.max_items = std::to_string(size);
  std::pair<std::string, std::string> from;
  if (in.dns_name) {
    const auto name = canonical_name(*in.dns_name);
    if (!name) co_return Err(aws::Error(errors::kInvalidDomainName, fmt::format("{} is not a valid domain name.", *in.dns_name)));
    from = {reversed_name(*name), in.hosted_zone_id ? std::string(bare_id(*in.hosted_zone_id)) : std::string()};
  }
  for (const StoredZone& one : all) {
    if (order(one) < from) continue;
    if (out.hosted_zones.size() == size) {
      out.is_truncated = true;
      out.next_dns_name = one.zone.name;
      out.next_hosted_zone_id = one.id();
      break;
    }
    out.hosted_zones.push_back(one.zone);
  }
  co_return out;
}

Task<Reply<model::ListHostedZonesByVPCOutput>> ListHostedZonesByVPC(Route53& route53, const model::ListHostedZonesByVPCInput& in, const Call& call) {
  const std::size_t size = CO_TRY(page_size(in.max_items));
  model::ListHostedZonesByVPCOutput out;
  out.max_items = std::to_string(size);
  for (const StoredZone& one : route53.load_zones(call.account)) {
    if (!std::any_of(one.vpcs.begin(), one.vpcs.end(), [&](const auto& vpc) { return vpc.vpc_id == in.vpc_id; })) continue;
    if (in.next_token && one.id() < *in.next_token) continue;
    if (out.hosted_zone_summaries.size() == size) {
      out.next_token = one.id();
      break;
    }
    model::HostedZoneOwner owner;
    if (one.zone.linked_service) owner.owning_service = one.zone.linked_service->service_principal;
    else owner.owning_account = one.account;
    out.hosted_zone_summaries.push_back({.hosted_zone_id = one.id(), .name = one.zone.name, .owner = owner});
  }
  co_return out;
}

Task<Reply<model::GetHostedZoneCountOutput>> GetHostedZoneCount(Route53& route53, const model::GetHostedZoneCountInput&, const Call& call) {
  co_return model::GetHostedZoneCountOutput{.hosted_zone_count = static_cast<std::int64_t>(route53.load_zones(call.account).size())};
}

Task<Reply<model::DeleteHostedZoneOutput>> DeleteHostedZone(Route53& route53, const model::DeleteHostedZoneInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.id));
  // Those of the apex that every zone has.
  std::size_t required = 0;
  for (const std::string_view type : {"NS", "SOA"}) required += route53.load_set(zone.id(), fmt::format("{} {} ", reversed_name(zone.zone.name), type)).has_value();
  if (route53.set_count(zone.id()) > required)
    co_return Err(aws::Error(errors::kHostedZoneNotEmpty, "The specified hosted zone contains non-required resource record sets  and so cannot be deleted."));
  forget_tags(route53, call, "hostedzone", zone.id());
  route53.erase_zone(zone);
  co_await route53.committed();
  co_return model::DeleteHostedZoneOutput{.change_info = make_change(call)};
}

Task<Reply<model::UpdateHostedZoneCommentOutput>> UpdateHostedZoneComment(Route53& route53, const model::UpdateHostedZoneCommentInput& in, const Call& call) {
  StoredZone zone = CO_TRY(find_zone(route53, call, in.id));
  zone.zone.config->comment = in.comment;
  route53.save_zone(zone);
  co_await route53.committed();
  co_return model::UpdateHostedZoneCommentOutput{.hosted_zone = shown(route53, zone)};
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_AssociateVPCWithHostedZone.html
Task<Reply<model::AssociateVPCWithHostedZoneOutput>> AssociateVPCWithHostedZone(Route53& route53, const model::AssociateVPCWithHostedZoneInput& in, const Call& call) {
  auto zone = route53.load_zone(bare_id(in.hosted_zone_id));
  const bool authorized = zone && std::any_of(zone->authorized.begin(), zone->authorized.end(), [&](const auto& vpc) { return same_vpc(vpc, in.vpc); });
  if (!zone || (zone->account != call.account && !authorized))
    co_return Err(aws::Error(errors::kNoSuchHostedZone, fmt::format("No hosted zone found with ID: {}", bare_id(in.hosted_zone_id))));
  if (!zone->is_private())
    co_return Err(aws::Error(errors::kPublicZoneVPCAssociation, "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't support associating a VPC with a public hosted zone."));
  CO_TRY(check_vpc(in.vpc));
  if (std::any_of(zone->vpcs.begin(), zone->vpcs.end(), [&](const auto& vpc) { return same_vpc(vpc, in.vpc); }))
    co_return Err(aws::Error(errors::kConflictingDomainExists, fmt::format("The VPC {} in region {} has already been associated with the hosted zone {} with the same domain name.",
                                                                           *in.vpc.vpc_id, in.vpc.vpc_region.value_or(""), zone->id())));
  if (zone->vpcs.size() >= kVpcsMax) co_return Err(aws::Error(errors::kLimitsExceeded, "The hosted zone is associated with the maximum number of VPCs."));
  zone->vpcs.push_back(in.vpc);
  route53.save_zone(*zone);
  route53.publish();
  co_await route53.committed();
  co_return model::AssociateVPCWithHostedZoneOutput{.change_info = make_change(call, in.comment)};
}

Task<Reply<model::DisassociateVPCFromHostedZoneOutput>> DisassociateVPCFromHostedZone(Route53& route53, const model::DisassociateVPCFromHostedZoneInput& in, const Call& call) {
  StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  const auto found = std::find_if(zone.vpcs.begin(), zone.vpcs.end(), [&](const auto& vpc) { return same_vpc(vpc, in.vpc); });
  if (found == zone.vpcs.end())
    co_return Err(aws::Error(errors::kVPCAssociationNotFound, fmt::format("The VPC: {} and hosted zone: {} that you specified are not currently associated.", in.vpc.vpc_id.value_or(""), zone.id())));
  if (zone.vpcs.size() == 1)
    co_return Err(aws::Error(errors::kLastVPCAssociation, "The VPC that you're trying to disassociate from the private hosted zone is the last VPC that is associated with the hosted zone."));
  zone.vpcs.erase(found);
  route53.save_zone(zone);
  route53.publish();
  co_await route53.committed();
  co_return model::DisassociateVPCFromHostedZoneOutput{.change_info = make_change(call, in.comment)};
}

Task<Reply<model::CreateVPCAssociationAuthorizationOutput>> CreateVPCAssociationAuthorization(Route53& route53, const model::CreateVPCAssociationAuthorizationInput& in, const Call& call) {
  StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  CO_TRY(check_vpc(in.vpc));
  if (!std::any_of(zone.authorized.begin(), zone.authorized.end(), [&](const auto& vpc) { return same_vpc(vpc, in.vpc); })) zone.authorized.push_back(in.vpc);
  route53.save_zone(zone);
  co_await route53.committed();
  co_return model::CreateVPCAssociationAuthorizationOutput{.hosted_zone_id = zone.id(), .vpc = in.vpc};
}

Task<Reply<model::DeleteVPCAssociationAuthorizationOutput>> DeleteVPCAssociationAuthorization(Route53& route53, const model::DeleteVPCAssociationAuthorizationInput& in, const Call& call) {
  StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  if (std::erase_if(zone.authorized, [&](const auto& vpc) { return same_vpc(vpc, in.vpc); }) == 0)
    co_return Err(aws::Error(errors::kVPCAssociationAuthorizationNotFound, "The VPC that you specified is not authorized to be associated with the hosted zone."));
  route53.save_zone(zone);
  co_await route53.committed();
  co_return model::DeleteVPCAssociationAuthorizationOutput{};
}

Task<Reply<model::ListVPCAssociationAuthorizationsOutput>> ListVPCAssociationAuthorizations(Route53& route53, const model::ListVPCAssociationAuthorizationsInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  co_return model::ListVPCAssociationAuthorizationsOutput{.hosted_zone_id = zone.id(), .next_token = {}, .vpcs = zone.authorized};
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZoneLimit.html
Task<Reply<model::GetHostedZoneLimitOutput>> GetHostedZoneLimit(Route53& route53, const model::GetHostedZoneLimitInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  const bool sets = in.type == "MAX_RRSETS_BY_ZONE";
  if (!sets && !zone.is_private()) co_return Err(aws::Error(errors::kHostedZoneNotPrivate, "The specified hosted zone is a public hosted zone, not a private hosted zone."));
  co_return model::GetHostedZoneLimitOutput{.limit = {.type = in.type, .value = static_cast<std::int64_t>(sets ? kSetsMax : kVpcsMax)},
                                            .count = static_cast<std::int64_t>(sets ? route53.set_count(zone.id()) : zone.vpcs.size())};
}

Task<Reply<model::GetAccountLimitOutput>> GetAccountLimit(Route53& route53, const model::GetAccountLimitInput& in, const Call& call) {
  const auto count = [&](std::string_view prefix) {
    std::int64_t n = 0;
    route53.shard().records().scan(fmt::format("{}{}/", prefix, call.account), [&](std::string_view, const std::string&) { return ++n, true; });
    return n;
  };
  model::GetAccountLimitOutput out;
  out.limit.type = in.type;
  if (in.type == "MAX_HOSTED_ZONES_BY_OWNER") out.limit.value = kZonesMax, out.count = static_cast<std::int64_t>(route53.load_zones(call.account).size());
  else if (in.type == "MAX_HEALTH_CHECKS_BY_OWNER") out.limit.value = 200, out.count = count("route53/health/");
  else if (in.type == "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER") out.limit.value = 100, out.count = count("route53/delegation/");
  else out.limit.value = in.type == "MAX_TRAFFIC_POLICIES_BY_OWNER" ? 50 : 5;
  co_return out;
}

// Zones here are not signed.
Task<Reply<model::GetDNSSECOutput>> GetDNSSEC(Route53& route53, const model::GetDNSSECInput& in, const Call& call) {
  CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  co_return model::GetDNSSECOutput{.status = {.serve_signature = "NOT_SIGNING", .status_message = {}}, .key_signing_keys = {}};
}

}  // namespace reef::service::route53::operations
