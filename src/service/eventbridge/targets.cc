#include "service/eventbridge/targets.h"

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "aws/unmodelled_errors.h"
#include "base/encoding.h"
#include "base/text.h"
#include "engine/events/transform.h"

namespace reef::service::eventbridge {
namespace {

using wire::Json;

events::Transform transform_of(const model::InputTransformer& input) {
  events::Transform out{.paths = {}, .text = input.input_template};
  if (input.input_paths_map) out.paths = *input.input_paths_map;
  return out;
}

Reply<void> check_input(const model::Target& target) {
  const int ways = (target.input ? 1 : 0) + (target.input_path ? 1 : 0) + (target.input_transformer ? 1 : 0);
  if (ways > 1)
    return Err(aws::validation_exception(fmt::format("Only one of Input, InputPath, or InputTransformer must be provided for target {}.", target.id)));
  if (target.input && !Json::parse(*target.input))
    return Err(aws::validation_exception(fmt::format("JSON syntax error in input for target {} : must be valid JSON", target.id)));
  if (target.input_path && !events::check_path(*target.input_path).empty()) return Err(aws::validation_exception(fmt::format("Invalid InputPath for target {}.", target.id)));
  if (target.input_transformer) {
    const std::string problem = events::check_transform(transform_of(*target.input_transformer));
    if (!problem.empty()) return Err(aws::validation_exception(fmt::format("Invalid InputTemplate for target {} : {}", target.id, problem)));
  }
  return {};
}

}  // namespace

std::string_view arn_part(std::string_view arn, std::size_t index) {
  const auto parts = split(arn, ':');
  return index < parts.size() ? parts[index] : std::string_view();
}

std::string queue_url(const Call& call, std::string_view arn) { return fmt::format("{}/{}/{}", call.endpoint, arn_part(arn, 4), arn_part(arn, 5)); }

Reply<void> check_target(const Rule& rule, const model::Target& target) {
  const std::string_view service = arn_part(target.arn, 2), resource = arn_part(target.arn, 5);
  if (!target.arn.starts_with("arn:") || resource.empty()) return Err(invalid(target.arn, "Provided Arn is not in correct format."));
  TRY(check_input(target));
  if (service == "sqs") {
    const bool is_fifo = resource.ends_with(".fifo");
    const bool has_group = target.sqs_parameters && target.sqs_parameters->message_group_id;
    if (is_fifo && !has_group) return Err(aws::validation_exception(fmt::format("Parameter(s) SqsParameters must be specified for target: {}.", target.id)));
  } else if (service == "ecs") {
    if (!target.ecs_parameters) return Err(aws::validation_exception(fmt::format("Parameter EcsParameters must be specified for target: {}.", target.id)));
    if (!target.role_arn && !rule.role.size()) return Err(aws::validation_exception(fmt::format("RoleArn is required for target {}.", target.arn)));
  } else if (service == "logs") {
    if (target.arn.find(":log-group:") == std::string::npos) return Err(invalid(target.arn, "Provided Arn is not in correct format."));
  } else if (service == "events" && resource.starts_with("api-destination/")) {
    if (!target.role_arn && rule.role.empty()) return Err(aws::validation_exception(fmt::format("RoleArn is required for target {}.", target.arn)));
  } else if (service == "events") {
    const auto bus = parse_bus_arn(target.arn);
    if (!bus) return Err(aws::not_implemented(fmt::format("The EventBridge target {}", target.arn)));
    if (bus->key() == rule.bus.key()) return Err(aws::validation_exception("Source and Target EventBus must not be the same."));
  } else if (service != "lambda") {
    return Err(aws::not_implemented(fmt::format("The EventBridge target {} (of {})", target.arn, service)));
  }
  if (target.dead_letter_config && target.dead_letter_config->arn) {
    const std::string& queue = *target.dead_letter_config->arn;
    if (arn_part(queue, 2) != "sqs" || queue.ends_with(".fifo")) return Err(invalid("DeadLetterConfig", "Only standard SQS queues are supported."));
  }
  return {};
}

std::string target_input(const Rule& rule, const model::Target& target, const std::string& event, Time taken) {
  if (target.input) return *target.input;
  if (!target.input_path && !target.input_transformer) return event;
  const auto json = Json::parse(event);
  if (!json) return event;
  if (target.input_path) {
    const auto part = events::find_path(*json, *target.input_path);
    return part ? part->dump() : "null";
  }
  return events::apply_transform(transform_of(*target.input_transformer), *json, {.rule_arn = rule.arn(), .rule_name = rule.name, .ingestion_time = taken});
}

Json function_invocation(const model::Target& target, const std::string& input) {
  return Json::object({{"FunctionName", target.arn}, {"InvocationType", "Event"}, {"Payload", base64_encode(input)}});
}

Reply<Json> task_request(const model::Target& target, const std::string& input) {
  if (!target.ecs_parameters) return Err(aws::validation_exception("EcsParameters are missing."));
  const Json given = aws::to_json(*target.ecs_parameters);
  Json out = Json::object({{"cluster", target.arn}, {"taskDefinition", given["TaskDefinitionArn"]}, {"startedBy", "events-rule/" + target.id.substr(0, 20)}});
  const auto pass = [&](std::string_view from, std::string_view to) {
    if (const Json* value = given.find(from)) out.set(to, *value);
  };
  pass("TaskCount", "count");
  pass("LaunchType", "launchType");
  pass("PlatformVersion", "platformVersion");
  pass("Group", "group");
  pass("EnableECSManagedTags", "enableECSManagedTags");
  pass("EnableExecuteCommand", "enableExecuteCommand");
  pass("PropagateTags", "propagateTags");
  pass("ReferenceId", "referenceId");
  if (const Json* vpc = given["NetworkConfiguration"].find("awsvpcConfiguration")) {
    Json settings = Json::object({{"subnets", (*vpc)["Subnets"]}});
    if (const Json* groups = vpc->find("SecurityGroups")) settings.set("securityGroups", *groups);
    if (const Json* address = vpc->find("AssignPublicIp")) settings.set("assignPublicIp", *address);
    out.set("networkConfiguration", Json::object({{"awsvpcConfiguration", std::move(settings)}}));
  }
  for (const auto& [from, to] : {std::pair{"CapacityProviderStrategy", "capacityProviderStrategy"}, {"PlacementConstraints", "placementConstraints"}, {"PlacementStrategy", "placementStrategy"}})
    pass(from, to);
  if (given["Tags"].size() > 0) {
    Json& tags = out.set("tags", Json::array());
    for (const Json& tag : given["Tags"].as_array()) tags.push_back(Json::object({{"key", tag["Key"]}, {"value", tag["Value"]}}));
  }
  // Constant or transformed input of a task is its overrides; a whole event is nothing that a task takes.
  if (target.input || target.input_transformer)
    if (const auto overrides = Json::parse(input); overrides && overrides->is_object()) out.set("overrides", *overrides);
  return out;
}

}  // namespace reef::service::eventbridge
