// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html and the other operations on services.
#include <fmt/format.h>

#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"
#include "service/ecs/operations/service_checks.h"
#include "service/ecs/operations/strategy.h"
#include "service/ecs/service_connect.h"

namespace reef::service::ecs::operations {
namespace {

Reply<void> check_connect_controller(const std::optional<model::ServiceConnectConfiguration>& connect, bool external) {
  if (connect && connect->enabled && external) return Err(aws::not_implemented("serviceConnectConfiguration with the deployment controller EXTERNAL"));
  return {};
}

bool offers(const std::optional<model::ServiceConnectConfiguration>& connect) { return connect && connect->enabled && connect->services && !connect->services->empty(); }

template <class In>
Reply<void> check_unsupported(const In& in) {
  if (in.volume_configurations && !in.volume_configurations->empty()) return Err(aws::not_implemented("volumeConfigurations of a service"));
  if (in.vpc_lattice_configurations && !in.vpc_lattice_configurations->empty()) return Err(aws::not_implemented("vpcLatticeConfigurations of a service"));
  if (in.deployment_controller && in.deployment_controller->type != "ECS" && in.deployment_controller->type != "EXTERNAL") return Err(aws::not_implemented("the deployment controller " + in.deployment_controller->type));
  return {};
}

// With an external controller what is deployed is in task sets.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
Reply<void> check_external(const model::CreateServiceInput& in) {
  const auto no = [](std::string_view what) { return Err(invalid(fmt::format("{} cannot be specified for a service with an EXTERNAL deployment controller.", what))); };
  if (in.task_definition) return no("taskDefinition");
  if (in.load_balancers && !in.load_balancers->empty()) return no("loadBalancers");
  if (in.service_registries && !in.service_registries->empty()) return no("serviceRegistries");
  if (in.network_configuration) return no("networkConfiguration");
  if (in.launch_type) return no("launchType");
  if (in.platform_version) return no("platformVersion");
  if (in.scheduling_strategy == "DAEMON") return no("The DAEMON scheduling strategy");
  if (in.deployment_configuration && in.deployment_configuration->strategy.value_or("ROLLING") != "ROLLING") return no("A deployment strategy");
  return {};
}

Reply<void> check_external_update(const model::UpdateServiceInput& in) {
  const auto no = [](std::string_view what) { return Err(invalid(fmt::format("Unable to update {} on services with an EXTERNAL deployment controller.", what))); };
  if (in.task_definition) return no("task definition");
  if (in.force_new_deployment.value_or(false)) return Err(invalid("Cannot force a new deployment on services with an EXTERNAL deployment controller."));
  if (in.load_balancers) return no("load balancers");
  if (in.service_registries) return no("service registries");
  if (in.network_configuration) return no("network configuration");
  if (in.platform_version) return no("platform version");
  return {};
}

}  // namespace

Task<Reply<model::CreateServiceOutput>> CreateService(Ecs& ecs, const model::CreateServiceInput& in, const Call& call) {
  CO_TRY(co_await check_network(ecs, call, in.network_configuration));
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  CO_TRY(check_unsupported(in));
  const bool external = in.deployment_controller && in.deployment_controller->type == "EXTERNAL";
  if (!external && !in.task_definition) co_return Err(invalid("TaskDefinition cannot be blank."));
  if (external) CO_TRY(check_external(in));
  const StoredDefinition* definition = external ? nullptr : CO_TRY(active_definition(ecs, call, *in.task_definition));
  CO_TRY(check_strategy(in.deployment_configuration, in.load_balancers, offers(in.service_connect_configuration)));
  CO_TRY(check_connect_controller(in.service_connect_configuration, external));
  if (definition) CO_TRY(check_balancers(in.load_balancers, definition->definition));
  const ServicePtr existing = find_service(ecs, call, *cluster, in.service_name);
  if (existing && existing->is_active) {
    if (in.client_token && !in.client_token->empty() && *in.client_token == existing->client_token) co_return model::CreateServiceOutput{.service = describe(*existing)};
    co_return Err(invalid("Creation of service was not idempotent."));
  }
  const bool is_daemon = in.scheduling_strategy == "DAEMON";
  if (is_daemon && in.desired_count) co_return Err(invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again"));
  if (!is_daemon && !in.desired_count) co_return Err(invalid("desiredCount must be set for REPLICA services."));
  auto stored = std::make_shared<StoredService>();
  stored->account = call.account;
  stored->region = call.region;
  stored->cluster = *cluster->cluster.cluster_name;
  stored->name = in.service_name;
  stored->client_token = in.client_token.value_or("");
  model::Service& service = stored->service;
  service.service_arn = call.arn("ecs", fmt::format("service/{}/{}", stored->cluster, in.service_name));
  service.service_name = in.service_name;
  service.cluster_arn = cluster->cluster.cluster_arn;
  service.load_balancers = in.load_balancers.value_or(std::vector<model::LoadBalancer>{});
  service.service_registries = in.service_registries.value_or(std::vector<model::ServiceRegistry>{});
  service.status = "ACTIVE";
  const bool by_provider = in.capacity_provider_strategy && !in.capacity_provider_strategy->empty();
  service.launch_type = in.launch_type.value_or(by_provider ? "FARGATE" : "EC2");
  service.capacity_provider_strategy = in.capacity_provider_strategy;
  if (service.launch_type == "FARGATE") {
    service.platform_version = in.platform_version.value_or("LATEST");
    service.platform_family = "Linux";
  }
  service.deployment_configuration = in.deployment_configuration.value_or(model::DeploymentConfiguration{});
  auto& configuration = *service.deployment_configuration;
  if (!configuration.deployment_circuit_breaker) configuration.deployment_circuit_breaker = model::DeploymentCircuitBreaker{.enable = false, .rollback = false};
  if (!configuration.maximum_percent) configuration.maximum_percent = is_daemon ? 100 : 200;
  if (!configuration.minimum_healthy_percent) configuration.minimum_healthy_percent = is_daemon ? 0 : 100;
  service.placement_constraints = in.placement_constraints.value_or(std::vector<model::PlacementConstraint>{});
  service.placement_strategy = in.placement_strategy.value_or(std::vector<model::PlacementStrategy>{});
  service.network_configuration = in.network_configuration;
  service.health_check_grace_period_seconds = in.health_check_grace_period_seconds;
  if (!service.load_balancers->empty() && !service.health_check_grace_period_seconds) service.health_check_grace_period_seconds = 0;
  service.scheduling_strategy = is_daemon ? "DAEMON" : "REPLICA";
  service.deployment_controller = in.deployment_controller;
  service.created_at = call.now;
  service.created_by = call.principal.arn;
  service.tags = in.tags.value_or(std::vector<model::Tag>{});
  service.enable_ecs_managed_tags = in.enable_ecs_managed_tags.value_or(false);
  service.propagate_tags = in.propagate_tags.value_or("NONE");
  service.enable_execute_command = in.enable_execute_command.value_or(false);
  service.availability_zone_rebalancing = in.availability_zone_rebalancing.value_or("ENABLED");
  if (definition) CO_TRY(check_launch(launch_of(*definition, in.network_configuration, service.launch_type)));
  std::optional<model::ServiceConnectConfiguration> connect;
  if (in.service_connect_configuration && definition) {
    const model::TaskDefinition kept = definition->definition;
    connect = CO_TRY(co_await check_connect(ecs, call, *in.service_connect_configuration, *cluster, kept));
    CO_TRY(co_await make_discovery(ecs, call, *connect, *stored));
    definition = CO_TRY(active_definition(ecs, call, *in.task_definition));
    if (const auto other = find_service(ecs, call, *cluster, in.service_name); other && other->is_active) co_return Err(invalid("Creation of service was not idempotent."));
  }
  if (existing) ecs.services.erase(scope(call, stored->cluster + "/" + in.service_name));
  ecs.services.emplace(scope(call, stored->cluster + "/" + in.service_name), stored);
  stored->machine.set_desired(is_daemon ? 1 : *in.desired_count, call.now);
  if (definition) new_deployment(ecs, *stored, *definition->definition.task_definition_arn, false, call.now, std::move(connect));
  else apply_rule(ecs, *stored);
  drive(ecs, stored);
  watch_alarms(ecs, stored);
  co_await committed();
  co_return model::CreateServiceOutput{.service = describe(*stored)};
}

Task<Reply<model::UpdateServiceOutput>> UpdateService(Ecs& ecs, const model::UpdateServiceInput& in, const Call& call) {
  CO_TRY(co_await check_network(ecs, call, in.network_configuration));
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  const ServicePtr stored = find_service(ecs, call, *cluster, in.service);
  if (!stored) co_return Err(aws::Error(errors::kServiceNotFoundException, "Service not found."));
  if (!stored->is_active || stored->service.status != "ACTIVE") co_return Err(aws::Error(errors::kServiceNotActiveException, "Service was not ACTIVE."));
  CO_TRY(check_unsupported(in));
  auto connects = in.service_connect_configuration;
  if (!connects && !stored->machine.deployments().empty())
    if (const auto current = stored->deployments.find(stored->machine.deployments().front().id); current != stored->deployments.end()) connects = current->second.service_connect_configuration;
  CO_TRY(check_connect_controller(connects, is_external(stored->service)));
  CO_TRY(check_strategy(merged(in.deployment_configuration, stored->service.deployment_configuration), in.load_balancers ? in.load_balancers : stored->service.load_balancers, offers(connects)));
  model::Service& service = stored->service;
  if (is_external(service)) {
    CO_TRY(check_external_update(in));
    if (in.health_check_grace_period_seconds) service.health_check_grace_period_seconds = in.health_check_grace_period_seconds;
    if (in.enable_ecs_managed_tags) service.enable_ecs_managed_tags = in.enable_ecs_managed_tags;
    if (in.propagate_tags) service.propagate_tags = in.propagate_tags;
    if (in.desired_count) stored->machine.set_desired(*in.desired_count, call.now);
    apply_rule(ecs, *stored);
    drive(ecs, stored);
    co_await committed();
    co_return model::UpdateServiceOutput{.service = describe(*stored)};
  }
  // A definition that was deregistered meanwhile goes on serving the services that have it.
  const StoredDefinition* definition = in.task_definition ? CO_TRY(active_definition(ecs, call, *in.task_definition)) : find_definition(ecs, call.account, call.region, *service.task_definition);
  if (!definition) co_return Err(aws::Error(errors::kClientException, "TaskDefinition not found."));
  CO_TRY(check_balancers(in.load_balancers ? in.load_balancers : service.load_balancers, definition->definition));
  CO_TRY(check_launch(launch_of(*definition, in.network_configuration ? in.network_configuration : service.network_configuration, service.launch_type)));
  const std::string arn = *definition->definition.task_definition_arn;
  std::optional<model::ServiceConnectConfiguration> connect;
  if (in.service_connect_configuration) {
    const model::TaskDefinition kept = definition->definition;
    connect = CO_TRY(co_await check_connect(ecs, call, *in.service_connect_configuration, *cluster, kept));
    CO_TRY(co_await make_discovery(ecs, call, *connect, *stored));
  }
  const bool deploys = connect || in.force_new_deployment.value_or(false) || arn != *service.task_definition || (in.network_configuration && in.network_configuration != service.network_configuration) ||
                       (in.load_balancers && in.load_balancers != service.load_balancers) || (in.service_registries && in.service_registries != service.service_registries) ||
                       (in.platform_version && in.platform_version != service.platform_version);
  if (in.network_configuration) service.network_configuration = in.network_configuration;
  if (in.load_balancers) service.load_balancers = in.load_balancers;
  if (in.service_registries) service.service_registries = in.service_registries;
  if (in.platform_version) service.platform_version = in.platform_version;
  if (in.capacity_provider_strategy) service.capacity_provider_strategy = in.capacity_provider_strategy;
  if (in.deployment_configuration) {
    service.deployment_configuration = merged(in.deployment_configuration, service.deployment_configuration);
  }
  if (in.placement_constraints) service.placement_constraints = in.placement_constraints;
  if (in.placement_strategy) service.placement_strategy = in.placement_strategy;
  if (in.health_check_grace_period_seconds) service.health_check_grace_period_seconds = in.health_check_grace_period_seconds;
  if (in.availability_zone_rebalancing) service.availability_zone_rebalancing = in.availability_zone_rebalancing;
  if (in.enable_execute_command) service.enable_execute_command = in.enable_execute_command;
  if (in.enable_ecs_managed_tags) service.enable_ecs_managed_tags = in.enable_ecs_managed_tags;
  if (in.propagate_tags) service.propagate_tags = in.propagate_tags;
  if (in.desired_count) stored->machine.set_desired(*in.desired_count, call.now);
  if (deploys) {
    new_deployment(ecs, *stored, arn, false, call.now, std::move(connect));
  } else {
    apply_rule(ecs, *stored);
    if (in.deployment_configuration) connect_service(ecs, *stored);   // the strategy says how many nodes there are
  }
  drive(ecs, stored);
  watch_alarms(ecs, stored);
  co_await committed();
  co_return model::UpdateServiceOutput{.service = describe(*stored)};
}

Task<Reply<model::DeleteServiceOutput>> DeleteService(Ecs& ecs, const model::DeleteServiceInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  const ServicePtr stored = find_service(ecs, call, *cluster, in.service);
  if (!stored || !stored->is_active) co_return Err(aws::Error(errors::kServiceNotFoundException, "Service not found."));
  if (!in.force.value_or(false) && stored->service.scheduling_strategy == "REPLICA" && stored->machine.desired() > 0)
    co_return Err(invalid("The service cannot be stopped while it is scaled above 0."));
  stored->service.status = "DRAINING";
  stored->shift.abandon("The service was deleted.", call.now);
  for (const task::Deployment& one : std::vector(stored->machine.deployments()))
    if (shifts(stored->service) || is_external(stored->service)) stored->machine.retire(one.id);
  for (auto& [id, one] : stored->task_sets) one.set.status = "DRAINING";
  stored->machine.drain(call.now);
  drive(ecs, stored);
  watch_alarms(ecs, stored);
  co_await committed();
  co_return model::DeleteServiceOutput{.service = describe(*stored)};
}

Task<Reply<model::DescribeServicesOutput>> DescribeServices(Ecs& ecs, const model::DescribeServicesInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  if (in.services.empty()) co_return Err(invalid("Services cannot be empty."));
  if (in.services.size() > 10) co_return Err(invalid("Services can have at most 10 items."));
  const bool tags = in.include && std::find(in.include->begin(), in.include->end(), "TAGS") != in.include->end();
  model::DescribeServicesOutput out;
  out.services.emplace();
  out.failures.emplace();
  for (const std::string& wanted : in.services) {
    const ServicePtr stored = find_service(ecs, call, *cluster, wanted);
    if (!stored) {
      out.failures->push_back({.arn = wanted.starts_with("arn:") ? wanted : call.arn("ecs", fmt::format("service/{}/{}", *cluster->cluster.cluster_name, wanted)), .reason = "MISSING", .detail = {}});
      continue;
    }
    out.services->push_back(describe(*stored));
    if (!tags) out.services->back().tags.reset();
  }
  co_return out;
}

Task<Reply<model::ListServicesOutput>> ListServices(Ecs& ecs, const model::ListServicesInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  std::vector<std::string> arns;
  for (const auto& [key, service] : ecs.services) {
    if (!key.starts_with(scope(call, *cluster->cluster.cluster_name + "/")) || !service->is_active) continue;
    if (in.launch_type && service->service.launch_type != *in.launch_type) continue;
    if (in.scheduling_strategy && service->service.scheduling_strategy != *in.scheduling_strategy) continue;
    arns.push_back(*service->service.service_arn);
  }
  co_return cut_page<model::ListServicesOutput>(std::move(arns), in.next_token, in.max_results ? in.max_results : std::optional<std::int32_t>(10), &model::ListServicesOutput::service_arns);
}

}  // namespace reef::service::ecs::operations
