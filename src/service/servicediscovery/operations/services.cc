// https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateService.html and what else is about services.
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "service/servicediscovery/cloud_map.h"
#include "service/servicediscovery/lists.h"
#include "wire/json.h"

namespace reef::service::servicediscovery::operations {

using wire::Json;

// https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateService.html
Task<Reply<model::CreateServiceOutput>> CreateService(CloudMap& map, const model::CreateServiceInput& in, const Call& call) {
  std::string namespace_id = in.namespace_id.value_or("");
  if (namespace_id.empty() && in.dns_config) namespace_id = in.dns_config->namespace_id.value_or("");
  if (namespace_id.empty()) co_return Err(aws::Error(errors::kInvalidInput, "NamespaceId must be specified."));
  const model::Namespace space = CO_TRY(find_namespace(map, call, namespace_id));
  const bool has_dns = in.dns_config && !in.dns_config->dns_records.empty();
  if (has_dns && (space.type == "HTTP" || in.type == "HTTP")) co_return Err(aws::Error(errors::kInvalidInput, "When you specify an HTTP service, you can't include a DnsConfig element."));
  if (in.health_check_config && in.health_check_custom_config)
    co_return Err(aws::Error(errors::kInvalidInput, "You can specify either HealthCheckConfig or HealthCheckCustomConfig, but not both."));
  if (in.health_check_config && space.type == "DNS_PRIVATE")
    co_return Err(aws::Error(errors::kInvalidInput, "You can't specify HealthCheckConfig for services in a private DNS namespace. Use HealthCheckCustomConfig instead."));
  if (in.health_check_config && in.health_check_config->type == "TCP" && in.health_check_config->resource_path)
    co_return Err(aws::Error(errors::kInvalidInput, "You can't specify ResourcePath when Type is TCP."));
  if (has_dns) {
    const auto has = [&](std::string_view type) {
      return std::any_of(in.dns_config->dns_records.begin(), in.dns_config->dns_records.end(), [&](const auto& one) { return one.type == type; });
    };
    if (has("CNAME") && in.dns_config->dns_records.size() > 1) co_return Err(aws::Error(errors::kInvalidInput, "You can't specify CNAME records together with other record types."));
    if (has("CNAME") && in.dns_config->routing_policy != "WEIGHTED") co_return Err(aws::Error(errors::kInvalidInput, "If you specify CNAME for the type of record, the routing policy must be WEIGHTED."));
  }
  for (const auto& one : load_all<model::Service>(map, key_prefix(call, "service")))
    if (one.name == in.name && one.namespace_id == space.id) {
      aws::Error error(errors::kServiceAlreadyExists, fmt::format("Service already exists for name {} in namespace {}.", in.name, *space.id));
      error.fields = Json::object({{"CreatorRequestId", one.creator_request_id.value_or("")}, {"ServiceId", *one.id}, {"ServiceArn", *one.arn}});
      co_return Err(std::move(error));
    }
  model::Service made;
  made.id = "srv-" + make_token(thread_random(), 17);
  made.arn = call.arn("servicediscovery", "service/" + *made.id);
  made.resource_owner = call.account;
  made.created_by_account = call.account;
  made.name = in.name;
  made.namespace_id = space.id;
  made.description = in.description;
  made.instance_count = 0;
  made.create_date = call.now;
  made.creator_request_id = in.creator_request_id;
  made.type = space.type == "HTTP" || in.type == "HTTP" ? "HTTP" : "DNS_HTTP";
  if (has_dns) {
    made.dns_config = in.dns_config;
    made.dns_config->namespace_id = space.id;
    if (!made.dns_config->routing_policy) made.dns_config->routing_policy = "MULTIVALUE";
  }
  made.health_check_config = in.health_check_config;
  if (made.health_check_config && !made.health_check_config->failure_threshold) made.health_check_config->failure_threshold = 1;
  if (made.health_check_config && made.health_check_config->type != "TCP" && !made.health_check_config->resource_path) made.health_check_config->resource_path = "/";
  made.health_check_custom_config = in.health_check_custom_config;
  if (made.health_check_custom_config) made.health_check_custom_config->failure_threshold = 1;
  save(map, call, made);
  save_tags(map, *made.arn, in.tags);
  co_await map.committed();
  co_return model::CreateServiceOutput{.service = made};
}

Task<Reply<model::DeleteServiceOutput>> DeleteService(CloudMap& map, const model::DeleteServiceInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.id));
  if (service.instance_count.value_or(0) > 0)
    co_return Err(aws::Error(errors::kResourceInUse, "Service contains registered instances; delete the instances before deleting the service"));
  for (const std::string_view kind : {"service", "revision", "attributes"}) map.records().erase(key_prefix(call, kind) + *service.id);
  forget_tags(map, *service.arn);
  co_await map.committed();
  co_return model::DeleteServiceOutput{};
}

