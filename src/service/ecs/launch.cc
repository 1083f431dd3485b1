// From a task definition to a running task: its record, its environment, its logs.
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/sandbox/outbound.h"
#include "service/ecs/app_mesh.h"
#include "service/ecs/service_connect.h"
#include "service/ecs/ecs.h"
#include "service/ecs/metadata.h"
#include "service/ecs/state_events.h"

namespace reef::service::ecs {
namespace {

using wire::Json;
using Environment = std::vector<std::pair<std::string, std::string>>;

constexpr Duration kStoppedKept = 1h;

// "us-east-1a" and the like.
std::string zone(const std::string& region) { return region + "a"; }

aws::Error resource_error(std::string message) { return {"ResourceInitializationError", std::move(message), 400}; }

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html
Environment parse_env_file(std::string_view text) {
  Environment out;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos || equals == 0) continue;
    out.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

Task<Reply<std::string>> read_env_file(Ecs& ecs, Call call, std::string arn) {
  const auto bucket_at = arn.find(":::");
  const auto slash = arn.find('/');
  if (bucket_at == std::string::npos || slash == std::string::npos) co_return Err(resource_error("invalid environment file ARN: " + arn));
  const auto out = co_await ecs.caller.invoke_json(call, "s3", "GetObject", Json::object({{"Bucket", arn.substr(bucket_at + 3, slash - bucket_at - 3)}, {"Key", arn.substr(slash + 1)}}));
  if (!out) co_return Err(resource_error(fmt::format("failed to download env files: {}: {}", arn, out.error().message)));
  // Blobs are base64 in JSON.
  co_return base64_decode(out->text("Body")).value_or(out->text("Body"));
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
Task<Reply<std::string>> read_secret(Ecs& ecs, Call call, std::string from) {
  const bool is_secret = from.find(":secretsmanager:") != std::string::npos;
  if (!is_secret) {
    const auto parameter = from.find(":parameter/");
    std::string name = parameter == std::string::npos ? from : from.substr(parameter + 10);
    if (parameter != std::string::npos && name.find('/', 1) == std::string::npos) name.erase(0, 1);
    const auto out = co_await ecs.caller.invoke_json(call, "ssm", "GetParameter", Json::object({{"Name", name}, {"WithDecryption", true}}));
    if (!out) co_return Err(resource_error(fmt::format("unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: "
                                                       "service call has been retried 1 time(s): invalid ssm parameters: {}", name)));
    co_return (*out)["Parameter"].text("Value");
  }
  // arn:aws:secretsmanager:region:account:secret:name[:json-key[:stage[:version]]]
  const auto parts = split(from, ':');
  std::string id, key, stage, version;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i < 7) id += (i ? ":" : "") + std::string(parts[i]);
    if (i == 7) key = parts[i];
    if (i == 8) stage = parts[i];
    if (i == 9) version = parts[i];
  }
  Json input = Json::object({{"SecretId", id}});
  if (!stage.empty()) input.set("VersionStage", stage);
  if (!version.empty()) input.set("VersionId", version);
  const auto out = co_await ecs.caller.invoke_json(call, "secretsmanager", "GetSecretValue", input);
  if (!out) co_return Err(resource_error(fmt::format("unable to pull secrets or registry auth: unable to retrieve secret from asm: {}", out.error().message)));
  const std::string text = out->text("SecretString");
  if (key.empty()) co_return text;
  const auto json = Json::parse(text);
  const Json* value = json ? json->find(key) : nullptr;
  if (!value) co_return Err(resource_error(fmt::format("unable to pull secrets or registry auth: retrieved secret from Secrets Manager did not contain json key {}", key)));
  co_return value->scalar_text().value_or(value->dump());
}

void put(Environment& env, const std::string& name, std::string value) {
  for (auto& [key, current] : env)
    if (key == name) return void(current = std::move(value));
  env.emplace_back(name, std::move(value));
}

// What every container of the task is told by ECS.
Environment given_environment(Ecs& ecs, const StoredTask& task, const model::TaskDefinition& definition) {
  const bool isolated = ecs.tasks.isolated() && definition.network_mode != "host";
  const int port = ecs.tasks.options().api_port;
  const std::string endpoint = fmt::format("http://{}:{}", isolated ? sandbox::kApiAddressText : "127.0.0.1", port);
  const std::string metadata = isolated ? "http://169.254.170.2" : endpoint + kMetadataPath;
  Environment env = {{"AWS_ENDPOINT_URL", endpoint}, {"AWS_REGION", task.region}, {"AWS_DEFAULT_REGION", task.region},
                     {"AWS_EXECUTION_ENV", task.task.launch_type == "FARGATE" ? "AWS_ECS_FARGATE" : "AWS_ECS_EC2"},
                     {"ECS_AGENT_URI", metadata + "/api/" + task.id}};
  for (auto& one : ecs.tasks.trust_environment()) env.push_back(std::move(one));
  if (!task.credentials_id.empty()) {
    const std::string path = "/v2/credentials/" + task.credentials_id;
    env.emplace_back(isolated ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI", isolated ? path : metadata + path);
  }
  return env;
}

Task<Reply<std::vector<Environment>>> resolve_environments(Ecs& ecs, TaskPtr task, model::TaskDefinition definition) {
  const Call call = ecs.caller.internal_call(task->account, task->region);
  std::vector<Environment> out;
  for (std::size_t i = 0; i < definition.container_definitions->size(); ++i) {
    const model::ContainerDefinition& one = (*definition.container_definitions)[i];
    Environment env = given_environment(ecs, *task, definition);
    const bool isolated = ecs.tasks.isolated() && definition.network_mode != "host";
    const std::string metadata = isolated ? "http://169.254.170.2" : fmt::format("http://127.0.0.1:{}{}", ecs.tasks.options().api_port, kMetadataPath);
    env.emplace_back("ECS_CONTAINER_METADATA_URI_V4", fmt::format("{}/v4/{}-{}", metadata, task->id, i));
    env.emplace_back("ECS_CONTAINER_METADATA_URI", fmt::format("{}/v3/{}-{}", metadata, task->id, i));
    const model::ContainerOverride* over = nullptr;
    if (task->task.overrides && task->task.overrides->container_overrides)
      for (const auto& each : *task->task.overrides->container_overrides)
        if (each.name == one.name) over = &each;
    for (const auto* files : {one.environment_files ? &*one.environment_files : nullptr, over && over->environment_files ? &*over->environment_files : nullptr})
      if (files)
        for (const model::EnvironmentFile& file : *files)
          for (auto& [name, value] : parse_env_file(CO_TRY(co_await read_env_file(ecs, call, file.value)))) put(env, name, value);
    if (one.environment)
      for (const model::KeyValuePair& pair : *one.environment) put(env, pair.name.value_or(""), pair.value.value_or(""));
    if (one.secrets)
      for (const model::Secret& secret : *one.secrets) put(env, secret.name, CO_TRY(co_await read_secret(ecs, call, secret.value_from)));
    if (over && over->environment)
      for (const model::KeyValuePair& pair : *over->environment) put(env, pair.name.value_or(""), pair.value.value_or(""));
    out.push_back(std::move(env));
  }
  co_return out;
}

// Where the lines of one container go; empty group: nowhere.
struct LogTarget {
  std::string group, stream;
};
std::vector<LogTarget> log_targets(const StoredTask& task, const model::TaskDefinition& definition) {
  std::vector<LogTarget> out;
  for (const model::ContainerDefinition& one : *definition.container_definitions) {
    LogTarget& target = out.emplace_back();
    if (!one.log_configuration || !one.log_configuration->options) continue;
    const auto& options = *one.log_configuration->options;
    const auto option = [&](std::string_view name) {
      const auto found = options.find(name);
      return found == options.end() ? std::string() : found->second;
    };
    const std::string region = option("awslogs-region"), prefix = option("awslogs-stream-prefix");
    target.group = fmt::format("{}/{}/{}", task.account, region.empty() ? task.region : region, option("awslogs-group"));
    target.stream = prefix.empty() ? task.id : fmt::format("{}/{}/{}", prefix, *one.name, task.id);
  }
  return out;
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html: a group must be there, unless it
// is to be created.
Reply<void> check_log_groups(Ecs& ecs, const StoredTask& task, const model::TaskDefinition& definition) {
  const auto targets = log_targets(task, definition);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].group.empty() || ecs.logs.find_group(targets[i].group)) continue;
    const auto& options = *(*definition.container_definitions)[i].log_configuration->options;
    if (const auto create = options.find("awslogs-create-group"); create != options.end() && create->second == "true") continue;
    return Err(resource_error(fmt::format("failed to validate logger args: The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a "
                                          "connection issue between the task and Amazon CloudWatch. Check your network configuration. : ResourceNotFoundException: The "
                                          "specified log group does not exist. : exit status 1 ({})", options.contains("awslogs-group") ? options.find("awslogs-group")->second : "")));
  }
  return {};
}

