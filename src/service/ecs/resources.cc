// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ECS.html
#include "service/ecs/resources.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/unknown_value.h"
#include "base/text.h"
#include "service/ecs/ecs.h"

namespace reef::service::ecs::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr Duration kSteadyMax = 15min, kLook = 50ms;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "ecs", operation, std::move(input));
}

// Templates write the API's members in upper camel case, and numbers and booleans as text when they like; the shape of
// the operation's input says what is meant. Names that users choose (in maps) stay as they are.
Json to_api(const aws::Shape& shape, const Json& value) {
  using aws::Kind;
  switch (shape.kind) {
    case Kind::kStructure: {
      Json out = Json::object();
      for (const auto& [name, member] : value.as_object()) {
        std::string lower = name;
        if (!lower.empty()) lower[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(lower[0])));
        const aws::Member* found = nullptr;
        // EFSVolumeConfiguration, FSxWindowsFileServerVolumeConfiguration and EnableECSManagedTags differ in more than one letter.
        for (std::uint32_t i = 0; i < shape.member_count; ++i)
          if (equals_ignoring_case(shape.members[i].name, name)) found = &shape.members[i];
        if (found) out.set(found->name, to_api(*found->shape, member));
        else out.set(lower, member);
      }
      return out;
    }
    case Kind::kList: {
      Json out = Json::array();
      for (const Json& one : value.as_array()) out.push_back(to_api(*shape.element, one));
      return out;
    }
    case Kind::kBoolean: return value.is_string() ? Json(value.as_string() == "true") : value;
    case Kind::kInteger:
    case Kind::kLong: return value.is_string() ? Json::number(value.as_string()) : value;
    case Kind::kString: return value.is_string() ? value : Json(value.scalar_text().value_or(""));
    default: return value;
  }
}
template <class Input>
Json input_of(const Json& properties) {
  return to_api(shape_of(static_cast<const Input*>(nullptr)), properties);
}

Json tags_of(const ResourceContext& context, const Json& properties) {
  Json out = Json::array();
  for (const Json* tags : {&context.tags, &properties["Tags"]})
    for (const Json& tag : tags->as_array()) {
      // AWS keeps names that begin with "aws:" for itself; CloudFormation sets them, the API refuses nobody here.
      out.push_back(Json::object({{"key", tag["Key"]}, {"value", tag["Value"].scalar_text().value_or("")}}));
    }
  return out;
}

std::string name_or_generated(const ResourceContext& context, const Json& properties, std::string_view property) {
  const std::string& given = properties.text(property);
  return given.empty() ? context.generated_name(255) : given;
}

// --- Cluster ---------------------------------------------------------------------------------------------------------

std::string identify_cluster(const ResourceContext& context, const Json& properties) { return name_or_generated(context, properties, "ClusterName"); }

Task<aws::Reply<ResourceState>> create_cluster(const ResourceContext& context, const Json& properties) {
  Json input = input_of<model::CreateClusterInput>(properties);
  input.set("clusterName", identify_cluster(context, properties));
  input.set("tags", tags_of(context, properties));
  const Json out = CO_TRY(co_await call(context, "CreateCluster", std::move(input)));
  co_return ResourceState{.physical_id = out["cluster"].text("clusterName"), .attributes = Json::object({{"Arn", out["cluster"]["clusterArn"]}})};
}

Task<aws::Reply<ResourceState>> update_cluster(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json input = input_of<model::CreateClusterInput>(after);
  Json update = Json::object({{"cluster", current.physical_id}});
  for (const std::string_view name : {"settings", "configuration", "serviceConnectDefaults"})
    if (const Json* value = input.find(name)) update.set(name, *value);
  CO_TRY(co_await call(context, "UpdateCluster", std::move(update)));
  if (!(before["CapacityProviders"] == after["CapacityProviders"]) || !(before["DefaultCapacityProviderStrategy"] == after["DefaultCapacityProviderStrategy"])) {
    const auto list = [&](std::string_view name) { return input.find(name) ? *input.find(name) : Json::array(); };
    CO_TRY(co_await call(context, "PutClusterCapacityProviders", Json::object({{"cluster", current.physical_id}, {"capacityProviders", list("capacityProviders")},
                                                                               {"defaultCapacityProviderStrategy", list("defaultCapacityProviderStrategy")}})));
  }
  const Json tags = tags_of(context, after);
  if (tags.size() > 0) CO_TRY(co_await call(context, "TagResource", Json::object({{"resourceArn", current.attributes["Arn"]}, {"tags", tags}})));
  co_return current;
}

Task<aws::Reply<void>> remove_cluster(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ecs", "DeleteCluster", Json::object({{"cluster", current.physical_id}}), "ClusterNotFoundException");
}