Task<Reply<model::GetServiceOutput>> GetService(CloudMap& map, const model::GetServiceInput& in, const Call& call) {
  co_return model::GetServiceOutput{.service = CO_TRY(find_service(map, call, in.id))};
}

Task<Reply<model::ListServicesOutput>> ListServices(CloudMap& map, const model::ListServicesInput& in, const Call& call) {
  auto all = load_all<model::Service>(map, key_prefix(call, "service"));
  const auto passes = [&](const model::Service& one) {
    for (const auto& filter : in.filters.value_or(std::vector<model::ServiceFilter>()))
      if (!matches(filter, filter.name == "NAMESPACE_ID" ? one.namespace_id.value_or("") : std::string("SELF"))) return false;
    return true;
  };
  std::erase_if(all, [&](const auto& one) { return !passes(one); });
  model::ListServicesOutput out;
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  out.services.emplace();
  for (const auto& one : all) {
    const auto counted = find_service(map, call, *one.id);
    out.services->push_back({.id = one.id, .arn = one.arn, .resource_owner = one.resource_owner, .name = one.name, .type = one.type, .description = one.description,
                             .instance_count = counted ? counted->instance_count : std::nullopt, .dns_config = one.dns_config, .health_check_config = one.health_check_config,
                             .health_check_custom_config = one.health_check_custom_config, .create_date = one.create_date, .created_by_account = one.created_by_account});
  }
  co_return out;
}

// https://docs.aws.amazon.com/cloud-map/latest/api/API_UpdateService.html: what is not given is removed.
Task<Reply<model::UpdateServiceOutput>> UpdateService(CloudMap& map, const model::UpdateServiceInput& in, const Call& call) {
  const model::Service before = CO_TRY(find_service(map, call, in.id));
  model::Service after = before;
  after.description = in.service.description;
  if (in.service.dns_config && after.dns_config) after.dns_config->dns_records = in.service.dns_config->dns_records;
  else if (!in.service.dns_config) after.dns_config.reset();
  after.health_check_config = in.service.health_check_config;
  save(map, call, after);
  for (Instance& instance : load_instances(map, call, *before.id)) {
    CO_TRY(co_await remove_records(map, call, before, instance));
    if (!instance.health_check.empty()) CO_TRY(co_await delete_check(map, call, std::exchange(instance.health_check, {})));
    if (after.health_check_config) instance.health_check = CO_TRY(co_await create_check(map, call, after, instance));
    save(map, call, *after.id, instance);
    if (instance.custom_healthy) CO_TRY(co_await put_records(map, call, after, instance));
  }
  const std::string id = finish_operation(map, call, "UPDATE_SERVICE", {{"SERVICE", *after.id}});
  co_await map.committed();
  co_return model::UpdateServiceOutput{.operation_id = id};
}

// https://docs.aws.amazon.com/cloud-map/latest/api/API_UpdateServiceAttributes.html
Task<Reply<model::GetServiceAttributesOutput>> GetServiceAttributes(CloudMap& map, const model::GetServiceAttributesInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  const std::string* text = map.records().find(key_prefix(call, "attributes") + *service.id);
  const auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  Attributes attributes;
  if (json)
    for (const auto& [key, value] : json->as_object()) attributes.emplace(key, value.as_string());
  co_return model::GetServiceAttributesOutput{.service_attributes = model::ServiceAttributes{.service_arn = service.arn, .resource_owner = service.resource_owner, .attributes = attributes}};
}

Task<Reply<model::UpdateServiceAttributesOutput>> UpdateServiceAttributes(CloudMap& map, const model::UpdateServiceAttributesInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  const std::string key = key_prefix(call, "attributes") + *service.id;
  const std::string* text = map.records().find(key);
  auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  Json all = json ? *std::move(json) : Json::object();
  for (const auto& [name, value] : in.attributes) all.set(name, value);
  if (all.size() > 30) co_return Err(aws::Error(errors::kServiceAttributesLimitExceededException, "The attribute can't be added to the service because you've exceeded the quota of 30 attributes."));
  map.records().put(key, all.dump());
  co_await map.committed();
  co_return model::UpdateServiceAttributesOutput{};
}

Task<Reply<model::DeleteServiceAttributesOutput>> DeleteServiceAttributes(CloudMap& map, const model::DeleteServiceAttributesInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  const std::string key = key_prefix(call, "attributes") + *service.id;
  const std::string* text = map.records().find(key);
  auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  Json all = json ? *std::move(json) : Json::object();
  for (const std::string& name : in.attributes) all.erase(name);
  map.records().put(key, all.dump());
  co_await map.committed();
  co_return model::DeleteServiceAttributesOutput{};
}

}  // namespace reef::service::servicediscovery::operations