void fail(Ecs& ecs, const TaskPtr& task, const std::string& reason) {
  const Time now = store::Shard::control().now();
  task->task.last_status = task->task.desired_status = "STOPPED";
  if (!task->task.stop_code) task->task.stop_code = "TaskFailedToStart";
  if (task->task.stopped_reason.value_or("").empty()) task->task.stopped_reason = reason;
  task->task.stopping_at = task->task.stopped_at = task->task.execution_stopped_at = now;
  for (model::Container& container : *task->task.containers) container.last_status = "STOPPED";
  ecs.tasks.give_back(task->address);
  release_interface(ecs, *task);
  save(*task);
  tell_task(ecs, *task);
  forget_later(ecs, task);
  note_task(ecs, task);
}

Task<void> start(Ecs& ecs, TaskPtr task, model::TaskDefinition definition, std::vector<std::string> groups) {
  if (const auto attached = attach_interface(ecs, task, std::move(groups)); !attached) co_return fail(ecs, task, attached.error().code + ": " + attached.error().message);
  auto environments = co_await resolve_environments(ecs, task, definition);
  if (task->task.desired_status == "STOPPED") co_return fail(ecs, task, task->task.stopped_reason.value_or("Task stopped by user"));
  if (!environments) co_return fail(ecs, task, "ResourceInitializationError: " + environments.error().message);
  if (const auto groups = check_log_groups(ecs, *task, definition); !groups) co_return fail(ecs, task, "ResourceInitializationError: " + groups.error().message);
  auto plan = make_plan(*task, definition, *std::move(environments));
  if (!plan) co_return fail(ecs, task, plan.error().code + ": " + plan.error().message);
  task->is_running_here = true;
  ecs.tasks.run(*std::move(plan), task->address, {
      .on_change = [&ecs, task] {
        refresh(ecs, task);
        note_task(ecs, task);
      },
      .on_line = [&ecs, targets = log_targets(*task, definition)](std::size_t container, sandbox::Stream, std::string_view line) {
        if (!targets[container].group.empty()) ecs.logs.append_anyway(targets[container].group, targets[container].stream, std::string(line), sandbox::workload_time());
      }});
}

}  // namespace