// --- TaskDefinition --------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_definition(const ResourceContext& context, const Json& properties) {
  Json input = input_of<model::RegisterTaskDefinitionInput>(properties);
  if (properties.text("Family").empty()) input.set("family", context.generated_name(255));
  input.set("tags", tags_of(context, properties));
  const Json out = CO_TRY(co_await call(context, "RegisterTaskDefinition", std::move(input)));
  const std::string& arn = out["taskDefinition"].text("taskDefinitionArn");
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"TaskDefinitionArn", arn}})};
}

Task<aws::Reply<ResourceState>> update_definition(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  const Json tags = tags_of(context, after);
  if (tags.size() > 0) CO_TRY(co_await call(context, "TagResource", Json::object({{"resourceArn", current.physical_id}, {"tags", tags}})));
  co_return current;
}

Task<aws::Reply<void>> remove_definition(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ecs", "DeregisterTaskDefinition", Json::object({{"taskDefinition", current.physical_id}}), "ClientException");
}

// --- Service ---------------------------------------------------------------------------------------------------------

std::string cluster_of(const Json& properties) {
  const std::string& cluster = properties.text("Cluster");
  return cluster.empty() ? "default" : cluster;
}

ResourceState service_state(const Json& service) {
  return {.physical_id = service.text("serviceArn"), .attributes = Json::object({{"Name", service["serviceName"]}, {"ServiceArn", service["serviceArn"]}})};
}

// As CloudFormation does: the resource is there once its deployment of `definition` is over.
Task<aws::Reply<void>> wait_until_steady(const ResourceContext& context, std::string cluster, std::string service, std::string definition) {
  if (definition.empty()) co_return aws::Reply<void>();  // an external controller deploys
  for (Duration waited{}; waited < kSteadyMax; waited += kLook) {
    const Json out = CO_TRY(co_await call(context, "DescribeServices", Json::object({{"cluster", cluster}, {"services", Json::array({service})}})));
    const Json& deployment = out["services"].at(0)["deployments"].at(0);
    // After a rollback the service is steady again, with what it ran before.
    const bool rolled_back = deployment.text("taskDefinition") != definition;
    if (deployment.text("rolloutState") == "FAILED" || rolled_back)
      co_return std::unexpected(aws::Error("NotStabilized", "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.", 400));
    if (deployment.text("rolloutState") == "COMPLETED") co_return aws::Reply<void>();
    co_await store::Shard::control().reactor().sleep(kLook);
  }
  co_return std::unexpected(aws::Error("NotStabilized", fmt::format("Resource of type 'AWS::ECS::Service' with identifier '{}' did not stabilize.", service), 400));
}

std::string identify_service(const ResourceContext& context, const Json& properties) { return name_or_generated(context, properties, "ServiceName"); }

Task<aws::Reply<ResourceState>> create_service(const ResourceContext& context, const Json& properties) {
  Json input = input_of<model::CreateServiceInput>(properties);
  const std::string name = identify_service(context, properties);
  input.set("serviceName", name);
  input.set("tags", tags_of(context, properties));
  if (!input.contains("desiredCount") && input.text("schedulingStrategy") != "DAEMON") input.set("desiredCount", 1);
  input.erase("role");
  const Json out = CO_TRY(co_await call(context, "CreateService", std::move(input)));
  ResourceState state = service_state(out["service"]);
  auto steady = co_await wait_until_steady(context, cluster_of(properties), name, out["service"].text("taskDefinition"));
  if (!steady) {   // it is there, though it is not well: the rollback removes it
    aws::Error error = std::move(steady).error();
    error.fields = Json::object({{"PhysicalResourceId", state.physical_id}});
    co_return std::unexpected(std::move(error));
  }
  co_return state;
}

Task<aws::Reply<ResourceState>> update_service(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = input_of<model::CreateServiceInput>(after);
  for (const std::string_view name : {"tags", "serviceName", "launchType", "role", "schedulingStrategy", "clientToken"}) input.erase(name);
  input.set("service", current.physical_id);
  input.set("cluster", cluster_of(after));
  const Json out = CO_TRY(co_await call(context, "UpdateService", std::move(input)));
  const Json tags = tags_of(context, after);
  if (tags.size() > 0) CO_TRY(co_await call(context, "TagResource", Json::object({{"resourceArn", current.physical_id}, {"tags", tags}})));
  CO_TRY(co_await wait_until_steady(context, cluster_of(after), current.physical_id, out["service"].text("taskDefinition")));
  co_return current;
}

