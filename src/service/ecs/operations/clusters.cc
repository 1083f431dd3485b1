// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html and the other operations on clusters.
#include <fmt/format.h>

#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"
#include "service/ecs/service_connect.h"

namespace reef::service::ecs::operations {
namespace {

bool wants(const std::optional<std::vector<std::string>>& include, std::string_view what) {
  return include && std::find(include->begin(), include->end(), what) != include->end();
}

// With the counts of now.
model::Cluster describe_cluster(const Ecs& ecs, const StoredCluster& stored, bool tags = true, bool settings = true) {
  model::Cluster out = stored.cluster;
  out.registered_container_instances_count = 0;
  out.running_tasks_count = out.pending_tasks_count = out.active_services_count = 0;
  for (const auto& [id, task] : ecs.all_tasks) {
    if (task->account != stored.account || task->region != stored.region || task->cluster != *stored.cluster.cluster_name) continue;
    if (task->task.last_status == "RUNNING") ++*out.running_tasks_count;
    if (task->task.last_status == "PENDING" || task->task.last_status == "PROVISIONING") ++*out.pending_tasks_count;
  }
  for (const auto& [key, service] : ecs.services)
    if (service->is_active && service->account == stored.account && service->region == stored.region && service->cluster == *stored.cluster.cluster_name) ++*out.active_services_count;
  if (!tags) out.tags.emplace();
  if (!settings) out.settings.emplace();
  return out;
}

}  // namespace

Task<Reply<model::CreateClusterOutput>> CreateCluster(Ecs& ecs, const model::CreateClusterInput& in, const Call& call) {
  const std::string name = in.cluster_name.value_or("default");
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
  if (name.empty() || name.size() > 255 || !std::all_of(name.begin(), name.end(), is_word))
    co_return Err(aws::Error(errors::kInvalidParameterException, "Invalid cluster name: only alphanumeric characters, dashes and underscores are allowed, at most 255."));
  const auto existing = ecs.clusters.find(scope(call, name));
  if (existing != ecs.clusters.end()) co_return model::CreateClusterOutput{.cluster = describe_cluster(ecs, existing->second)};
  StoredCluster stored{.cluster = {}, .account = call.account, .region = call.region};
  stored.cluster.cluster_arn = call.arn("ecs", "cluster/" + name);
  stored.cluster.cluster_name = name;
  stored.cluster.configuration = in.configuration;
  stored.cluster.status = "ACTIVE";
  stored.cluster.statistics.emplace();
  stored.cluster.tags = in.tags.value_or(std::vector<model::Tag>{});
  stored.cluster.settings = in.settings.value_or(std::vector<model::ClusterSetting>{{.name = "containerInsights", .value = "disabled"}});
  stored.cluster.capacity_providers = in.capacity_providers.value_or(std::vector<std::string>{});
  stored.cluster.default_capacity_provider_strategy = in.default_capacity_provider_strategy.value_or(std::vector<model::CapacityProviderStrategyItem>{});
  if (in.service_connect_defaults) stored.cluster.service_connect_defaults.emplace().namespace_ = CO_TRY(co_await default_namespace(ecs, call, in.service_connect_defaults->namespace_));
  save(stored);
  const StoredCluster& kept = ecs.clusters.emplace(scope(call, name), std::move(stored)).first->second;
  model::CreateClusterOutput out{.cluster = describe_cluster(ecs, kept)};
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteClusterOutput>> DeleteCluster(Ecs& ecs, const model::DeleteClusterInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  model::DeleteClusterOutput out{.cluster = describe_cluster(ecs, *cluster)};
  if (*out.cluster->active_services_count > 0)
    co_return Err(aws::Error(errors::kClusterContainsServicesException, "The Cluster cannot be deleted while Services are active."));
  if (*out.cluster->running_tasks_count + *out.cluster->pending_tasks_count > 0)
    co_return Err(aws::Error(errors::kClusterContainsTasksException, "The Cluster cannot be deleted while Tasks are active."));
  out.cluster->status = "INACTIVE";
  // What its tasks and services left in the records goes with it.
  const std::string name = *cluster->cluster.cluster_name;
  std::erase_if(ecs.all_tasks, [&](const auto& one) {
    const StoredTask& task = *one.second;
    const bool gone = task.account == call.account && task.region == call.region && task.cluster == name && task.task.last_status == "STOPPED";
    if (gone) erase_record(task);
    return gone;
  });
  std::erase_if(ecs.services, [&](const auto& one) {
    const StoredService& service = *one.second;
    const bool gone = service.account == call.account && service.region == call.region && service.cluster == name;
    if (gone) erase_record(service);
    return gone;
  });
  erase_record(*cluster);
  ecs.clusters.erase(scope(call, name));
  co_await committed();
  co_return out;
}

Task<Reply<model::DescribeClustersOutput>> DescribeClusters(Ecs& ecs, const model::DescribeClustersInput& in, const Call& call) {
  model::DescribeClustersOutput out;
  out.clusters.emplace();
  out.failures.emplace();
  for (const std::string& wanted : in.clusters && !in.clusters->empty() ? *in.clusters : std::vector<std::string>{"default"}) {
    const auto cluster = find_cluster(ecs, call, wanted);
    if (cluster) out.clusters->push_back(describe_cluster(ecs, **cluster, wants(in.include, "TAGS"), wants(in.include, "SETTINGS")));
    else out.failures->push_back({.arn = call.arn("ecs", fmt::format("cluster/{}", last_part(wanted))), .reason = "MISSING", .detail = {}});
  }
  co_return out;
}

Task<Reply<model::ListClustersOutput>> ListClusters(Ecs& ecs, const model::ListClustersInput& in, const Call& call) {
  std::vector<std::string> arns;
  for (const auto& [key, cluster] : ecs.clusters)
    if (key.starts_with(scope(call, ""))) arns.push_back(*cluster.cluster.cluster_arn);
  co_return cut_page<model::ListClustersOutput>(std::move(arns), in.next_token, in.max_results, &model::ListClustersOutput::cluster_arns);
}

Task<Reply<model::UpdateClusterOutput>> UpdateCluster(Ecs& ecs, const model::UpdateClusterInput& in, const Call& call) {
  StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  if (in.settings) cluster->cluster.settings = in.settings;
  if (in.configuration) cluster->cluster.configuration = in.configuration;
  if (in.service_connect_defaults && in.service_connect_defaults->namespace_.empty()) cluster->cluster.service_connect_defaults.reset();
  else if (in.service_connect_defaults) {
    std::string space = CO_TRY(co_await default_namespace(ecs, call, in.service_connect_defaults->namespace_));
    cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
    cluster->cluster.service_connect_defaults.emplace().namespace_ = std::move(space);
  }
  save(*cluster);
  model::UpdateClusterOutput out{.cluster = describe_cluster(ecs, *cluster)};
  co_await committed();
  co_return out;
}

Task<Reply<model::UpdateClusterSettingsOutput>> UpdateClusterSettings(Ecs& ecs, const model::UpdateClusterSettingsInput& in, const Call& call) {
  StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  cluster->cluster.settings = in.settings;
  save(*cluster);
  model::UpdateClusterSettingsOutput out{.cluster = describe_cluster(ecs, *cluster)};
  co_await committed();
  co_return out;
}

Task<Reply<model::PutClusterCapacityProvidersOutput>> PutClusterCapacityProviders(Ecs& ecs, const model::PutClusterCapacityProvidersInput& in, const Call& call) {
  StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  cluster->cluster.capacity_providers = in.capacity_providers;
  cluster->cluster.default_capacity_provider_strategy = in.default_capacity_provider_strategy;
  save(*cluster);
  model::PutClusterCapacityProvidersOutput out{.cluster = describe_cluster(ecs, *cluster)};
  co_await committed();
  co_return out;
}

// AWS's own two; others cannot be made here.
Task<Reply<model::DescribeCapacityProvidersOutput>> DescribeCapacityProviders(Ecs&, const model::DescribeCapacityProvidersInput& in, const Call& call) {
  model::DescribeCapacityProvidersOutput out;
  out.capacity_providers.emplace();
  out.failures.emplace();
  for (const std::string& wanted : in.capacity_providers && !in.capacity_providers->empty() ? *in.capacity_providers : std::vector<std::string>{"FARGATE", "FARGATE_SPOT"}) {
    const std::string name(last_part(wanted)), arn = call.arn("ecs", "capacity-provider/" + name);
    if (name == "FARGATE" || name == "FARGATE_SPOT") out.capacity_providers->push_back({.capacity_provider_arn = arn, .name = name, .status = "ACTIVE", .tags = std::vector<model::Tag>{}});
    else out.failures->push_back({.arn = arn, .reason = "MISSING", .detail = {}});
  }
  co_return out;
}

// There are no machines to manage: tasks run on this one.
Task<Reply<model::ListContainerInstancesOutput>> ListContainerInstances(Ecs& ecs, const model::ListContainerInstancesInput& in, const Call& call) {
  CO_TRY(find_cluster(ecs, call, in.cluster));
  model::ListContainerInstancesOutput out;
  out.container_instance_arns.emplace();
  co_return out;
}
Task<Reply<model::DescribeContainerInstancesOutput>> DescribeContainerInstances(Ecs& ecs, const model::DescribeContainerInstancesInput& in, const Call& call) {
  CO_TRY(find_cluster(ecs, call, in.cluster));
  model::DescribeContainerInstancesOutput out;
  out.container_instances.emplace();
  for (const std::string& wanted : in.container_instances) out.failures.emplace().push_back({.arn = wanted, .reason = "MISSING", .detail = {}});
  co_return out;
}

}  // namespace reef::service::ecs::operations
