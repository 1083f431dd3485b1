// https://docs.aws.amazon.com/cloud-map/latest/api/API_RegisterInstance.html, discovery and health.
#include <algorithm>

#include <fmt/format.h>

#include "service/servicediscovery/cloud_map.h"
#include "service/servicediscovery/lists.h"

namespace reef::service::servicediscovery::operations {
namespace {

aws::Error bad(std::string text) { return {errors::kInvalidInput, std::move(text)}; }

Reply<void> check_attributes(const model::Service& service, const Attributes& attributes) {
  if (attributes.size() > 30) return Err(bad("The number of attributes exceeds the maximum of 30."));
  const auto has = [&](std::string_view name) { return attributes.contains(name); };
  if (!service.dns_config) return {};
  if (has("AWS_ALIAS_DNS_NAME")) {
    if (service.health_check_config) return Err(bad("You can't specify AWS_ALIAS_DNS_NAME for a service with HealthCheckConfig."));
    if (has("AWS_INSTANCE_IPV4") || has("AWS_INSTANCE_IPV6") || has("AWS_INSTANCE_PORT") || has("AWS_INSTANCE_CNAME"))
      return Err(bad("If you specify a value for AWS_ALIAS_DNS_NAME, don't specify values for any of the AWS_INSTANCE attributes."));
    if (service.dns_config->routing_policy != "WEIGHTED") return Err(bad("The service must have the routing policy WEIGHTED for AWS_ALIAS_DNS_NAME."));
    return {};
  }
  for (const auto& record : service.dns_config->dns_records) {
    const std::string_view needed = record.type == "A" ? "AWS_INSTANCE_IPV4" : record.type == "AAAA" ? "AWS_INSTANCE_IPV6" : record.type == "CNAME" ? "AWS_INSTANCE_CNAME" : "AWS_INSTANCE_PORT";
    const bool dual = (record.type == "A" || record.type == "AAAA") && (has("AWS_INSTANCE_IPV4") || has("AWS_INSTANCE_IPV6"));
    if (!has(needed) && !dual) return Err(bad(fmt::format("The attribute {} is required for services with {} records.", needed, record.type)));
  }
  return {};
}

Task<Reply<void>> forget(CloudMap& map, const Call& call, model::Service service, Instance instance) {
  CO_TRY(co_await remove_records(map, call, service, instance));
  if (!instance.health_check.empty()) CO_TRY(co_await delete_check(map, call, instance.health_check));
  co_return Reply<void>();
}

// Service by the names that discovery uses.
Reply<model::Service> service_named(CloudMap& map, const Call& call, const std::string& space_name, const std::string& name) {
  std::optional<std::string> space_id;
  for (const auto& one : load_all<model::Namespace>(map, key_prefix(call, "namespace"))) {
    const auto& http = one.properties ? one.properties->http_properties : std::nullopt;
    if (one.name != space_name && !(http && http->http_name == space_name)) continue;
    space_id = one.id;
    for (const auto& service : load_all<model::Service>(map, key_prefix(call, "service")))
      if (service.namespace_id == one.id && service.name == name) return service;
  }
  if (!space_id) return Err(aws::Error(errors::kNamespaceNotFound, fmt::format("The namespace {} can't be found.", space_name)));
  return Err(aws::Error(errors::kServiceNotFound, fmt::format("The service {} can't be found in the namespace {}.", name, space_name)));
}

bool has_all(const Instance& instance, const Attributes& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    const auto found = instance.attributes.find(one.first);
    return found != instance.attributes.end() && found->second == one.second;
  });
}

}  // namespace