Task<aws::Reply<void>> remove_service(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const std::string cluster = cluster_of(properties);
  const auto deleted = co_await call(context, "DeleteService", Json::object({{"cluster", cluster}, {"service", current.physical_id}, {"force", true}}));
  if (!deleted && deleted.error().code != "ServiceNotFoundException" && deleted.error().code != "ClusterNotFoundException") co_return std::unexpected(deleted.error());
  if (!deleted) co_return aws::Reply<void>();
  // Its tasks end with it.
  for (Duration waited{}; waited < kSteadyMax; waited += kLook) {
    const auto out = co_await call(context, "DescribeServices", Json::object({{"cluster", cluster}, {"services", Json::array({current.physical_id})}}));
    if (!out || (*out)["services"].size() == 0 || (*out)["services"].at(0).text("status") == "INACTIVE") co_return aws::Reply<void>();
    co_await store::Shard::control().reactor().sleep(kLook);
  }
  co_return std::unexpected(aws::Error("NotStabilized", "The tasks of the service did not stop.", 400));
}

// --- TaskSet and PrimaryTaskSet ----------------------------------------------------------------------------------------

Json task_set_of(const Json& properties, std::string_view id) {
  return Json::object({{"cluster", properties["Cluster"]}, {"service", properties["Service"]}, {"taskSet", id}});
}

Task<aws::Reply<void>> wait_for_task_set(const ResourceContext& context, const Json& properties, std::string id) {
  Json input = task_set_of(properties, id);
  input.erase("taskSet");
  input.set("taskSets", Json::array({id}));
  for (Duration waited{}; waited < kSteadyMax; waited += kLook) {
    const Json out = CO_TRY(co_await call(context, "DescribeTaskSets", input));
    if (out["taskSets"].at(0).text("stabilityStatus") == "STEADY_STATE") co_return aws::Reply<void>();
    co_await store::Shard::control().reactor().sleep(kLook);
  }
  co_return std::unexpected(aws::Error("NotStabilized", fmt::format("Resource of type 'AWS::ECS::TaskSet' with identifier '{}' did not stabilize.", id), 400));
}

Task<aws::Reply<ResourceState>> create_task_set(const ResourceContext& context, const Json& properties) {
  Json input = input_of<model::CreateTaskSetInput>(properties);
  const Json tags = tags_of(context, properties);
  if (tags.size() > 0) input.set("tags", tags);
  const Json out = CO_TRY(co_await call(context, "CreateTaskSet", std::move(input)));
  const std::string id = out["taskSet"].text("id");
  CO_TRY(co_await wait_for_task_set(context, properties, id));
  co_return ResourceState{.physical_id = fmt::format("{}|{}|{}", properties.text("Cluster"), properties.text("Service"), id), .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<ResourceState>> update_task_set(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  const std::string id = current.attributes.text("Id");
  Json input = task_set_of(after, id);
  input.set("scale", input_of<model::CreateTaskSetInput>(after)["scale"]);
  CO_TRY(co_await call(context, "UpdateTaskSet", std::move(input)));
  CO_TRY(co_await wait_for_task_set(context, after, id));
  co_return current;
}
Task<aws::Reply<void>> remove_task_set(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  Json input = task_set_of(properties, current.attributes.text("Id"));
  input.set("force", true);
  const auto gone = co_await call(context, "DeleteTaskSet", std::move(input));
  if (gone || gone.error().code == "TaskSetNotFoundException" || gone.error().code == "ServiceNotFoundException" || gone.error().code == "ServiceNotActiveException") co_return aws::Reply<void>();
  co_return std::unexpected(gone.error());
}

Task<aws::Reply<ResourceState>> put_primary(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "UpdateServicePrimaryTaskSet",
                       Json::object({{"cluster", properties["Cluster"]}, {"service", properties["Service"]}, {"primaryTaskSet", properties["TaskSetId"]}})));
  co_return ResourceState{.physical_id = fmt::format("{}|{}", properties.text("Cluster"), properties.text("Service")), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_primary(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return put_primary(context, after); }
// The service keeps its primary task set: there is no way back.
Task<aws::Reply<void>> remove_primary(const ResourceContext&, const ResourceState&, const Json&) { co_return aws::Reply<void>(); }

// --- What can be refused before anything is made -------------------------------------------------------------------------

// Without what is not known yet.
Json known_part(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& one : value.as_array())
      if (!aws::is_unknown(one)) out.push_back(known_part(one));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, one] : value.as_object())
    if (!aws::is_unknown(one)) out.set(name, known_part(one));
  return out;
}