void forget_later(Ecs& ecs, const TaskPtr& task) {
  ecs.mesh.remove_member(task->id);
  store::Shard& control = store::Shard::control();
  control.reactor().at(control.now() + kStoppedKept, [&ecs, weak = std::weak_ptr(task)] {
    const auto gone = weak.lock();
    if (!gone || ecs.all_tasks.erase(gone->id) == 0) return;
    erase_record(*gone);
  });
}

TaskPtr launch(Ecs& ecs, const std::string& account, const std::string& region, const Launch& what) {
  const model::TaskDefinition definition = without_proxy(what.definition->definition);
  const auto stored = std::make_shared<StoredTask>(StoredTask{.id = new_id(), .account = account, .region = region, .cluster = *what.cluster->cluster.cluster_name,
                                                             .service = what.service, .deployment = what.deployment, .credentials_id = {}, .address = ecs.tasks.take_address(),
                                                             .client_token = what.client_token, .request = what.request});
  model::Task& task = stored->task;
  const Time now = store::Shard::control().now();
  const std::string base = fmt::format("arn:aws:ecs:{}:{}:", region, account);
  task.task_arn = fmt::format("{}task/{}/{}", base, stored->cluster, stored->id);
  task.cluster_arn = what.cluster->cluster.cluster_arn;
  task.task_definition_arn = definition.task_definition_arn;
  task.availability_zone = zone(region);
  task.last_status = "PROVISIONING";
  task.desired_status = "RUNNING";
  task.launch_type = what.launch_type;
  task.group = what.group;
  if (!what.started_by.empty()) task.started_by = what.started_by;
  if (what.launch_type == "FARGATE") {
    task.platform_version = what.platform_version.empty() || what.platform_version == "LATEST" ? "1.4.0" : what.platform_version;
    task.platform_family = "Linux";
    task.fargate_ephemeral_storage.emplace().size_in_gi_b = definition.ephemeral_storage ? definition.ephemeral_storage->size_in_gi_b : 20;
  }
  task.created_at = now;
  task.connectivity = "CONNECTED";
  task.connectivity_at = now;
  task.cpu = what.overrides.cpu ? what.overrides.cpu : definition.cpu;
  task.memory = what.overrides.memory ? what.overrides.memory : definition.memory;
  task.overrides = what.overrides;
  if (!task.overrides->container_overrides) task.overrides->container_overrides.emplace();
  task.tags = what.tags;
  task.version = 1;
  task.health_status = "UNKNOWN";
  task.enable_execute_command = what.execute_command;
  task.attachments.emplace();
  std::optional<std::vector<model::NetworkInterface>> interfaces;
  interfaces.emplace();
  if (definition.network_mode == "awsvpc") {
    const std::string attachment = make_uuid(thread_random());
    interfaces->push_back({.attachment_id = attachment, .private_ipv4_address = stored->address, .ipv6_address = {}});
    std::vector<model::KeyValuePair> details = {{"networkInterfaceId", "eni-" + make_token(thread_random(), 17, "0123456789abcdef")},
                                                {"macAddress", "0a:" + std::string("58:a9:fe:ac:02")}, {"privateIPv4Address", stored->address}};
    const auto subnets = what.network && what.network->awsvpc_configuration ? what.network->awsvpc_configuration->subnets : std::vector<std::string>{};
    if (!subnets.empty()) details.insert(details.begin(), {"subnetId", subnets[ecs.next_subnet++ % subnets.size()]});
    task.attachments->push_back({.id = attachment, .type = "ElasticNetworkInterface", .status = "ATTACHED", .details = std::move(details)});
  }
  auto& containers = task.containers.emplace();
  for (const model::ContainerDefinition& one : *definition.container_definitions) {
    model::Container container;
    container.container_arn = fmt::format("{}container/{}/{}/{}", base, stored->cluster, stored->id, make_uuid(thread_random()));
    container.task_arn = task.task_arn;
    container.name = one.name;
    container.image = one.image;
    container.last_status = "PENDING";
    container.cpu = std::to_string(one.cpu.value_or(0));
    if (one.memory) container.memory = std::to_string(*one.memory);
    container.network_interfaces = interfaces;
    container.network_bindings.emplace();
    container.health_status = "UNKNOWN";
    if (what.execute_command) container.managed_agents = {{{.last_started_at = {}, .name = "ExecuteCommandAgent", .reason = {}, .last_status = "PENDING"}}};
    containers.push_back(std::move(container));
  }
  const auto role = what.overrides.task_role_arn ? what.overrides.task_role_arn : definition.task_role_arn;
  if (role && !role->empty()) stored->credentials_id = make_uuid(thread_random());
  ecs.all_tasks.emplace(stored->id, stored);
  save(*stored);
  tell_task(ecs, *stored);
  if (std::string node = virtual_node_of(what.definition->definition, account, region); !node.empty()) {
    const model::ContainerDefinition* const proxy = proxy_of(what.definition->definition);
    ecs.mesh.put_member_as(stored->id, std::move(node), proxy_log(ecs, *stored, *proxy->name, proxy->log_configuration));
  }
  const auto* vpc = what.network && what.network->awsvpc_configuration ? &*what.network->awsvpc_configuration : nullptr;
  start(ecs, stored, definition, vpc && vpc->security_groups ? *vpc->security_groups : std::vector<std::string>{}).detach();
  return stored;
}