Task<Reply<model::RegisterInstanceOutput>> RegisterInstance(CloudMap& map, const model::RegisterInstanceInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  CO_TRY(check_attributes(service, in.attributes));
  Instance made{.id = in.instance_id, .attributes = in.attributes, .creator_request_id = in.creator_request_id.value_or(""), .custom_healthy = true, .health_check = {}};
  // It says how it begins, and that is no attribute afterwards.
  if (const auto initial = made.attributes.find("AWS_INIT_HEALTH_STATUS"); initial != made.attributes.end()) {
    if (service.health_check_custom_config) made.custom_healthy = initial->second != "UNHEALTHY";
    made.attributes.erase(initial);
  }
  const auto old = find_instance(map, call, *service.id, in.instance_id);
  if (old) CO_TRY(co_await forget(map, call, service, *old));
  if (service.health_check_config && !made.attributes.contains("AWS_ALIAS_DNS_NAME")) {
    auto check = co_await create_check(map, call, service, made);
    if (!check) co_return std::unexpected(check.error());
    made.health_check = *std::move(check);
  }
  std::map<std::string, std::string, std::less<>> targets{{"INSTANCE", made.id}, {"SERVICE", *service.id}};
  std::string operation;
  const auto written = made.custom_healthy ? co_await put_records(map, call, service, made) : Reply<void>();
  if (!written) {
    const aws::Error failure("CANNOT_CREATE_RECORDS", written.error().message, 400);
    operation = finish_operation(map, call, "REGISTER_INSTANCE", std::move(targets), &failure);
  } else {
    save(map, call, *service.id, made);
    const Heartbeats::Key key{call.account, call.region, *service.id, made.id};
    if (const auto every = heartbeat_of(made.attributes); every && service.health_check_custom_config) map.heartbeats.beat(key, *every);
    else map.heartbeats.forget(key);
    bump_revision(map, call, *service.id);
    operation = finish_operation(map, call, "REGISTER_INSTANCE", std::move(targets));
  }
  co_await map.committed();
  co_return model::RegisterInstanceOutput{.operation_id = operation};
}

Task<Reply<model::DeregisterInstanceOutput>> DeregisterInstance(CloudMap& map, const model::DeregisterInstanceInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  const Instance instance = CO_TRY(find_instance(map, call, *service.id, in.instance_id));
  CO_TRY(co_await forget(map, call, service, instance));
  map.heartbeats.forget({call.account, call.region, *service.id, instance.id});
  map.records().erase(fmt::format("{}{}/{}", key_prefix(call, "instance"), *service.id, instance.id));
  bump_revision(map, call, *service.id);
  const std::string operation = finish_operation(map, call, "DEREGISTER_INSTANCE", {{"INSTANCE", instance.id}, {"SERVICE", *service.id}});
  co_await map.committed();
  co_return model::DeregisterInstanceOutput{.operation_id = operation};
}

Task<Reply<model::GetInstanceOutput>> GetInstance(CloudMap& map, const model::GetInstanceInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  const Instance instance = CO_TRY(find_instance(map, call, *service.id, in.instance_id));
  model::GetInstanceOutput out;
  out.resource_owner = call.account;
  out.instance = model::Instance{.id = instance.id, .creator_request_id = instance.creator_request_id, .attributes = instance.attributes, .created_by_account = call.account};
  co_return out;
}

Task<Reply<model::ListInstancesOutput>> ListInstances(CloudMap& map, const model::ListInstancesInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  auto all = load_instances(map, call, *service.id);
  model::ListInstancesOutput out;
  out.resource_owner = call.account;
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  out.instances.emplace();
  for (const Instance& one : all) out.instances->push_back({.id = one.id, .attributes = one.attributes, .created_by_account = call.account});
  co_return out;
}

Task<Reply<model::GetInstancesHealthStatusOutput>> GetInstancesHealthStatus(CloudMap& map, const model::GetInstancesHealthStatusInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  std::vector<Instance> all;
  if (in.instances) {
    for (const std::string& id : *in.instances) all.push_back(CO_TRY(find_instance(map, call, *service.id, id)));
  } else {
    all = load_instances(map, call, *service.id);
  }
  model::GetInstancesHealthStatusOutput out;
  out.next_token = CO_TRY(cut(all, in.next_token, in.max_results));
  out.status.emplace();
  for (const Instance& one : all) out.status->emplace(one.id, health_of(map, service, one));
  co_return out;
}

