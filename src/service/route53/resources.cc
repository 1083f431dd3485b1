// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Route53.html
#include <algorithm>

#include <fmt/format.h>

#include "aws/loose_values.h"
#include "aws/resource.h"
#include "base/text.h"
#include "service/route53/route53.h"
#include "wire/json.h"

namespace reef::service::route53::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> invoke(const ResourceContext& context, std::string_view operation, Json input) {
  co_return co_await aws::call_operation(context, "route53", operation, aws::fit_to_operation(aws::route53::kModel, operation, std::move(input)));
}

Task<aws::Reply<void>> change_tags(const ResourceContext& context, std::string type, std::string id, Json before, Json after) {
  Json gone = Json::array();
  for (const Json& old : before.as_array()) {
    bool kept = false;
    for (const Json& tag : after.as_array()) kept = kept || tag.text("Key") == old.text("Key");
    if (!kept) gone.push_back(old.text("Key"));
  }
  Json input = Json::object({{"ResourceType", type}, {"ResourceId", id}});
  if (after.size() > 0) input.set("AddTags", after);
  if (gone.size() > 0) input.set("RemoveTagKeys", std::move(gone));
  if (input.size() > 2) CO_TRY(co_await invoke(context, "ChangeTagsForResource", std::move(input)));
  co_return aws::Reply<void>();
}

// --- AWS::Route53::HostedZone ---------------------------------------------------------------------------------------

Json vpc_of(const Json& vpc) { return Json::object({{"VPCId", vpc["VPCId"]}, {"VPCRegion", vpc["VPCRegion"]}}); }

Task<aws::Reply<ResourceState>> zone_state(const ResourceContext& context, std::string id) {
  const Json out = CO_TRY(co_await invoke(context, "GetHostedZone", Json::object({{"Id", id}})));
  Json servers = Json::array();
  for (const Json& server : out["DelegationSet"]["NameServers"].as_array()) servers.push_back(server);
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}, {"NameServers", std::move(servers)}})};
}

Task<aws::Reply<ResourceState>> create_zone(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"Name", properties["Name"]}, {"CallerReference", context.generated_name(64)}});
  if (const Json* config = properties.find("HostedZoneConfig")) input.set("HostedZoneConfig", Json::object({{"Comment", (*config)["Comment"]}}));
  const auto& vpcs = properties["VPCs"].as_array();
  if (!vpcs.empty()) input.set("VPC", vpc_of(vpcs[0]));
  const Json out = CO_TRY(co_await invoke(context, "CreateHostedZone", std::move(input)));
  const std::string id(bare_id(out["HostedZone"].text("Id")));
  for (std::size_t i = 1; i < vpcs.size(); ++i)
    CO_TRY(co_await invoke(context, "AssociateVPCWithHostedZone", Json::object({{"HostedZoneId", id}, {"VPC", vpc_of(vpcs[i])}})));
  CO_TRY(co_await change_tags(context, "hostedzone", id, Json(), properties["HostedZoneTags"]));
  co_return co_await zone_state(context, id);
}

Task<aws::Reply<ResourceState>> update_zone(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string id = current.physical_id;
  if (before["HostedZoneConfig"] != after["HostedZoneConfig"])
    CO_TRY(co_await invoke(context, "UpdateHostedZoneComment", Json::object({{"Id", id}, {"Comment", after["HostedZoneConfig"].text("Comment")}})));
  const auto has = [](const Json& list, const Json& vpc) {
    return std::any_of(list.as_array().begin(), list.as_array().end(), [&](const Json& one) { return one["VPCId"] == vpc["VPCId"]; });
  };
  for (const Json& vpc : after["VPCs"].as_array())
    if (!has(before["VPCs"], vpc)) CO_TRY(co_await invoke(context, "AssociateVPCWithHostedZone", Json::object({{"HostedZoneId", id}, {"VPC", vpc_of(vpc)}})));
  for (const Json& vpc : before["VPCs"].as_array())
    if (!has(after["VPCs"], vpc)) CO_TRY(co_await invoke(context, "DisassociateVPCFromHostedZone", Json::object({{"HostedZoneId", id}, {"VPC", vpc_of(vpc)}})));
  CO_TRY(co_await change_tags(context, "hostedzone", id, before["HostedZoneTags"], after["HostedZoneTags"]));
  co_return co_await zone_state(context, id);
}

