// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html, and reusable delegation sets.
#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "service/route53/route53.h"
#include "wire/json.h"

namespace reef::service::route53::operations {
namespace {

using wire::Json;

Reply<void> check_resource(const Route53& route53, const Call& call, std::string_view type, std::string_view id) {
  if (type == "healthcheck") {
    if (!health_check_exists(route53, call.account, id)) return Err(aws::Error(errors::kNoSuchHealthCheck, fmt::format("A health check with id {} does not exist.", id)));
    return {};
  }
  TRY(find_zone(route53, call, id));
  return {};
}

Json load_tags(const Route53& route53, const Call& call, std::string_view type, std::string_view id) {
  const std::string* text = route53.shard().records().find(tags_key(call, type, id));
  auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  return json ? *std::move(json) : Json::object();
}

model::ResourceTagSet tag_set(const Route53& route53, const Call& call, const std::string& type, const std::string& id) {
  model::ResourceTagSet out;
  out.resource_type = type;
  out.resource_id = id;
  out.tags.emplace();
  const Json tags = load_tags(route53, call, type, id);
  for (const auto& [key, value] : tags.as_object()) out.tags->push_back({.key = key, .value = value.as_string()});
  return out;
}

model::DelegationSet delegation_set(std::string_view id, const Json& stored) {
  model::DelegationSet out;
  out.id = fmt::format("/delegationset/{}", id);
  out.caller_reference = stored.text("reference");
  for (const Json& server : stored["servers"].as_array()) out.name_servers.push_back(server.as_string());
  return out;
}

Reply<model::DelegationSet> find_delegation(const Route53& route53, const Call& call, std::string_view id) {
  const std::string* text = route53.shard().records().find(delegation_key(call.account, id));
  const auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  if (!json) return Err(aws::Error(errors::kNoSuchDelegationSet, fmt::format("No reusable delegation set found with ID: {}", bare_id(id))));
  return delegation_set(bare_id(id), *json);
}

std::int64_t zones_with(const Route53& route53, const Call& call, std::string_view id) {
  std::int64_t count = 0;
  for (const StoredZone& zone : route53.load_zones(call.account)) count += zone.delegation_set == bare_id(id);
  return count;
}

}  // namespace

Task<Reply<model::ChangeTagsForResourceOutput>> ChangeTagsForResource(Route53& route53, const model::ChangeTagsForResourceInput& in, const Call& call) {
  CO_TRY(check_resource(route53, call, in.resource_type, in.resource_id));
  Json tags = load_tags(route53, call, in.resource_type, in.resource_id);
  if (in.remove_tag_keys)
    for (const std::string& key : *in.remove_tag_keys) tags.erase(key);
  if (in.add_tags)
    for (const auto& tag : *in.add_tags)
      if (tag.key) tags.set(*tag.key, tag.value.value_or(""));
  if (tags.size() > 50) co_return Err(aws::Error(errors::kInvalidInput, "A resource may have at most 50 tags."));
  route53.shard().records().put(tags_key(call, in.resource_type, in.resource_id), tags.dump());
  co_await route53.committed();
  co_return model::ChangeTagsForResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(Route53& route53, const model::ListTagsForResourceInput& in, const Call& call) {
  CO_TRY(check_resource(route53, call, in.resource_type, in.resource_id));
  model::ListTagsForResourceOutput out;
  out.resource_tag_set = tag_set(route53, call, in.resource_type, in.resource_id);
  co_return out;
}

Task<Reply<model::ListTagsForResourcesOutput>> ListTagsForResources(Route53& route53, const model::ListTagsForResourcesInput& in, const Call& call) {
  model::ListTagsForResourcesOutput out;
  for (const std::string& id : in.resource_ids) {
    CO_TRY(check_resource(route53, call, in.resource_type, id));
    out.resource_tag_sets.push_back(tag_set(route53, call, in.resource_type, id));
  }
  co_return out;
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateReusableDelegationSet.html
Task<Reply<model::CreateReusableDelegationSetOutput>> CreateReusableDelegationSet(Route53& route53, const model::CreateReusableDelegationSetInput& in, const Call& call) {
  Json servers = Json::array();
  bool taken = false;
  route53.shard().records().scan(fmt::format("route53/delegation/{}/", call.account), [&](std::string_view, const std::string& text) {
    const auto json = Json::parse(text);
    taken = taken || (json && json->text("reference") == in.caller_reference);
    return !taken;
  });
  if (taken) co_return Err(aws::Error(errors::kDelegationSetAlreadyCreated, "A delegation set with the same owner and caller reference combination has already been created."));
  const std::string id = make_id("N", 20);
  if (in.hosted_zone_id) {
    auto zone = route53.load_zone(bare_id(*in.hosted_zone_id));
    if (!zone || zone->account != call.account || zone->is_private())
      co_return Err(aws::Error(errors::kHostedZoneNotFound, fmt::format("The specified hosted zone can't be found: {}", bare_id(*in.hosted_zone_id))));
    if (!zone->delegation_set.empty()) co_return Err(aws::Error(errors::kDelegationSetAlreadyReusable, "The specified delegation set has already been marked as reusable."));
    for (const std::string& server : zone->name_servers) servers.push_back(server);
    zone->delegation_set = id;
    route53.save_zone(*zone);
  } else {
    for (const std::string& server : make_name_servers()) servers.push_back(server);
  }
  const Json stored = Json::object({{"reference", in.caller_reference}, {"servers", std::move(servers)}});
  route53.shard().records().put(delegation_key(call.account, id), stored.dump());
  co_await route53.committed();
  model::CreateReusableDelegationSetOutput out;
  out.delegation_set = delegation_set(id, stored);
  out.location = "https://route53.amazonaws.com/2013-04-01/delegationset/" + id;
  co_return out;
}

Task<Reply<model::GetReusableDelegationSetOutput>> GetReusableDelegationSet(Route53& route53, const model::GetReusableDelegationSetInput& in, const Call& call) {
  co_return model::GetReusableDelegationSetOutput{.delegation_set = CO_TRY(find_delegation(route53, call, in.id))};
}

Task<Reply<model::ListReusableDelegationSetsOutput>> ListReusableDelegationSets(Route53& route53, const model::ListReusableDelegationSetsInput& in, const Call& call) {
  const auto given = in.max_items ? parse_int<std::size_t>(*in.max_items) : std::optional<std::size_t>(100);
  if (!given || *given == 0) co_return Err(aws::Error(errors::kInvalidInput, "The maxitems parameter must be a number of 1 or more."));
  model::ListReusableDelegationSetsOutput out;
  out.marker = in.marker.value_or("");
  out.max_items = std::to_string(*given);
  const std::string prefix = delegation_key(call.account, "");
  route53.shard().records().scan(prefix, [&](std::string_view key, const std::string& text) {
    const std::string_view id = key.substr(prefix.size());
    const auto json = Json::parse(text);
    if (!json || (in.marker && id < bare_id(*in.marker))) return true;
    if (out.delegation_sets.size() == *given) {
      out.is_truncated = true;
      out.next_marker = std::string(id);
      return false;
    }
    out.delegation_sets.push_back(delegation_set(id, *json));
    return true;
  });
  co_return out;
}

Task<Reply<model::DeleteReusableDelegationSetOutput>> DeleteReusableDelegationSet(Route53& route53, const model::DeleteReusableDelegationSetInput& in, const Call& call) {
  CO_TRY(find_delegation(route53, call, in.id));
  if (zones_with(route53, call, in.id) > 0) co_return Err(aws::Error(errors::kDelegationSetInUse, "The specified delegation contains associated hosted zones which must be deleted before the reusable delegation set can be deleted."));
  route53.shard().records().erase(delegation_key(call.account, in.id));
  co_await route53.committed();
  co_return model::DeleteReusableDelegationSetOutput{};
}

Task<Reply<model::GetReusableDelegationSetLimitOutput>> GetReusableDelegationSetLimit(Route53& route53, const model::GetReusableDelegationSetLimitInput& in, const Call& call) {
  CO_TRY(find_delegation(route53, call, in.delegation_set_id));
  co_return model::GetReusableDelegationSetLimitOutput{.limit = {.type = in.type, .value = 100}, .count = zones_with(route53, call, in.delegation_set_id)};
}

}  // namespace reef::service::route53::operations