Reply<void> check_launch(const Launch& what) {
  const model::TaskDefinition& definition = what.definition->definition;
  const bool given = what.network && what.network->awsvpc_configuration;
  if (definition.network_mode == "awsvpc" && !given)
    return Err(aws::Error(errors::kInvalidParameterException, "Network Configuration must be provided when networkMode 'awsvpc' is specified."));
  if (definition.network_mode != "awsvpc" && given)
    return Err(aws::Error(errors::kInvalidParameterException, "Network Configuration is not valid for the given networkMode of this task definition."));
  if (what.launch_type == "FARGATE" && definition.network_mode != "awsvpc")
    return Err(aws::Error(errors::kInvalidParameterException, "Task definition does not support launch_type FARGATE."));
  if (what.overrides.container_overrides)
    for (const model::ContainerOverride& over : *what.overrides.container_overrides) {
      const auto& all = *definition.container_definitions;
      if (std::none_of(all.begin(), all.end(), [&](const auto& one) { return one.name == over.name; }))
        return Err(aws::Error(errors::kInvalidParameterException, fmt::format("Override for container named {} is not a container in the TaskDefinition.", over.name.value_or(""))));
    }
  return {};
}

void stop_task(Ecs& ecs, const TaskPtr& task, task::StopCode code, const std::string& reason) {
  if (task->task.last_status == "STOPPED") return;
  task->task.desired_status = "STOPPED";
  if (task->task.stopped_reason.value_or("").empty()) task->task.stopped_reason = reason;
  if (code == task::StopCode::kRequested) task->task.stop_code = "UserInitiated";
  if (code == task::StopCode::kScheduler) task->task.stop_code = "ServiceSchedulerInitiated";
  task->task.stopping_at = store::Shard::control().now();
  save(*task);
  tell_task(ecs, *task);
  if (task->is_running_here) ecs.tasks.stop(task->id, code, reason);
}