Task<aws::Reply<void>> remove_zone(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "route53", "DeleteHostedZone", Json::object({{"Id", current.physical_id}}), "NoSuchHostedZone");
}

// --- AWS::Route53::RecordSet and RecordSetGroup ---------------------------------------------------------------------

// The zone that a record set's HostedZoneId or HostedZoneName names.
Task<aws::Reply<std::string>> zone_of(const ResourceContext& context, Json properties) {
  if (properties.contains("HostedZoneId")) co_return std::string(bare_id(properties.text("HostedZoneId")));
  const std::string name = canonical_name(properties.text("HostedZoneName")).value_or("");
  const Json out = CO_TRY(co_await invoke(context, "ListHostedZonesByName", Json::object({{"DNSName", name}, {"MaxItems", "2"}})));
  std::vector<std::string> found;
  for (const Json& zone : out["HostedZones"].as_array())
    if (zone.text("Name") == name) found.emplace_back(bare_id(zone.text("Id")));
  if (found.size() > 1) co_return Err(aws::Error("InvalidRequest", fmt::format("Found multiple hosted zones with the name {}: give HostedZoneId.", name), 400));
  if (found.empty()) co_return Err(aws::Error("InvalidRequest", fmt::format("No hosted zones named {} found", name), 400));
  co_return found[0];
}

// A template's record set as the API takes it.
Json set_of(const Json& properties) {
  Json out = Json::object();
  for (const std::string_view name : {"Name", "Type", "SetIdentifier", "Region", "Failover", "GeoLocation", "HealthCheckId", "CidrRoutingConfig", "GeoProximityLocation",
                                      "TTL", "Weight", "MultiValueAnswer"})
    if (const Json* value = properties.find(name)) out.set(name, *value);
  if (const Json* records = properties.find("ResourceRecords")) {
    Json& list = out.set("ResourceRecords", Json::array());
    for (const Json& record : records->as_array()) list.push_back(Json::object({{"Value", record.scalar_text().value_or("")}}));
  }
  if (const Json* alias = properties.find("AliasTarget"))
    out.set("AliasTarget", Json::object({{"HostedZoneId", std::string(bare_id(alias->text("HostedZoneId")))}, {"DNSName", (*alias)["DNSName"]},
                                         {"EvaluateTargetHealth", alias->contains("EvaluateTargetHealth") ? (*alias)["EvaluateTargetHealth"] : Json(false)}}));
  return out;
}

std::string identity_of(const Json& set) {
  return fmt::format("{} {} {}", canonical_name(set.text("Name")).value_or(""), set.text("Type"), set.text("SetIdentifier"));
}

Task<aws::Reply<void>> change_sets(const ResourceContext& context, std::string zone, Json changes) {
  if (changes.size() > 0)
    CO_TRY(co_await invoke(context, "ChangeResourceRecordSets", Json::object({{"HostedZoneId", zone}, {"ChangeBatch", Json::object({{"Changes", std::move(changes)}})}})));
  co_return aws::Reply<void>();
}

// The set of that identity as the zone holds it now; null when it is gone.
Task<aws::Reply<Json>> current_set(const ResourceContext& context, std::string zone, Json wanted) {
  Json input = Json::object({{"HostedZoneId", zone}, {"StartRecordName", wanted["Name"]}, {"StartRecordType", wanted["Type"]}, {"MaxItems", "1"}});
  if (wanted.contains("SetIdentifier")) input.set("StartRecordIdentifier", wanted["SetIdentifier"]);
  const Json out = CO_TRY(co_await invoke(context, "ListResourceRecordSets", std::move(input)));
  for (const Json& set : out["ResourceRecordSets"].as_array())
    if (identity_of(set) == identity_of(wanted)) co_return set;
  co_return Json();
}