std::string check_definition(const Json& properties) {
  if (aws::is_unknown(properties["NetworkMode"]) || !properties["ContainerDefinitions"].is_array()) return {};
  const auto definition = aws::from_json<model::TaskDefinition>(input_of<model::TaskDefinition>(known_part(properties)));
  if (!definition || !definition->container_definitions) return {};   // what is malformed is refused in the API's own words
  const auto checked = check_supported(*definition);
  return checked ? std::string() : checked.error().message;
}
std::string check_service_values(const Json& properties) {
  if (properties["VolumeConfigurations"].size() > 0) return "VolumeConfigurations of a service is not supported by this version of Atoll.";
  const std::string& controller = properties["DeploymentController"].text("Type");
  return controller.empty() || controller == "ECS" || controller == "EXTERNAL" ? std::string() : fmt::format("the deployment controller {} is not supported by this version of Atoll.", controller);
}

}  // namespace

const aws::ResourceType kTaskSet{
    .name = "AWS::ECS::TaskSet",
    .properties = {{"CapacityProviderStrategy", OnChange::kReplace}, {"Cluster", OnChange::kReplace, true}, {"ExternalId", OnChange::kReplace}, {"LaunchType", OnChange::kReplace},
                   {"LoadBalancers", OnChange::kReplace}, {"NetworkConfiguration", OnChange::kReplace}, {"PlatformVersion", OnChange::kReplace}, {"Scale"},
                   {"Service", OnChange::kReplace, true}, {"ServiceRegistries", OnChange::kReplace}, {"Tags", OnChange::kIgnore}, {"TaskDefinition", OnChange::kReplace, true}},
    .create = create_task_set, .update = update_task_set, .remove = remove_task_set};

const aws::ResourceType kPrimaryTaskSet{
    .name = "AWS::ECS::PrimaryTaskSet",
    .properties = {{"Cluster", OnChange::kReplace, true}, {"Service", OnChange::kReplace, true}, {"TaskSetId", OnChange::kUpdate, true}},
    .create = put_primary, .update = update_primary, .remove = remove_primary};

const aws::ResourceType kCluster{
    .name = "AWS::ECS::Cluster",
    .properties = {{"CapacityProviders"}, {"ClusterName", OnChange::kReplace}, {"ClusterSettings"}, {"Configuration"}, {"DefaultCapacityProviderStrategy"},
                   {"ServiceConnectDefaults"}, {"Tags"}},
    .create = create_cluster, .identify = identify_cluster, .update = update_cluster, .remove = remove_cluster};

const aws::ResourceType kTaskDefinition{
    .name = "AWS::ECS::TaskDefinition",
    .properties = {{"ContainerDefinitions", OnChange::kReplace}, {"Cpu", OnChange::kReplace}, {"EnableFaultInjection", OnChange::kReplace},
                   {"EphemeralStorage", OnChange::kReplace}, {"ExecutionRoleArn", OnChange::kReplace}, {"Family", OnChange::kReplace},
                   {"InferenceAccelerators", OnChange::kReplace}, {"IpcMode", OnChange::kReplace}, {"Memory", OnChange::kReplace}, {"NetworkMode", OnChange::kReplace},
                   {"PidMode", OnChange::kReplace}, {"PlacementConstraints", OnChange::kReplace}, {"ProxyConfiguration", OnChange::kReplace},
                   {"RequiresCompatibilities", OnChange::kReplace}, {"RuntimePlatform", OnChange::kReplace}, {"Tags"}, {"TaskRoleArn", OnChange::kReplace},
                   {"Volumes", OnChange::kReplace}},
    .check = check_definition, .create = create_definition, .update = update_definition, .remove = remove_definition};

const aws::ResourceType kService{
    .name = "AWS::ECS::Service",
    .properties = {{"AvailabilityZoneRebalancing"}, {"CapacityProviderStrategy"}, {"Cluster", OnChange::kReplace}, {"DeploymentConfiguration"},
                   {"DeploymentController", OnChange::kReplace}, {"DesiredCount"}, {"EnableECSManagedTags"}, {"EnableExecuteCommand"}, {"HealthCheckGracePeriodSeconds"},
                   {"LaunchType", OnChange::kReplace}, {"LoadBalancers"}, {"NetworkConfiguration"}, {"PlacementConstraints"}, {"PlacementStrategies"}, {"PlatformVersion"},
                   {"PropagateTags"}, {"Role", OnChange::kReplace}, {"SchedulingStrategy", OnChange::kReplace}, {"ServiceConnectConfiguration"},
                   {"ServiceName", OnChange::kReplace}, {"ServiceRegistries"}, {"Tags"}, {"TaskDefinition"}, {"VolumeConfigurations"}},
    .check = check_service_values, .create = create_service, .identify = identify_service, .update = update_service, .remove = remove_service};

}  // namespace reef::service::ecs::resources
