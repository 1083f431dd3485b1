// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateTaskSet.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateTaskSet.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskSet.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskSets.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateServicePrimaryTaskSet.html
#include <fmt/format.h>

#include "base/random.h"
#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"
#include "service/ecs/operations/service_checks.h"

namespace reef::service::ecs::operations {
namespace {

Reply<ServicePtr> external_service(Ecs& ecs, const Call& call, const std::string& cluster_name, const std::string& name) {
  const StoredCluster* cluster = TRY(find_cluster(ecs, call, cluster_name));
  const ServicePtr service = find_service(ecs, call, *cluster, name);
  if (!service) return Err(aws::Error(errors::kServiceNotFoundException, "Service not found."));
  if (!service->is_active || service->service.status != "ACTIVE") return Err(aws::Error(errors::kServiceNotActiveException, "Service was not ACTIVE."));
  if (!is_external(service->service)) return Err(invalid("Amazon ECS only supports task set management on services with EXTERNAL deployment controllers."));
  return service;
}

// By id, without its beginning, or ARN.
Reply<StoredTaskSet*> find_set(StoredService& service, std::string_view wanted) {
  const auto found = service.task_sets.find(fmt::format("ecs-svc/{}", last_part(wanted)));
  if (found == service.task_sets.end()) return Err(aws::Error(errors::kTaskSetNotFoundException, "The specified task set does not exist."));
  return &found->second;
}

Reply<double> read_scale(const std::optional<model::Scale>& scale) {
  const double value = scale ? scale->value.value_or(100) : 100;
  if (value < 0 || value > 100) return Err(invalid("Scale value must be between 0 and 100."));
  return value;
}

}  // namespace

Task<Reply<model::CreateTaskSetOutput>> CreateTaskSet(Ecs& ecs, const model::CreateTaskSetInput& in, const Call& call) {
  CO_TRY(co_await check_network(ecs, call, in.network_configuration));
  const ServicePtr service = CO_TRY(external_service(ecs, call, in.cluster, in.service));
  for (const auto& [id, one] : service->task_sets)
    if (in.client_token && !in.client_token->empty() && one.client_token == *in.client_token) co_return model::CreateTaskSetOutput{.task_set = describe(*service, one)};
  constexpr std::size_t kSetsMax = 5;
  if (service->task_sets.size() >= kSetsMax) co_return Err(aws::Error(errors::kLimitExceededException, fmt::format("A service can have at most {} task sets.", kSetsMax)));
  const StoredDefinition* definition = CO_TRY(active_definition(ecs, call, in.task_definition));
  const double scale = CO_TRY(read_scale(in.scale));
  CO_TRY(check_balancers(in.load_balancers, definition->definition));
  const bool by_provider = in.capacity_provider_strategy && !in.capacity_provider_strategy->empty();
  const std::string launch_type = in.launch_type.value_or(by_provider ? "FARGATE" : service->service.launch_type.value_or("EC2"));
  CO_TRY(check_launch(launch_of(*definition, in.network_configuration, launch_type)));
  const std::string id = "ecs-svc/" + make_token(thread_random(), 19, "123456789");
  StoredTaskSet& stored = service->task_sets[id];
  stored.client_token = in.client_token.value_or("");
  stored.set = {.id = id, .task_set_arn = call.arn("ecs", fmt::format("task-set/{}/{}/{}", service->cluster, service->name, id)), .service_arn = service->service.service_arn,
                .cluster_arn = service->service.cluster_arn, .external_id = in.external_id, .status = "ACTIVE", .task_definition = definition->definition.task_definition_arn,
                .created_at = call.now, .updated_at = call.now, .launch_type = launch_type, .capacity_provider_strategy = in.capacity_provider_strategy,
                .network_configuration = in.network_configuration, .load_balancers = in.load_balancers.value_or(std::vector<model::LoadBalancer>{}),
                .service_registries = in.service_registries.value_or(std::vector<model::ServiceRegistry>{}), .scale = model::Scale{.value = scale, .unit = "PERCENT"},
                .stability_status = "STABILIZING", .stability_status_at = call.now, .tags = in.tags.value_or(std::vector<model::Tag>{})};
  if (launch_type == "FARGATE") {
    stored.set.platform_version = in.platform_version.value_or("LATEST");
    stored.set.platform_family = "Linux";
  }
  service->deployments[id] = {.id = id, .task_definition = definition->definition.task_definition_arn, .created_at = call.now, .launch_type = launch_type,
                              .platform_version = stored.set.platform_version, .network_configuration = in.network_configuration};
  service->machine.deploy({.id = id, .version = *definition->definition.task_definition_arn, .created = call.now, .updated = call.now, .share = scale});
  apply_rule(ecs, *service);
  drive(ecs, service);
  co_await committed();
  co_return model::CreateTaskSetOutput{.task_set = describe(*service, service->task_sets[id])};
}

Task<Reply<model::UpdateTaskSetOutput>> UpdateTaskSet(Ecs& ecs, const model::UpdateTaskSetInput& in, const Call& call) {
  const ServicePtr service = CO_TRY(external_service(ecs, call, in.cluster, in.service));
  StoredTaskSet* stored = CO_TRY(find_set(*service, in.task_set));
  const double scale = CO_TRY(read_scale(in.scale));
  if (stored->set.status == "DRAINING") co_return Err(invalid("The specified task set is draining."));
  stored->set.scale = model::Scale{.value = scale, .unit = "PERCENT"};
  stored->set.updated_at = call.now;
  service->machine.set_share(*stored->set.id, scale, call.now);
  drive(ecs, service);
  model::UpdateTaskSetOutput out{.task_set = describe(*service, *stored)};
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteTaskSetOutput>> DeleteTaskSet(Ecs& ecs, const model::DeleteTaskSetInput& in, const Call& call) {
  const ServicePtr service = CO_TRY(external_service(ecs, call, in.cluster, in.service));
  StoredTaskSet* stored = CO_TRY(find_set(*service, in.task_set));
  if (!in.force.value_or(false) && (stored->set.scale->value.value_or(0) > 0 || stored->set.status == "PRIMARY"))
    co_return Err(invalid("The task set cannot be deleted while it is scaled above 0. Use the force option to delete it anyway."));
  stored->set.status = "DRAINING";
  stored->set.scale->value = 0;
  stored->set.updated_at = call.now;
  model::DeleteTaskSetOutput out;
  service->machine.retire(*stored->set.id);
  out.task_set = describe(*service, *stored);
  drive(ecs, service);
  co_await committed();
  co_return out;
}

Task<Reply<model::DescribeTaskSetsOutput>> DescribeTaskSets(Ecs& ecs, const model::DescribeTaskSetsInput& in, const Call& call) {
  const ServicePtr service = CO_TRY(external_service(ecs, call, in.cluster, in.service));
  const bool tags = in.include && std::find(in.include->begin(), in.include->end(), "TAGS") != in.include->end();
  model::DescribeTaskSetsOutput out;
  auto& sets = out.task_sets.emplace();
  out.failures.emplace();
  const auto show = [&](const StoredTaskSet& stored) {
    sets.push_back(describe(*service, stored));
    if (!tags) sets.back().tags.reset();
  };
  if (!in.task_sets || in.task_sets->empty()) {
    for (const auto& [id, stored] : service->task_sets) show(stored);
    co_return out;
  }
  for (const std::string& wanted : *in.task_sets) {
    if (const auto found = find_set(*service, wanted)) show(**found);
    else out.failures->push_back({.arn = wanted, .reason = "MISSING", .detail = {}});
  }
  co_return out;
}

Task<Reply<model::UpdateServicePrimaryTaskSetOutput>> UpdateServicePrimaryTaskSet(Ecs& ecs, const model::UpdateServicePrimaryTaskSetInput& in, const Call& call) {
  const ServicePtr service = CO_TRY(external_service(ecs, call, in.cluster, in.service));
  StoredTaskSet* stored = CO_TRY(find_set(*service, in.primary_task_set));
  if (stored->set.status == "DRAINING") co_return Err(invalid("The specified task set is draining."));
  for (auto& [id, other] : service->task_sets)
    if (other.set.status == "PRIMARY") other.set.status = "ACTIVE";
  stored->set.status = "PRIMARY";
  stored->set.updated_at = call.now;
  // The service shows what its primary task set has.
  service->service.task_definition = stored->set.task_definition;
  service->service.launch_type = stored->set.launch_type;
  service->service.platform_version = stored->set.platform_version;
  service->service.network_configuration = stored->set.network_configuration;
  model::UpdateServicePrimaryTaskSetOutput out{.task_set = describe(*service, *stored)};
  save(*service);
  co_await committed();
  co_return out;
}

}  // namespace reef::service::ecs::operations