Json change(std::string_view action, Json set) { return Json::object({{"Action", action}, {"ResourceRecordSet", std::move(set)}}); }

// Brings the zone from one list of sets to the other, in one batch.
Task<aws::Reply<void>> move_sets(const ResourceContext& context, std::string zone, std::vector<Json> before, std::vector<Json> after) {
  Json changes = Json::array();
  for (const Json& old : before) {
    if (std::any_of(after.begin(), after.end(), [&](const Json& one) { return identity_of(one) == identity_of(old); })) continue;
    Json gone = CO_TRY(co_await current_set(context, zone, old));
    if (!gone.is_null()) changes.push_back(change("DELETE", std::move(gone)));
  }
  for (const Json& set : after) {
    const bool was = std::any_of(before.begin(), before.end(), [&](const Json& one) { return identity_of(one) == identity_of(set); });
    changes.push_back(change(was ? "UPSERT" : "CREATE", set));
  }
  co_return co_await change_sets(context, zone, std::move(changes));
}

std::vector<Json> sets_of(const Json& properties, bool group) {
  if (!group) return {set_of(properties)};
  std::vector<Json> out;
  for (const Json& one : properties["RecordSets"].as_array()) out.push_back(set_of(one));
  return out;
}

Task<aws::Reply<void>> remove_sets(const ResourceContext& context, const Json& properties, bool group) {
  const auto zone = co_await zone_of(context, properties);
  if (!zone) co_return aws::Reply<void>();  // gone with its zone
  const auto done = co_await move_sets(context, *zone, sets_of(properties, group), {});
  if (!done && done.error().code != "NoSuchHostedZone") co_return std::unexpected(done.error());
  co_return aws::Reply<void>();
}

std::string shown_name(const Json& properties) {
  std::string name = properties.text("Name");
  if (name.ends_with('.')) name.pop_back();
  return name;
}

