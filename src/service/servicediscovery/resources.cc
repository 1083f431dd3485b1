// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ServiceDiscovery.html
#include "aws/resource.h"
#include "base/text.h"
#include "service/servicediscovery/cloud_map.h"
#include "wire/json.h"

namespace reef::service::servicediscovery::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> invoke(const ResourceContext& context, std::string_view operation, Json input) {
  co_return co_await aws::call_operation(context, "servicediscovery", operation, std::move(input));
}

// Templates may write numbers as text.
Json with_numbers(const Json& value) {
  if (value.is_object()) {
    Json out = Json::object();
    for (const auto& [name, member] : value.as_object()) {
      const bool number = name == "TTL" || name == "FailureThreshold";
      const auto parsed = number && member.is_string() ? parse_int(member.as_string()) : std::nullopt;
      out.set(name, parsed ? Json(*parsed) : with_numbers(member));
    }
    return out;
  }
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& one : value.as_array()) out.push_back(with_numbers(one));
    return out;
  }
  return value;
}

// What an operation made; the failure that it ended with is the resource's.
Task<aws::Reply<Json>> result_of(const ResourceContext& context, std::string operation) {
  const Json out = CO_TRY(co_await invoke(context, "GetOperation", Json::object({{"OperationId", operation}})));
  const Json& done = out["Operation"];
  if (done.text("Status") == "FAIL") co_return Err(aws::Error(done.text("ErrorCode"), done.text("ErrorMessage"), 400));
  co_return done["Targets"];
}

Task<aws::Reply<void>> sync_tags(const ResourceContext& context, std::string arn, Json before, Json after) {
  Json gone = Json::array();
  for (const Json& old : before.as_array()) {
    bool kept = false;
    for (const Json& tag : after.as_array()) kept = kept || tag.text("Key") == old.text("Key");
    if (!kept) gone.push_back(old.text("Key"));
  }
  if (gone.size() > 0) CO_TRY(co_await invoke(context, "UntagResource", Json::object({{"ResourceARN", arn}, {"TagKeys", std::move(gone)}})));
  if (after.size() > 0 && before != after) CO_TRY(co_await invoke(context, "TagResource", Json::object({{"ResourceARN", arn}, {"Tags", after}})));
  co_return aws::Reply<void>();
}

// --- namespaces -----------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> namespace_state(const ResourceContext& context, std::string id) {
  const Json out = CO_TRY(co_await invoke(context, "GetNamespace", Json::object({{"Id", id}})));
  Json attributes = Json::object({{"Id", id}, {"Arn", out["Namespace"]["Arn"]}});
  const std::string zone = out["Namespace"]["Properties"]["DnsProperties"].text("HostedZoneId");
  if (!zone.empty()) attributes.set("HostedZoneId", zone);
  co_return ResourceState{.physical_id = id, .attributes = std::move(attributes)};
}

Task<aws::Reply<ResourceState>> create_namespace(const ResourceContext& context, std::string operation, Json properties) {
  Json input = Json::object({{"Name", properties["Name"]}});
  for (const std::string_view name : {"Description", "Vpc", "Tags"})
    if (const Json* value = properties.find(name)) input.set(name, *value);
  if (const Json* value = properties.find("Properties")) input.set("Properties", with_numbers(*value));
  const Json out = CO_TRY(co_await invoke(context, operation, std::move(input)));
  const Json targets = CO_TRY(co_await result_of(context, out.text("OperationId")));
  co_return co_await namespace_state(context, targets.text("NAMESPACE"));
}

Task<aws::Reply<ResourceState>> update_namespace(const ResourceContext& context, std::string operation, ResourceState current, Json before, Json after) {
  Json change = Json::object({{"Description", after.text("Description")}});
  if (const Json* value = after.find("Properties")) change.set("Properties", with_numbers(*value));
  if (before["Description"] != after["Description"] || before["Properties"] != after["Properties"])
    CO_TRY(co_await invoke(context, operation, Json::object({{"Id", current.physical_id}, {"Namespace", std::move(change)}})));
  CO_TRY(co_await sync_tags(context, current.attributes.text("Arn"), before["Tags"], after["Tags"]));
  co_return current;
}

Task<aws::Reply<ResourceState>> create_private(const ResourceContext& context, const Json& properties) { return create_namespace(context, "CreatePrivateDnsNamespace", properties); }
Task<aws::Reply<ResourceState>> create_public(const ResourceContext& context, const Json& properties) { return create_namespace(context, "CreatePublicDnsNamespace", properties); }
Task<aws::Reply<ResourceState>> create_http(const ResourceContext& context, const Json& properties) { return create_namespace(context, "CreateHttpNamespace", properties); }
Task<aws::Reply<ResourceState>> update_private(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  return update_namespace(context, "UpdatePrivateDnsNamespace", current, before, after);
}
Task<aws::Reply<ResourceState>> update_public(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  return update_namespace(context, "UpdatePublicDnsNamespace", current, before, after);
}
Task<aws::Reply<ResourceState>> update_http(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  return update_namespace(context, "UpdateHttpNamespace", current, before, after);
}
Task<aws::Reply<void>> remove_namespace(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto out = co_await invoke(context, "DeleteNamespace", Json::object({{"Id", current.physical_id}}));
  if (!out && out.error().code == "NamespaceNotFound") co_return aws::Reply<void>();
  if (!out) co_return std::unexpected(out.error());
  CO_TRY(co_await result_of(context, out->text("OperationId")));
  co_return aws::Reply<void>();
}

// --- AWS::ServiceDiscovery::Service ---------------------------------------------------------------------------------

