// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html and the other operations on tasks.
#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"
#include "service/ecs/operations/service_checks.h"

namespace reef::service::ecs::operations {
namespace {

constexpr int kCountMax = 10;

bool wants_tags(const std::optional<std::vector<std::string>>& include) {
  return include && std::find(include->begin(), include->end(), "TAGS") != include->end();
}

// What was started with the same token before: nothing when there is none, a conflict when it was another request.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
Reply<std::vector<model::Task>> started_before(Ecs& ecs, const Call& call, const std::optional<std::string>& token, const std::string& request) {
  std::vector<model::Task> out;
  if (!token || token->empty()) return out;
  std::vector<std::string> others;
  for (const auto& [id, task] : ecs.all_tasks) {
    if (task->account != call.account || task->region != call.region || task->client_token != *token) continue;
    if (task->request == request) out.push_back(task->task);
    else others.push_back(*task->task.task_arn);
  }
  if (others.empty()) return out;
  aws::Error error(errors::kConflictException, "The specified clientToken is already in use for a request with different parameters.");
  wire::Json ids = wire::Json::array();
  for (const std::string& arn : others) ids.push_back(arn);
  error.fields = wire::Json::object({{"resourceIds", std::move(ids)}});
  return Err(std::move(error));
}

constexpr std::size_t kTokenMax = 64, kGroupMax = 255, kStartedByMax = 128;

template <class In>
Reply<void> check_names(const In& in) {
  if (in.started_by && in.started_by->size() > kStartedByMax) return Err(invalid(fmt::format("startedBy can have at most {} characters.", kStartedByMax)));
  if (in.group && in.group->size() > kGroupMax) return Err(invalid(fmt::format("group can have at most {} characters.", kGroupMax)));
  if (in.group && in.group->starts_with("service:")) return Err(invalid("The group cannot start with service:."));
  return {};
}

}  // namespace

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StartTask.html: there are no container instances here, so
// none of those that are named exists.
Task<Reply<model::StartTaskOutput>> StartTask(Ecs& ecs, const model::StartTaskInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  const StoredDefinition* definition = find_definition(ecs, call.account, call.region, in.task_definition);
  if (!definition) co_return Err(aws::Error(errors::kClientException, "TaskDefinition not found."));
  if (in.container_instances.empty()) co_return Err(invalid("Container Instances cannot be empty."));
  if (in.container_instances.size() > static_cast<std::size_t>(kCountMax)) co_return Err(invalid(fmt::format("Container Instances can have at most {} items.", kCountMax)));
  CO_TRY(check_names(in));
  model::StartTaskOutput out;
  out.tasks.emplace();
  auto& failures = out.failures.emplace();
  for (const std::string& instance : in.container_instances)
    failures.push_back({.arn = instance.starts_with("arn:") ? instance : call.arn("ecs", fmt::format("container-instance/{}/{}", *cluster->cluster.cluster_name, instance)), .reason = "MISSING", .detail = {}});
  co_return out;
}

Task<Reply<model::RunTaskOutput>> RunTask(Ecs& ecs, const model::RunTaskInput& in, const Call& call) {
  CO_TRY(co_await check_network(ecs, call, in.network_configuration));
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  const StoredDefinition* definition = find_definition(ecs, call.account, call.region, in.task_definition);
  if (!definition) co_return Err(aws::Error(errors::kClientException, "TaskDefinition not found."));
  if (definition->definition.status != "ACTIVE") co_return Err(aws::Error(errors::kClientException, "TaskDefinition is inactive"));
  const int count = in.count.value_or(1);
  if (count < 1 || count > kCountMax) co_return Err(aws::Error(errors::kInvalidParameterException, fmt::format("count should be between 1 and {}", kCountMax)));
  if (in.volume_configurations && !in.volume_configurations->empty()) co_return Err(aws::not_implemented("volumeConfigurations of RunTask"));
  Launch what{.cluster = cluster, .definition = definition, .overrides = in.overrides.value_or(model::TaskOverride{}), .network = in.network_configuration,
              .launch_type = in.launch_type.value_or(in.capacity_provider_strategy && !in.capacity_provider_strategy->empty() ? "FARGATE" : "EC2"),
              .group = in.group.value_or("family:" + *definition->definition.family), .started_by = in.started_by.value_or(""),
              .platform_version = in.platform_version.value_or(""), .tags = in.tags.value_or(std::vector<model::Tag>{}), .execute_command = in.enable_execute_command.value_or(false)};
  if (in.propagate_tags == "TASK_DEFINITION") what.tags.insert(what.tags.end(), definition->tags.begin(), definition->tags.end());
  CO_TRY(check_launch(what));
  CO_TRY(check_names(in));
  if (in.client_token && in.client_token->size() > kTokenMax) co_return Err(invalid(fmt::format("clientToken can have at most {} characters.", kTokenMax)));
  model::RunTaskOutput out;
  out.tasks.emplace();
  out.failures.emplace();
  what.client_token = in.client_token.value_or("");
  if (!what.client_token.empty()) what.request = hex_encode(sha256(aws::to_json(in).dump()));
  if (auto before = CO_TRY(started_before(ecs, call, in.client_token, what.request)); !before.empty()) {
    out.tasks = std::move(before);
    co_return out;
  }
  for (int i = 0; i < count; ++i) out.tasks->push_back(launch(ecs, call.account, call.region, what)->task);
  co_await committed();
  co_return out;
}

Task<Reply<model::StopTaskOutput>> StopTask(Ecs& ecs, const model::StopTaskInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  const TaskPtr task = find_task(ecs, call, *cluster, in.task);
  if (!task) co_return Err(aws::Error(errors::kInvalidParameterException, "The referenced task was not found."));
  stop_task(ecs, task, task::StopCode::kRequested, in.reason.value_or("Task stopped by user"));
  model::StopTaskOutput out{.task = task->task};
  co_await committed();
  co_return out;
}

Task<Reply<model::DescribeTasksOutput>> DescribeTasks(Ecs& ecs, const model::DescribeTasksInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  if (in.tasks.empty()) co_return Err(aws::Error(errors::kInvalidParameterException, "Tasks cannot be empty."));
  if (in.tasks.size() > 100) co_return Err(aws::Error(errors::kInvalidParameterException, "Tasks can have at most 100 items."));
  model::DescribeTasksOutput out;
  out.tasks.emplace();
  out.failures.emplace();
  for (const std::string& wanted : in.tasks) {
    const TaskPtr task = find_task(ecs, call, *cluster, wanted);
    if (!task) {
      out.failures->push_back({.arn = wanted.starts_with("arn:") ? wanted : call.arn("ecs", fmt::format("task/{}/{}", *cluster->cluster.cluster_name, wanted)), .reason = "MISSING", .detail = {}});
      continue;
    }
    out.tasks->push_back(task->task);
    if (!wants_tags(in.include)) out.tasks->back().tags.emplace();
  }
  co_return out;
}

Task<Reply<model::ListTasksOutput>> ListTasks(Ecs& ecs, const model::ListTasksInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  if (in.service_name && !find_service(ecs, call, *cluster, *in.service_name)) co_return Err(aws::Error(errors::kServiceNotFoundException, "Service not found."));
  std::vector<std::string> arns;
  const std::string wanted = in.desired_status.value_or("RUNNING");
  for (const auto& [id, task] : ecs.all_tasks) {
    if (task->account != call.account || task->region != call.region || task->cluster != *cluster->cluster.cluster_name) continue;
    if ((task->task.desired_status == "STOPPED") != (wanted == "STOPPED")) continue;
    if (in.service_name && task->service != last_part(*in.service_name)) continue;
    if (in.started_by && task->task.started_by != *in.started_by) continue;
    if (in.launch_type && task->task.launch_type != *in.launch_type) continue;
    if (in.container_instance) continue;
    if (in.family && !last_part(*task->task.task_definition_arn).starts_with(*in.family + ":")) continue;
    arns.push_back(*task->task.task_arn);
  }
  co_return cut_page<model::ListTasksOutput>(std::move(arns), in.next_token, in.max_results, &model::ListTasksOutput::task_arns);
}

}  // namespace reef::service::ecs::operations
