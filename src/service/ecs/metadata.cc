#include "service/ecs/metadata.h"

#include <fmt/format.h>

#include "base/text.h"

namespace reef::service::ecs {
namespace {

using wire::Json;

http::Response json_response(int status, const Json& json) {
  http::Response out;
  out.status = status;
  out.set("content-type", "application/json");
  out.body = json.dump();
  return out;
}

Json container_json(const Ecs& ecs, const StoredTask& task, std::size_t index) {
  const model::Container& one = (*task.task.containers)[index];
  const task::LiveTask* live = ecs.tasks.find(task.id);
  Json out = Json::object({{"DockerId", one.runtime_id.value_or("")}, {"Name", one.name.value_or("")}, {"DockerName", one.name.value_or("")},
                           {"Image", one.image.value_or("")}, {"ImageID", one.image_digest.value_or("")},
                           {"Labels", Json::object({{"com.amazonaws.ecs.cluster", task.task.cluster_arn.value_or("")}, {"com.amazonaws.ecs.container-name", one.name.value_or("")},
                                                    {"com.amazonaws.ecs.task-arn", task.task.task_arn.value_or("")},
                                                    {"com.amazonaws.ecs.task-definition-family", std::string(last_part(*task.task.task_definition_arn).substr(0, last_part(*task.task.task_definition_arn).find(':')))},
                                                    {"com.amazonaws.ecs.task-definition-version", std::string(last_part(*task.task.task_definition_arn).substr(last_part(*task.task.task_definition_arn).find(':') + 1))}})},
                           {"DesiredStatus", task.task.desired_status.value_or("")}, {"KnownStatus", one.last_status.value_or("")},
                           {"Type", "NORMAL"}, {"ContainerARN", one.container_arn.value_or("")}});
  if (live) {
    const task::Container& state = live->machine.containers()[index];
    out.set("CreatedAt", format_iso8601(task.task.created_at.value_or(Time{}), true));
    if (state.started) out.set("StartedAt", format_iso8601(*state.started, true));
    out.set("Limits", Json::object({{"CPU", parse_int(one.cpu.value_or("0")).value_or(0)}, {"Memory", live->plan.containers[index].memory_bytes >> 20}}));
  }
  out.set("Networks", Json::array({Json::object({{"NetworkMode", task.address.empty() ? "bridge" : "awsvpc"}, {"IPv4Addresses", Json::array({task.address})},
                                                 {"AttachmentIndex", 0}, {"IPv4SubnetCIDRBlock", "172.31.0.0/16"}, {"DomainNameServers", Json::array({"169.254.100.1"})},
                                                 {"PrivateDNSName", "ip-" + replace_all(task.address, ".", "-") + ".ec2.internal"}})}));
  return out;
}

Json task_json(const Ecs& ecs, const StoredTask& task) {
  const std::string_view definition = last_part(*task.task.task_definition_arn);
  Json out = Json::object({{"Cluster", task.task.cluster_arn.value_or("")}, {"TaskARN", task.task.task_arn.value_or("")},
                           {"Family", std::string(definition.substr(0, definition.find(':')))}, {"Revision", std::string(definition.substr(definition.find(':') + 1))},
                           {"DesiredStatus", task.task.desired_status.value_or("")}, {"KnownStatus", task.task.last_status.value_or("")},
                           {"AvailabilityZone", task.task.availability_zone.value_or("")}, {"LaunchType", task.task.launch_type.value_or("")}});
  if (task.task.pull_started_at) out.set("PullStartedAt", format_iso8601(*task.task.pull_started_at, true));
  if (task.task.pull_stopped_at) out.set("PullStoppedAt", format_iso8601(*task.task.pull_stopped_at, true));
  if (!task.service.empty()) out.set("ServiceName", task.service);
  Json limits = Json::object();
  if (task.task.cpu) limits.set("CPU", parse_double(*task.task.cpu).value_or(0) / 1024);
  if (task.task.memory) limits.set("Memory", parse_int(*task.task.memory).value_or(0));
  out.set("Limits", std::move(limits));
  Json& containers = out.set("Containers", Json::array());
  for (std::size_t i = 0; i < task.task.containers->size(); ++i) containers.push_back(container_json(ecs, task, i));
  return out;
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
Task<http::Response> credentials(Ecs& ecs, std::string id) {
  TaskPtr task;
  for (const auto& [task_id, one] : ecs.all_tasks)
    if (one->credentials_id == id && one->task.last_status != "STOPPED") task = one;
  if (id.empty() || !task) co_return json_response(400, Json::object({{"code", "InvalidIdInRequest"}, {"message", "CredentialsV2Request: Credentials not found"}, {"HTTPErrorCode", 400}}));
  const StoredDefinition* definition = find_definition(ecs, task->account, task->region, *task->task.task_definition_arn);
  const auto role = task->task.overrides && task->task.overrides->task_role_arn ? task->task.overrides->task_role_arn
                    : definition ? definition->definition.task_role_arn : std::nullopt;
  const auto out = co_await ecs.caller.invoke_json(ecs.caller.internal_call(task->account, task->region), "sts", "AssumeRole",
                                                   Json::object({{"RoleArn", role.value_or("")}, {"RoleSessionName", task->id}}));
  if (!out) co_return json_response(500, Json::object({{"code", "InternalServerError"}, {"message", out.error().message}, {"HTTPErrorCode", 500}}));
  const Json& given = (*out)["Credentials"];
  const Json& expires = given["Expiration"];
  const auto seconds = expires.as_double();
  co_return json_response(200, Json::object({{"RoleArn", role.value_or("")}, {"AccessKeyId", given.text("AccessKeyId")}, {"SecretAccessKey", given.text("SecretAccessKey")},
                                             {"Token", given.text("SessionToken")},
                                             {"Expiration", seconds ? format_iso8601(from_micros(static_cast<std::int64_t>(*seconds * 1e6))) : expires.as_string()}}));
}

Task<http::Response> answer(Ecs& ecs, std::string path) {
  if (path.starts_with("/v2/credentials/")) co_return co_await credentials(ecs, path.substr(16));
  if (path.starts_with("/v4/") || path.starts_with("/v3/")) {
    const auto slash = path.find('/', 4);
    const std::string name = path.substr(4, slash == std::string::npos ? slash : slash - 4), rest = slash == std::string::npos ? std::string() : path.substr(slash);
    const auto dash = name.find('-');
    const auto found = ecs.all_tasks.find(name.substr(0, dash));
    const auto index = dash == std::string::npos ? std::nullopt : parse_int<std::size_t>(name.substr(dash + 1));
    if (found != ecs.all_tasks.end() && index && *index < found->second->task.containers->size()) {
      if (rest.empty()) co_return json_response(200, container_json(ecs, *found->second, *index));
      if (rest == "/stats") co_return json_response(200, stats_json(ecs, *found->second, *index));
      if (rest == "/task/stats") co_return json_response(200, task_stats_json(ecs, *found->second));
      if (rest == "/task") co_return json_response(200, task_json(ecs, *found->second));
    }
  }
  co_return json_response(404, Json::object({{"message", "404 page not found"}}));
}

}  // namespace

bool wants_metadata(const http::Request& request) { return request.host == "169.254.170.2" || request.path.starts_with("/_aws/ecs/"); }

Task<http::Response> serve_metadata(Ecs& ecs, http::Request& request) {
  std::string path(request.path);
  if (path.starts_with(kMetadataPath)) path.erase(0, std::string_view(kMetadataPath).size());
  if (path.ends_with('/')) path.pop_back();
  co_return co_await store::on(store::Shard::control(), [&] { return answer(ecs, path); });
}

}  // namespace reef::service::ecs
