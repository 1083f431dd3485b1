// https://docs.aws.amazon.com/cloud-map/latest/api/API_CreatePrivateDnsNamespace.html and what else is about namespaces,
// operations and tags.
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "service/servicediscovery/cloud_map.h"
#include "service/servicediscovery/lists.h"
#include "wire/json.h"

namespace reef::service::servicediscovery::operations {
namespace {

using wire::Json;

model::Namespace new_namespace(const Call& call, const std::string& name, std::string_view type, const std::optional<std::string>& description,
                               const std::optional<std::string>& creator) {
  model::Namespace out;
  out.id = "ns-" + make_token(thread_random(), 17);
  out.arn = call.arn("servicediscovery", "namespace/" + *out.id);
  out.resource_owner = call.account;
  out.name = name;
  out.type = type;
  out.description = description;
  out.create_date = call.now;
  out.creator_request_id = creator;
  out.properties.emplace().http_properties.emplace().http_name = name;
  return out;
}

Reply<void> check_name(CloudMap& map, const Call& call, const std::string& name, std::string_view type) {
  if (name.empty() || name.front() == '.' || name.find("..") != std::string::npos) return Err(aws::Error(errors::kInvalidInput, fmt::format("{} is not a valid namespace name.", name)));
  for (const auto& one : load_all<model::Namespace>(map, key_prefix(call, "namespace")))
    if (one.name == name && (type == "HTTP" || one.type == type || one.type == "HTTP") && !(type == "DNS_PRIVATE" && one.type == "DNS_PRIVATE")) {
      aws::Error error(errors::kNamespaceAlreadyExists, fmt::format("Namespace with name {} already exists in your account.", name));
      error.fields = Json::object({{"CreatorRequestId", one.creator_request_id.value_or("")}, {"NamespaceId", one.id.value_or("")}});
      return Err(std::move(error));
    }
  return {};
}

// A namespace with a zone. What Route 53 refuses makes the operation fail, not the call, as on AWS.
Task<Reply<std::string>> create_with_zone(CloudMap& map, const Call& call, model::Namespace made, std::string vpc, std::optional<std::int64_t> soa_ttl,
                                          std::optional<std::vector<model::Tag>> tags) {
  const auto zone = co_await create_zone(map, call, *made.name, vpc, made.description.value_or(""));
  if (!zone) {
    const aws::Error failure("CANNOT_CREATE_HOSTED_ZONE", fmt::format("{} (Service: AmazonRoute53; Status Code: {}; Error Code: {})", zone.error().message, zone.error().status, zone.error().code), 400);
    const std::string id = finish_operation(map, call, "CREATE_NAMESPACE", {{"NAMESPACE", *made.id}}, &failure);
    co_await map.committed();
    co_return id;
  }
  made.properties->dns_properties.emplace().hosted_zone_id = *zone;
  made.properties->dns_properties->soa = model::SOA{.ttl = soa_ttl.value_or(15)};
  CO_TRY(co_await set_soa_ttl(map, call, made, soa_ttl.value_or(15)));
  save(map, call, made);
  save_tags(map, *made.arn, tags);
  const std::string id = finish_operation(map, call, "CREATE_NAMESPACE", {{"NAMESPACE", *made.id}});
  co_await map.committed();
  co_return id;
}

Task<Reply<std::string>> update(CloudMap& map, const Call& call, std::string namespace_id, std::optional<std::string> description, std::optional<std::int64_t> soa_ttl) {
  model::Namespace space = CO_TRY(find_namespace(map, call, namespace_id));
  if (description) space.description = description;
  if (soa_ttl && space.properties && space.properties->dns_properties) {
    space.properties->dns_properties->soa = model::SOA{.ttl = *soa_ttl};
    CO_TRY(co_await set_soa_ttl(map, call, space, *soa_ttl));
  }
  save(map, call, space);
  const std::string id = finish_operation(map, call, "UPDATE_NAMESPACE", {{"NAMESPACE", *space.id}});
  co_await map.committed();
  co_return id;
}

}  // namespace

Task<Reply<model::CreateHttpNamespaceOutput>> CreateHttpNamespace(CloudMap& map, const model::CreateHttpNamespaceInput& in, const Call& call) {
  CO_TRY(check_name(map, call, in.name, "HTTP"));
  const model::Namespace made = new_namespace(call, in.name, "HTTP", in.description, in.creator_request_id);
  save(map, call, made);
  save_tags(map, *made.arn, in.tags);
  const std::string id = finish_operation(map, call, "CREATE_NAMESPACE", {{"NAMESPACE", *made.id}});
  co_await map.committed();
  co_return model::CreateHttpNamespaceOutput{.operation_id = id};
}

Task<Reply<model::CreatePrivateDnsNamespaceOutput>> CreatePrivateDnsNamespace(CloudMap& map, const model::CreatePrivateDnsNamespaceInput& in, const Call& call) {
  CO_TRY(check_name(map, call, in.name, "DNS_PRIVATE"));
  std::optional<std::int64_t> ttl;
  if (in.properties) ttl = in.properties->dns_properties.soa.ttl;
  co_return model::CreatePrivateDnsNamespaceOutput{
      .operation_id = CO_TRY(co_await create_with_zone(map, call, new_namespace(call, in.name, "DNS_PRIVATE", in.description, in.creator_request_id), in.vpc, ttl, in.tags))};
}

Task<Reply<model::CreatePublicDnsNamespaceOutput>> CreatePublicDnsNamespace(CloudMap& map, const model::CreatePublicDnsNamespaceInput& in, const Call& call) {
  CO_TRY(check_name(map, call, in.name, "DNS_PUBLIC"));
  std::optional<std::int64_t> ttl;
  if (in.properties) ttl = in.properties->dns_properties.soa.ttl;
  co_return model::CreatePublicDnsNamespaceOutput{
      .operation_id = CO_TRY(co_await create_with_zone(map, call, new_namespace(call, in.name, "DNS_PUBLIC", in.description, in.creator_request_id), "", ttl, in.tags))};
}

Task<Reply<model::DeleteNamespaceOutput>> DeleteNamespace(CloudMap& map, const model::DeleteNamespaceInput& in, const Call& call) {
  const model::Namespace space = CO_TRY(find_namespace(map, call, in.id));
  if (space.service_count.value_or(0) > 0)
    co_return Err(aws::Error(errors::kResourceInUse, "Namespace has associated services; delete the services before deleting the namespace"));
  const aws::Error* failed = nullptr;
  aws::Error failure;
  if (space.properties && space.properties->dns_properties)
    if (const auto gone = co_await delete_zone(map, call, space.properties->dns_properties->hosted_zone_id.value_or("")); !gone) {
      failure = aws::Error("CANNOT_DELETE_HOSTED_ZONE", gone.error().message, 400);
      failed = &failure;
    }
  if (!failed) {
    map.records().erase(key_prefix(call, "namespace") + *space.id);
    forget_tags(map, *space.arn);
  }
  const std::string id = finish_operation(map, call, "DELETE_NAMESPACE", {{"NAMESPACE", *space.id}}, failed);
  co_await map.committed();
  co_return model::DeleteNamespaceOutput{.operation_id = id};
}

Task<Reply<model::GetNamespaceOutput>> GetNamespace(CloudMap& map, const model::GetNamespaceInput& in, const Call& call) {
  co_return model::GetNamespaceOutput{.namespace_ = CO_TRY(find_namespace(map, call, in.id))};
}

Task<Reply<model::ListNamespacesOutput>> ListNamespaces(CloudMap& map, const model::ListNamespacesInput& in, const Call& call) {
  auto all = load_all<model::Namespace>(map, key_prefix(call, "namespace"));
  const auto passes = [&](const model::Namespace& one) {
    for (const auto& filter : in.filters.value_or(std::vector<model::NamespaceFilter>())) {
      if (filter.name == "RESOURCE_OWNER") {
        if (!matches(filter, "SELF")) return false;
        continue;
      }
      if (!matches(filter, filter.name == "TYPE" ? *one.type : *one.name)) return false;
    }
    return true;
  };
  std::erase_if(all, [&](const auto& one) { return !passes(one); });
  model::ListNamespacesOutput out;
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  out.namespaces.emplace();
  for (const auto& one : all) {
    const auto counted = find_namespace(map, call, *one.id);
    out.namespaces->push_back({.id = one.id, .arn = one.arn, .resource_owner = one.resource_owner, .name = one.name, .type = one.type, .description = one.description,
                               .service_count = counted ? counted->service_count : std::nullopt, .properties = one.properties, .create_date = one.create_date});
  }
  co_return out;
}

Task<Reply<model::UpdateHttpNamespaceOutput>> UpdateHttpNamespace(CloudMap& map, const model::UpdateHttpNamespaceInput& in, const Call& call) {
  co_return model::UpdateHttpNamespaceOutput{.operation_id = CO_TRY(co_await update(map, call, in.id, in.namespace_.description, std::nullopt))};
}

Task<Reply<model::UpdatePrivateDnsNamespaceOutput>> UpdatePrivateDnsNamespace(CloudMap& map, const model::UpdatePrivateDnsNamespaceInput& in, const Call& call) {
  std::optional<std::int64_t> ttl;
  if (in.namespace_.properties) ttl = in.namespace_.properties->dns_properties.soa.ttl;
  co_return model::UpdatePrivateDnsNamespaceOutput{.operation_id = CO_TRY(co_await update(map, call, in.id, in.namespace_.description, ttl))};
}

Task<Reply<model::UpdatePublicDnsNamespaceOutput>> UpdatePublicDnsNamespace(CloudMap& map, const model::UpdatePublicDnsNamespaceInput& in, const Call& call) {
  std::optional<std::int64_t> ttl;
  if (in.namespace_.properties) ttl = in.namespace_.properties->dns_properties.soa.ttl;
  co_return model::UpdatePublicDnsNamespaceOutput{.operation_id = CO_TRY(co_await update(map, call, in.id, in.namespace_.description, ttl))};
}

Task<Reply<model::GetOperationOutput>> GetOperation(CloudMap& map, const model::GetOperationInput& in, const Call& call) {
  auto found = load<model::Operation>(map, key_prefix(call, "operation") + in.operation_id);
  if (!found) co_return Err(aws::Error(errors::kOperationNotFound, fmt::format("The operation {} can't be found.", in.operation_id)));
  co_return model::GetOperationOutput{.operation = *std::move(found)};
}

Task<Reply<model::ListOperationsOutput>> ListOperations(CloudMap& map, const model::ListOperationsInput& in, const Call& call) {
  auto all = load_all<model::Operation>(map, key_prefix(call, "operation"));
  const auto passes = [&](const model::Operation& one) {
    for (const auto& filter : in.filters.value_or(std::vector<model::OperationFilter>())) {
      const auto target = [&](std::string_view kind) {
        const auto found = one.targets->find(kind);
        return found == one.targets->end() ? std::string() : found->second;
      };
      std::string value;
      if (filter.name == "NAMESPACE_ID") value = target("NAMESPACE");
      else if (filter.name == "SERVICE_ID") value = target("SERVICE");
      else if (filter.name == "STATUS") value = *one.status;
      else if (filter.name == "TYPE") value = *one.type;
      else value = std::to_string(to_seconds(*one.update_date));
      if (!matches(filter, value)) return false;
    }
    return true;
  };
  std::erase_if(all, [&](const auto& one) { return !passes(one); });
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return *a.create_date > *b.create_date; });
  model::ListOperationsOutput out;
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  out.operations.emplace();
  for (const auto& one : all) out.operations->push_back({.id = one.id, .status = one.status});
  co_return out;
}

