#include "service/ecs/state_events.h"

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "engine/store/shard.h"

namespace reef::service::ecs {
namespace {

using wire::Json;

// Replies have times as seconds, events as text.
Json with_text_times(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value.as_array()) out.push_back(with_text_times(element));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, member] : value.as_object()) {
    const auto seconds = name.ends_with("At") ? member.as_double() : std::nullopt;
    out.set(name, seconds ? Json(format_iso8601(from_micros(static_cast<std::int64_t>(*seconds * 1e6)), true)) : with_text_times(member));
  }
  return out;
}

void publish(Ecs& ecs, const std::string& account, const std::string& region, const char* kind, std::string resource, const Json& detail) {
  ecs.publisher.publish({.id = {}, .detail_type = kind, .source = "aws.ecs", .account = account, .region = region, .time = store::Shard::control().now(),
                         .resources = {std::move(resource)}, .detail = detail.dump(), .replay_name = {}});
}

}  // namespace

void tell_task(Ecs& ecs, StoredTask& stored) {
  std::string state = stored.task.last_status.value_or("") + "/" + stored.task.desired_status.value_or("");
  if (stored.told == state) return;
  stored.told = std::move(state);
  Json detail = with_text_times(aws::to_json(stored.task));
  detail.erase("tags");  // they are no part of it
  detail.set("updatedAt", format_iso8601(store::Shard::control().now(), true));
  publish(ecs, stored.account, stored.region, "ECS Task State Change", stored.task.task_arn.value_or(""), detail);
}

void tell_action(Ecs& ecs, const StoredService& service, std::string_view type, std::string_view name, std::string_view reason) {
  Json detail = Json::object({{"eventType", type}, {"eventName", name}, {"clusterArn", service.service.cluster_arn.value_or("")},
                              {"createdAt", format_iso8601(store::Shard::control().now(), true)}});
  if (!reason.empty()) detail.set("reason", reason);
  publish(ecs, service.account, service.region, "ECS Service Action", service.service.service_arn.value_or(""), detail);
}

std::map<std::string, task::RolloutState> states_of(const StoredService& service) {
  std::map<std::string, task::RolloutState> out;
  for (const task::Deployment& one : service.machine.deployments()) out.emplace(one.id, one.state);
  return out;
}

void tell_deployments(Ecs& ecs, StoredService& service) {
  const auto before = std::exchange(service.told, states_of(service));
  for (const task::Deployment& one : service.machine.deployments()) {
    const auto known = before.find(one.id);
    if (known != before.end() && known->second == one.state) continue;
    const char* name = "SERVICE_DEPLOYMENT_IN_PROGRESS";
    if (one.state == task::RolloutState::kCompleted) name = "SERVICE_DEPLOYMENT_COMPLETED";
    if (one.state == task::RolloutState::kFailed) name = "SERVICE_DEPLOYMENT_FAILED";
    const Json detail = Json::object({{"eventType", one.state == task::RolloutState::kFailed ? "ERROR" : "INFO"}, {"eventName", name}, {"deploymentId", one.id},
                                      {"updatedAt", format_iso8601(store::Shard::control().now(), true)}, {"reason", one.reason}});
    publish(ecs, service.account, service.region, "ECS Deployment State Change", service.service.service_arn.value_or(""), detail);
  }
}

}  // namespace reef::service::ecs