Task<aws::Reply<void>> set_attributes(const ResourceContext& context, std::string id, Json before, Json after) {
  Json gone = Json::array();
  for (const auto& [name, value] : before.as_object())
    if (!after.contains(name)) gone.push_back(name);
  if (gone.size() > 0) CO_TRY(co_await invoke(context, "DeleteServiceAttributes", Json::object({{"ServiceId", id}, {"Attributes", std::move(gone)}})));
  if (after.size() > 0) CO_TRY(co_await invoke(context, "UpdateServiceAttributes", Json::object({{"ServiceId", id}, {"Attributes", after}})));
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_service(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"Name", properties.contains("Name") ? properties.text("Name") : context.generated_name(64)}});
  for (const std::string_view name : {"NamespaceId", "Description", "Type", "Tags"})
    if (const Json* value = properties.find(name)) input.set(name, *value);
  for (const std::string_view name : {"DnsConfig", "HealthCheckConfig", "HealthCheckCustomConfig"})
    if (const Json* value = properties.find(name)) input.set(name, with_numbers(*value));
  const Json out = CO_TRY(co_await invoke(context, "CreateService", std::move(input)));
  const Json& made = out["Service"];
  CO_TRY(co_await set_attributes(context, made.text("Id"), Json(), properties["ServiceAttributes"]));
  co_return ResourceState{.physical_id = made.text("Id"), .attributes = Json::object({{"Id", made["Id"]}, {"Arn", made["Arn"]}, {"Name", made["Name"]}})};
}

Task<aws::Reply<ResourceState>> update_service(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json change = Json::object();
  if (const Json* value = after.find("Description")) change.set("Description", *value);
  if (after.contains("DnsConfig")) change.set("DnsConfig", Json::object({{"DnsRecords", with_numbers(after["DnsConfig"]["DnsRecords"])}}));
  if (const Json* value = after.find("HealthCheckConfig")) change.set("HealthCheckConfig", with_numbers(*value));
  CO_TRY(co_await invoke(context, "UpdateService", Json::object({{"Id", current.physical_id}, {"Service", std::move(change)}})));
  CO_TRY(co_await set_attributes(context, current.physical_id, before["ServiceAttributes"], after["ServiceAttributes"]));
  CO_TRY(co_await sync_tags(context, current.attributes.text("Arn"), before["Tags"], after["Tags"]));
  co_return current;
}

Task<aws::Reply<void>> remove_service(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "servicediscovery", "DeleteService", Json::object({{"Id", current.physical_id}}), "ServiceNotFound");
}

// --- AWS::ServiceDiscovery::Instance --------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> put_instance(const ResourceContext& context, Json properties, std::string id) {
  Json attributes = Json::object();
  for (const auto& [name, value] : properties["InstanceAttributes"].as_object()) attributes.set(name, value.scalar_text().value_or(""));
  const Json out = CO_TRY(co_await invoke(context, "RegisterInstance", Json::object({{"ServiceId", properties["ServiceId"]}, {"InstanceId", id}, {"Attributes", std::move(attributes)}})));
  CO_TRY(co_await result_of(context, out.text("OperationId")));
  co_return ResourceState{.physical_id = id, .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> create_instance(const ResourceContext& context, const Json& properties) {
  return put_instance(context, properties, properties.contains("InstanceId") ? properties.text("InstanceId") : context.generated_name(64));
}
Task<aws::Reply<ResourceState>> update_instance(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  return put_instance(context, after, current.physical_id);
}
Task<aws::Reply<void>> remove_instance(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto out = co_await invoke(context, "DeregisterInstance", Json::object({{"ServiceId", properties["ServiceId"]}, {"InstanceId", current.physical_id}}));
  if (!out && out.error().code != "InstanceNotFound" && out.error().code != "ServiceNotFound") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

}  // namespace

const aws::ResourceType kPrivateDnsNamespace{
    .name = "AWS::ServiceDiscovery::PrivateDnsNamespace",
    .properties = {{"Description"}, {"Name", OnChange::kReplace, true}, {"Properties"}, {"Tags"}, {"Vpc", OnChange::kReplace, true}},
    .create = create_private, .update = update_private, .remove = remove_namespace};
const aws::ResourceType kPublicDnsNamespace{
    .name = "AWS::ServiceDiscovery::PublicDnsNamespace",
    .properties = {{"Description"}, {"Name", OnChange::kReplace, true}, {"Properties"}, {"Tags"}},
    .create = create_public, .update = update_public, .remove = remove_namespace};
const aws::ResourceType kHttpNamespace{
    .name = "AWS::ServiceDiscovery::HttpNamespace",
    .properties = {{"Description"}, {"Name", OnChange::kReplace, true}, {"Tags"}},
    .create = create_http, .update = update_http, .remove = remove_namespace};
const aws::ResourceType kService{
    .name = "AWS::ServiceDiscovery::Service",
    .properties = {{"Description"}, {"DnsConfig"}, {"HealthCheckConfig"}, {"HealthCheckCustomConfig", OnChange::kReplace}, {"Name", OnChange::kReplace},
                   {"NamespaceId", OnChange::kReplace}, {"ServiceAttributes"}, {"Tags"}, {"Type", OnChange::kReplace}},
    .create = create_service, .update = update_service, .remove = remove_service};
const aws::ResourceType kInstance{
    .name = "AWS::ServiceDiscovery::Instance",
    .properties = {{"InstanceAttributes", OnChange::kUpdate, true}, {"InstanceId", OnChange::kReplace}, {"ServiceId", OnChange::kReplace, true}},
    .create = create_instance, .update = update_instance, .remove = remove_instance};

}  // namespace reef::service::servicediscovery::resources