// --- tags -----------------------------------------------------------------------------------------------------------

namespace {

Reply<void> check_arn(CloudMap& map, const Call& call, const std::string& arn) {
  const bool known = arn.find(":namespace/") != std::string::npos ? find_namespace(map, call, arn).has_value() : find_service(map, call, arn).has_value();
  if (!known) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("The resource {} can't be found.", arn)));
  return {};
}

std::string tags_key(std::string_view arn) { return fmt::format("servicediscovery-tags/{}", arn); }

Json load_tags(CloudMap& map, std::string_view arn) {
  const std::string* text = map.records().find(tags_key(arn));
  auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  return json ? *std::move(json) : Json::object();
}

}  // namespace

Task<Reply<model::TagResourceOutput>> TagResource(CloudMap& map, const model::TagResourceInput& in, const Call& call) {
  CO_TRY(check_arn(map, call, in.resource_arn));
  Json tags = load_tags(map, in.resource_arn);
  for (const auto& tag : in.tags) tags.set(tag.key, tag.value);
  if (tags.size() > 50) {
    aws::Error error(errors::kTooManyTagsException, "The list of tags on the resource is over the limit of 50.");
    error.fields = Json::object({{"ResourceName", in.resource_arn}});
    co_return Err(std::move(error));
  }
  map.records().put(tags_key(in.resource_arn), tags.dump());
  co_await map.committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(CloudMap& map, const model::UntagResourceInput& in, const Call& call) {
  CO_TRY(check_arn(map, call, in.resource_arn));
  Json tags = load_tags(map, in.resource_arn);
  for (const std::string& key : in.tag_keys) tags.erase(key);
  map.records().put(tags_key(in.resource_arn), tags.dump());
  co_await map.committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(CloudMap& map, const model::ListTagsForResourceInput& in, const Call& call) {
  CO_TRY(check_arn(map, call, in.resource_arn));
  model::ListTagsForResourceOutput out;
  out.tags.emplace();
  const Json tags = load_tags(map, in.resource_arn);
  for (const auto& [key, value] : tags.as_object()) out.tags->push_back({.key = key, .value = value.as_string()});
  co_return out;
}

}  // namespace reef::service::servicediscovery::operations