Task<aws::Reply<ResourceState>> create_set(const ResourceContext& context, const Json& properties) {
  const std::string zone = CO_TRY(co_await zone_of(context, properties));
  CO_TRY(co_await move_sets(context, zone, {}, sets_of(properties, false)));
  co_return ResourceState{.physical_id = shown_name(properties), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_set(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string zone = CO_TRY(co_await zone_of(context, after));
  CO_TRY(co_await move_sets(context, zone, sets_of(before, false), sets_of(after, false)));
  co_return current;
}
Task<aws::Reply<void>> remove_set(const ResourceContext& context, const ResourceState&, const Json& properties) { return remove_sets(context, properties, false); }

Task<aws::Reply<ResourceState>> create_group(const ResourceContext& context, const Json& properties) {
  const std::string zone = CO_TRY(co_await zone_of(context, properties));
  CO_TRY(co_await move_sets(context, zone, {}, sets_of(properties, true)));
  const std::string id = context.generated_name(64);
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<ResourceState>> update_group(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string zone = CO_TRY(co_await zone_of(context, after));
  CO_TRY(co_await move_sets(context, zone, sets_of(before, true), sets_of(after, true)));
  co_return current;
}
Task<aws::Reply<void>> remove_group(const ResourceContext& context, const ResourceState&, const Json& properties) { return remove_sets(context, properties, true); }

// --- AWS::Route53::HealthCheck --------------------------------------------------------------------------------------

Json health_config(const Json& properties) {
  Json out = Json::object();
  for (const auto& [name, value] : properties["HealthCheckConfig"].as_object()) out.set(name, value);
  return out;
}

ResourceState health_state(const std::string& id) { return {.physical_id = id, .attributes = Json::object({{"HealthCheckId", id}})}; }

Task<aws::Reply<ResourceState>> make_health(const ResourceContext& context, Json properties, std::string reference) {
  const Json out = CO_TRY(co_await invoke(context, "CreateHealthCheck", Json::object({{"CallerReference", std::move(reference)}, {"HealthCheckConfig", health_config(properties)}})));
  const std::string id = out["HealthCheck"].text("Id");
  CO_TRY(co_await change_tags(context, "healthcheck", id, Json(), properties["HealthCheckTags"]));
  co_return health_state(id);
}

Task<aws::Reply<ResourceState>> create_health(const ResourceContext& context, const Json& properties) {
  return make_health(context, properties, context.generated_name(64));
}

Task<aws::Reply<ResourceState>> update_health(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const Json was = health_config(before), now = health_config(after);
  Json input = now;
  input.set("HealthCheckId", current.physical_id);
  // What cannot be changed makes another one.
  for (const std::string_view fixed : {"Type", "RequestInterval", "MeasureLatency"}) {
    if (was[fixed] != now[fixed]) {
      ResourceState made = CO_TRY(co_await make_health(context, after, make_id("replaced-", 20)));
      CO_TRY(co_await aws::call_unless_gone(context, "route53", "DeleteHealthCheck", Json::object({{"HealthCheckId", current.physical_id}}), "NoSuchHealthCheck"));
      co_return made;
    }
    input.erase(fixed);
  }
  Json reset = Json::array();
  for (const std::string_view name : {"FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks"})
    if (was.contains(name) && !now.contains(name)) reset.push_back(name);
  if (reset.size() > 0) input.set("ResetElements", std::move(reset));
  if (was != now) CO_TRY(co_await invoke(context, "UpdateHealthCheck", std::move(input)));
  CO_TRY(co_await change_tags(context, "healthcheck", current.physical_id, before["HealthCheckTags"], after["HealthCheckTags"]));
  co_return health_state(current.physical_id);
}

Task<aws::Reply<void>> remove_health(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "route53", "DeleteHealthCheck", Json::object({{"HealthCheckId", current.physical_id}}), "NoSuchHealthCheck");
}

}  // namespace

const aws::ResourceType kHostedZone{
    .name = "AWS::Route53::HostedZone",
    .properties = {{"HostedZoneConfig"}, {"HostedZoneTags"}, {"Name", OnChange::kReplace, true}, {"VPCs"}},
    .create = create_zone, .update = update_zone, .remove = remove_zone};
const aws::ResourceType kRecordSet{
    .name = "AWS::Route53::RecordSet",
    .properties = {{"AliasTarget"}, {"Comment"}, {"Failover"}, {"GeoLocation"}, {"HealthCheckId"}, {"HostedZoneId", OnChange::kReplace},
                   {"HostedZoneName", OnChange::kReplace}, {"MultiValueAnswer"}, {"Name", OnChange::kReplace, true}, {"Region"}, {"ResourceRecords"},
                   {"SetIdentifier"}, {"TTL"}, {"Type", OnChange::kUpdate, true}, {"Weight"}},
    .create = create_set, .update = update_set, .remove = remove_set};
const aws::ResourceType kRecordSetGroup{
    .name = "AWS::Route53::RecordSetGroup",
    .properties = {{"Comment"}, {"HostedZoneId", OnChange::kReplace}, {"HostedZoneName", OnChange::kReplace}, {"RecordSets"}},
    .create = create_group, .update = update_group, .remove = remove_group};
const aws::ResourceType kHealthCheck{
    .name = "AWS::Route53::HealthCheck",
    .properties = {{"HealthCheckConfig", OnChange::kUpdate, true}, {"HealthCheckTags"}},
    .create = create_health, .update = update_health, .remove = remove_health};

}  // namespace reef::service::route53::resources