void refresh(Ecs& ecs, const TaskPtr& stored) {
  model::Task& task = stored->task;
  if (task.last_status == "STOPPED") return;
  const task::LiveTask* live = ecs.tasks.find(stored->id);
  const Time now = store::Shard::control().now();
  if (!live) return;
  const task::TaskMachine& machine = live->machine;
  switch (machine.state()) {
    case task::TaskState::kPending: task.last_status = "PENDING"; break;
    case task::TaskState::kRunning: task.last_status = stored->is_draining ? "DEACTIVATING" : "RUNNING"; break;
    case task::TaskState::kStopping: task.last_status = "DEPROVISIONING"; break;
    case task::TaskState::kStopped: task.last_status = "STOPPED"; break;
  }
  task.pull_started_at = live->pull_started;
  task.pull_stopped_at = live->pull_stopped;
  task.started_at = machine.running_since();
  if (machine.stop_code() != task::StopCode::kNone) {
    task.desired_status = "STOPPED";
    task.stopping_at = machine.stopping_since();
    switch (machine.stop_code()) {
      case task::StopCode::kFailedToStart: task.stop_code = "TaskFailedToStart"; break;
      case task::StopCode::kEssentialExited: task.stop_code = "EssentialContainerExited"; break;
      case task::StopCode::kRequested: task.stop_code = "UserInitiated"; break;
      case task::StopCode::kScheduler: task.stop_code = "ServiceSchedulerInitiated"; break;
      case task::StopCode::kNone: break;
    }
    if (task.stopped_reason.value_or("").empty()) task.stopped_reason = machine.stop_reason();
  }
  const auto health = machine.health();
  task.health_status = health == task::Health::kHealthy ? "HEALTHY" : health == task::Health::kUnhealthy ? "UNHEALTHY" : "UNKNOWN";
  for (std::size_t i = 0; i < machine.containers().size(); ++i) {
    const task::Container& one = machine.containers()[i];
    model::Container& container = (*task.containers)[i];
    const bool over = one.state == task::ContainerState::kStopped;
    container.last_status = over ? "STOPPED" : one.state == task::ContainerState::kRunning || one.state == task::ContainerState::kStopping ? "RUNNING" : "PENDING";
    container.exit_code = one.exit_code;
    if (!one.reason.empty()) container.reason = one.reason;
    container.health_status = one.health == task::Health::kHealthy ? "HEALTHY" : one.health == task::Health::kUnhealthy ? "UNHEALTHY" : "UNKNOWN";
    if (!live->containers[i].image_digest.empty()) container.image_digest = live->containers[i].image_digest;
    if (container.managed_agents)
      for (model::ManagedAgent& agent : *container.managed_agents) {
        agent.last_status = *container.last_status;
        if (one.started) agent.last_started_at = one.started;
      }
    container.runtime_id = fmt::format("{}-{}", stored->id, i);
    container.network_bindings->clear();
    if (live->plan.network != task::Network::kOwn)
      for (const task::Port& port : live->containers[i].ports)
        container.network_bindings->push_back({.bind_ip = "0.0.0.0", .container_port = port.container, .host_port = port.host == 0 ? port.container : port.host, .protocol = port.udp ? "udp" : "tcp"});
  }
  task.version = task.version.value_or(0) + 1;
  if (machine.state() == task::TaskState::kStopped) {
    task.stopped_at = task.execution_stopped_at = machine.stopped_at().value_or(now);
    for (model::Attachment& attachment : *task.attachments) attachment.status = "DELETED";
    stored->is_running_here = false;
    release_interface(ecs, *stored);
    for (const model::Container& container : *task.containers) ecs.stats_samples.erase(container.runtime_id.value_or(""));
    forget_later(ecs, stored);
  }
  stored->container_healthy = health == task::Health::kUnknown ? std::nullopt : std::optional(health == task::Health::kHealthy);
  save(*stored);
  tell_task(ecs, *stored);
}

}  // namespace reef::service::ecs
