#include "service/cloudformation/stack.h"

#include "aws/protocol/codec.h"

namespace reef::cloudformation {
namespace {

template <class T>
Json list_to_json(const std::vector<T>& list) {
  Json out = Json::array();
  for (const T& each : list) out.push_back(aws::to_json(each));
  return out;
}
template <class T>
std::vector<T> list_from_json(const Json& json) {
  std::vector<T> out;
  for (const Json& each : json.as_array())
    if (auto value = aws::from_json<T>(each)) out.push_back(*std::move(value));
  return out;
}
template <class Container>
Json texts_to_json(const Container& texts) {
  Json out = Json::array();
  for (const std::string& text : texts) out.push_back(text);
  return out;
}
std::vector<std::string> texts_from_json(const Json& json) {
  std::vector<std::string> out;
  for (const Json& text : json.as_array()) out.push_back(text.as_string());
  return out;
}
std::set<std::string> set_from_json(const Json& json) {
  std::set<std::string> out;
  for (const Json& text : json.as_array()) out.insert(text.as_string());
  return out;
}
Json time_to_json(Time time) { return Json(to_micros(time)); }
Time time_from_json(const Json& json) { return from_micros(json.as_int().value_or(0)); }

Json desired_to_json(const Desired& desired) {
  Json parameters = Json::array();
  for (const Parameter& parameter : desired.parameters) {
    Json each = Json::object({{"key", parameter.key}, {"type", parameter.type}, {"value", parameter.value}, {"noEcho", parameter.no_echo}});
    if (parameter.resolved) each.set("resolved", *parameter.resolved);
    parameters.push_back(std::move(each));
  }
  return Json::object({{"source", desired.source}, {"document", desired.document}, {"parameters", parameters},
                       {"tags", list_to_json(desired.tags)}, {"capabilities", texts_to_json(desired.capabilities)},
                       {"notificationArns", texts_to_json(desired.notification_arns)}, {"roleArn", desired.role_arn}});
}

Desired desired_from_json(const Json& json) {
  Desired out{.source = json.text("source"), .document = json["document"], .parameters = {}, .tags = list_from_json<model::Tag>(json["tags"]),
              .capabilities = texts_from_json(json["capabilities"]), .notification_arns = texts_from_json(json["notificationArns"]),
              .role_arn = json.text("roleArn")};
  for (const Json& each : json["parameters"].as_array()) {
    Parameter parameter{.key = each.text("key"), .type = each.text("type"), .value = each.text("value"), .resolved = std::nullopt, .no_echo = each["noEcho"].as_bool()};
    if (each.contains("resolved")) parameter.resolved = each.text("resolved");
    out.parameters.push_back(std::move(parameter));
  }
  return out;
}

Json change_set_to_json(const ChangeSet& set) {
  return Json::object({{"id", set.id}, {"name", set.name}, {"type", set.type}, {"status", set.status}, {"reason", set.reason},
                       {"executionStatus", set.execution_status}, {"description", set.description}, {"token", set.token},
                       {"onStackFailure", set.on_stack_failure}, {"created", time_to_json(set.created)},
                       {"desired", desired_to_json(set.desired)}, {"changes", list_to_json(set.changes)}});
}

ChangeSet change_set_from_json(const Json& json) {
  return {.id = json.text("id"), .name = json.text("name"), .type = json.text("type"), .status = json.text("status"), .reason = json.text("reason"),
          .execution_status = json.text("executionStatus"), .description = json.text("description"), .token = json.text("token"),
          .on_stack_failure = json.text("onStackFailure"), .created = time_from_json(json["created"]),
          .desired = desired_from_json(json["desired"]), .changes = list_from_json<model::Change>(json["changes"])};
}

}  // namespace

Json to_json(const Resource& resource) {
  return Json::object({{"logicalId", resource.logical_id}, {"type", resource.type}, {"status", resource.status}, {"reason", resource.reason},
                       {"changed", time_to_json(resource.changed)}, {"physicalId", resource.state.physical_id},
                       {"attributes", resource.state.attributes}, {"properties", resource.properties},
                       {"dependsOn", texts_to_json(resource.depends_on)}, {"deletionPolicy", resource.deletion_policy},
                       {"updateReplacePolicy", resource.update_replace_policy}, {"metadata", resource.metadata},
                       {"attempt", resource.attempt}, {"isMaking", resource.is_making}});
}

Resource resource_from_json(const Json& json) {
  return {.logical_id = json.text("logicalId"), .type = json.text("type"), .status = json.text("status"), .reason = json.text("reason"),
          .changed = time_from_json(json["changed"]), .state = {json.text("physicalId"), json["attributes"]}, .properties = json["properties"],
          .depends_on = set_from_json(json["dependsOn"]), .deletion_policy = json.text("deletionPolicy"),
          .update_replace_policy = json.text("updateReplacePolicy"), .metadata = json["metadata"], .attempt = json.text("attempt"),
          .is_making = json["isMaking"].as_bool()};
}

std::map<std::string, std::string> Desired::parameter_values() const {
  std::map<std::string, std::string> out;
  for (const Parameter& parameter : parameters) out[parameter.key] = parameter.value;
  return out;
}

Json to_json(const Stack& stack) {
  Json out = Json::object({{"version", 1}, {"id", stack.id}, {"name", stack.name}, {"account", stack.account}, {"region", stack.region},
                           {"uuid", stack.uuid}, {"status", stack.status}, {"reason", stack.reason}, {"created", time_to_json(stack.created)},
                           {"desired", desired_to_json(stack.desired)}, {"work", static_cast<int>(stack.work)}, {"onFailure", stack.on_failure},
                           {"terminationProtection", stack.has_termination_protection}, {"changeSetId", stack.change_set_id},
                           {"token", stack.token}, {"parentId", stack.parent_id}, {"rootId", stack.root_id}, {"stackPolicy", stack.stack_policy},
                           {"timeoutMinutes", stack.timeout_minutes}, {"outputs", list_to_json(stack.outputs)},
                           {"retain", texts_to_json(stack.retain)}, {"statusBeforeDelete", stack.status_before_delete}, {"imports", texts_to_json(stack.imports)}});
  if (stack.updated) out.set("updated", time_to_json(*stack.updated));
  if (stack.deleted) out.set("deleted", time_to_json(*stack.deleted));
  if (stack.previous) out.set("previous", desired_to_json(*stack.previous));
  Json leftovers = Json::array(), change_sets = Json::array();
  for (const Leftover& leftover : stack.leftovers)
    leftovers.push_back(Json::object({{"resource", to_json(leftover.resource)}, {"isReplaced", leftover.is_replaced}}));
  for (const auto& [name, set] : stack.change_sets) change_sets.push_back(change_set_to_json(set));
  out.set("leftovers", std::move(leftovers));
  out.set("changeSets", std::move(change_sets));
  return out;
}

Stack stack_from_json(const Json& json) {
  Stack out{.id = json.text("id"), .name = json.text("name"), .account = json.text("account"), .region = json.text("region"),
            .uuid = json.text("uuid"), .status = json.text("status"), .reason = json.text("reason"), .created = time_from_json(json["created"]),
            .desired = desired_from_json(json["desired"]), .work = static_cast<Work>(json["work"].as_int().value_or(0)),
            .on_failure = json.text("onFailure"), .has_termination_protection = json["terminationProtection"].as_bool(),
            .change_set_id = json.text("changeSetId"), .token = json.text("token"), .parent_id = json.text("parentId"),
            .root_id = json.text("rootId"), .stack_policy = json.text("stackPolicy"),
            .timeout_minutes = static_cast<std::int32_t>(json["timeoutMinutes"].as_int().value_or(0)),
            .outputs = list_from_json<model::Output>(json["outputs"]), .retain = set_from_json(json["retain"]), .status_before_delete = json.text("statusBeforeDelete"), .imports = set_from_json(json["imports"])};
  if (json.contains("updated")) out.updated = time_from_json(json["updated"]);
  if (json.contains("deleted")) out.deleted = time_from_json(json["deleted"]);
  if (json.contains("previous")) out.previous = desired_from_json(json["previous"]);
  for (const Json& each : json["leftovers"].as_array())
    out.leftovers.push_back({resource_from_json(each["resource"]), each["isReplaced"].as_bool()});
  for (const Json& each : json["changeSets"].as_array()) {
    ChangeSet set = change_set_from_json(each);
    std::string name = set.name;
    out.change_sets.emplace(std::move(name), std::move(set));
  }
  return out;
}

}  // namespace reef::cloudformation