// https://docs.aws.amazon.com/cloud-map/latest/api/API_UpdateInstanceCustomHealthStatus.html
Task<Reply<model::UpdateInstanceCustomHealthStatusOutput>> UpdateInstanceCustomHealthStatus(CloudMap& map, const model::UpdateInstanceCustomHealthStatusInput& in, const Call& call) {
  const model::Service service = CO_TRY(find_service(map, call, in.service_id));
  if (!service.health_check_custom_config)
    co_return Err(aws::Error(errors::kCustomHealthNotFound, fmt::format("The health check for the service {} is not a custom health check.", *service.id)));
  Instance instance = CO_TRY(find_instance(map, call, *service.id, in.instance_id));
  const bool healthy = in.status == "HEALTHY";
  if (const auto every = heartbeat_of(instance.attributes)) map.heartbeats.beat({call.account, call.region, *service.id, instance.id}, *every);
  if (instance.custom_healthy != healthy) {
    instance.custom_healthy = healthy;
    // DNS answers with healthy instances only.
    if (healthy) CO_TRY(co_await put_records(map, call, service, instance));
    else CO_TRY(co_await remove_records(map, call, service, instance));
    save(map, call, *service.id, instance);
    bump_revision(map, call, *service.id);
    co_await map.committed();
  }
  co_return model::UpdateInstanceCustomHealthStatusOutput{};
}

// https://docs.aws.amazon.com/cloud-map/latest/api/API_DiscoverInstances.html
Task<Reply<model::DiscoverInstancesOutput>> DiscoverInstances(CloudMap& map, const model::DiscoverInstancesInput& in, const Call& call) {
  const model::Service service = CO_TRY(service_named(map, call, in.namespace_name, in.service_name));
  auto all = load_instances(map, call, *service.id);
  if (in.query_parameters) std::erase_if(all, [&](const Instance& one) { return !has_all(one, *in.query_parameters); });
  // Those that have the optional ones too, if any has.
  if (in.optional_parameters && std::any_of(all.begin(), all.end(), [&](const Instance& one) { return has_all(one, *in.optional_parameters); }))
    std::erase_if(all, [&](const Instance& one) { return !has_all(one, *in.optional_parameters); });
  const std::string wanted = in.health_status.value_or("HEALTHY_OR_ELSE_ALL");
  if (has_health(service) && wanted != "ALL") {
    std::vector<Instance> chosen;
    for (const Instance& one : all)
      if ((health_of(map, service, one) == "UNHEALTHY") == (wanted == "UNHEALTHY")) chosen.push_back(one);
    if (!chosen.empty() || wanted != "HEALTHY_OR_ELSE_ALL") all = std::move(chosen);
  }
  if (const std::size_t size = static_cast<std::size_t>(in.max_results.value_or(100)); all.size() > size) all.resize(size);
  model::DiscoverInstancesOutput out;
  out.instances.emplace();
  for (const Instance& one : all)
    out.instances->push_back({.instance_id = one.id, .namespace_name = in.namespace_name, .service_name = in.service_name,
                              .health_status = std::string(has_health(service) ? health_of(map, service, one) : "UNKNOWN"), .attributes = one.attributes});
  out.instances_revision = revision_of(map, call, *service.id);
  co_return out;
}

Task<Reply<model::DiscoverInstancesRevisionOutput>> DiscoverInstancesRevision(CloudMap& map, const model::DiscoverInstancesRevisionInput& in, const Call& call) {
  const model::Service service = CO_TRY(service_named(map, call, in.namespace_name, in.service_name));
  co_return model::DiscoverInstancesRevisionOutput{.instances_revision = revision_of(map, call, *service.id)};
}

}  // namespace reef::service::servicediscovery::operations
