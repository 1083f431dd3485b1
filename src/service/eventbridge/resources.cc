// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html, -eventbus, -eventbuspolicy, -archive
#include "service/eventbridge/resources.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/loose_values.h"
#include "aws/models/eventbridge.h"

namespace reef::service::eventbridge::resources {
namespace {

namespace model = aws::eventbridge;
using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr const char* kService = "eventbridge";

Task<aws::Reply<Json>> operate(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, kService, operation, aws::fit_to_operation(model::kModel, operation, std::move(input)));
}
std::string name_of(const ResourceContext& context, const Json& properties, std::string_view property, std::size_t length_max) {
  const std::string& given = properties.text(property);
  return given.empty() ? context.generated_name(length_max) : given;
}
// A document that may be given as JSON or as its text.
Json as_text(const Json& value) { return value.is_string() ? value : Json(value.dump()); }

Json ids_of(const Json& targets) {
  Json out = Json::array();
  for (const Json& target : targets.as_array()) out.push_back(target["Id"]);
  return out;
}

// --- AWS::Events::Rule: Ref is the name on the default bus, "bus|name" on others --------------------------------------
struct RuleNames {
  std::string bus, rule;
};
RuleNames rule_names(const std::string& physical_id, const Json& properties) {
  const auto bar = physical_id.find('|');
  return {properties.text("EventBusName"), bar == std::string::npos ? physical_id : physical_id.substr(bar + 1)};
}
Json of_rule(const RuleNames& names, std::string_view member) {
  Json out = Json::object({{member.data(), names.rule}});
  if (!names.bus.empty()) out.set("EventBusName", names.bus);
  return out;
}

Task<aws::Reply<ResourceState>> put_rule(const ResourceContext& context, RuleNames names, const Json& properties, bool is_new) {
  Json input = of_rule(names, "Name");
  for (const char* property : {"Description", "RoleArn", "ScheduleExpression", "State"})
    if (const Json* value = properties.find(property)) input.set(property, *value);
  if (const Json* pattern = properties.find("EventPattern")) input.set("EventPattern", as_text(*pattern));
  const Json tags = aws::merge_tags({&context.tags, properties.find("Tags")});
  if (is_new && tags.size() > 0) input.set("Tags", tags);
  const Json out = CO_TRY(co_await operate(context, "PutRule", std::move(input)));
  if (properties["Targets"].size() > 0) {
    Json targets = of_rule(names, "Rule");
    targets.set("Targets", properties["Targets"]);
    CO_TRY(co_await operate(context, "PutTargets", std::move(targets)));
  }
  std::string bus = names.bus.substr(names.bus.rfind('/') + 1);
  co_return ResourceState{.physical_id = bus.empty() || bus == "default" ? names.rule : bus + "|" + names.rule, .attributes = Json::object({{"Arn", out["RuleArn"]}})};
}
std::string identify_rule(const ResourceContext& context, const Json& properties) {
  const std::string name = name_of(context, properties, "Name", 64), bus = properties.text("EventBusName").substr(properties.text("EventBusName").rfind('/') + 1);
  return bus.empty() || bus == "default" ? name : bus + "|" + name;
}
Task<aws::Reply<ResourceState>> create_rule(const ResourceContext& context, const Json& properties) {
  return put_rule(context, {properties.text("EventBusName"), name_of(context, properties, "Name", 64)}, properties, true);
}
Task<aws::Reply<ResourceState>> update_rule(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const RuleNames names = rule_names(current.physical_id, after);
  Json gone = Json::array();
  const Json kept = ids_of(after["Targets"]), had = ids_of(before["Targets"]);
  for (const Json& id : had.as_array())
    if (std::find(kept.as_array().begin(), kept.as_array().end(), id) == kept.as_array().end()) gone.push_back(id);
  if (gone.size() > 0) {
    Json input = of_rule(names, "Rule");
    input.set("Ids", std::move(gone));
    CO_TRY(co_await operate(context, "RemoveTargets", std::move(input)));
  }
  co_return co_await put_rule(context, names, after, false);
}
Task<aws::Reply<void>> remove_rule(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const RuleNames names = rule_names(current.physical_id, properties);
  const auto targets = co_await operate(context, "ListTargetsByRule", of_rule(names, "Rule"));
  if (!targets) {
    if (targets.error().code == "ResourceNotFoundException") co_return aws::Reply<void>();
    co_return std::unexpected(targets.error());
  }
  if ((*targets)["Targets"].size() > 0) {
    Json input = of_rule(names, "Rule");
    input.set("Ids", ids_of((*targets)["Targets"]));
    CO_TRY(co_await aws::call_unless_gone(context, kService, "RemoveTargets", std::move(input), "ResourceNotFoundException"));
  }
  co_return co_await aws::call_unless_gone(context, kService, "DeleteRule", of_rule(names, "Name"), "ResourceNotFoundException");
}

// --- AWS::Events::EventBus --------------------------------------------------------------------------------------------
Task<aws::Reply<void>> put_policy(const ResourceContext& context, std::string bus, const Json& policy) {
  CO_TRY(co_await operate(context, "PutPermission", Json::object({{"EventBusName", bus}, {"Policy", as_text(policy)}})));
  co_return aws::Reply<void>();
}
ResourceState bus_state(const ResourceContext& context, const std::string& name) {
  return {.physical_id = name, .attributes = Json::object({{"Arn", context.call.arn("events", "event-bus/" + name)}, {"Name", name}})};
}
Task<aws::Reply<ResourceState>> create_bus(const ResourceContext& context, const Json& properties) {
  Json input = properties;
  const Json tags = aws::merge_tags({&context.tags, properties.find("Tags")});
  input.erase("Policy");
  input.erase("Tags");
  if (tags.size() > 0) input.set("Tags", tags);
  CO_TRY(co_await operate(context, "CreateEventBus", std::move(input)));
  if (const Json* policy = properties.find("Policy")) CO_TRY(co_await put_policy(context, properties.text("Name"), *policy));
  co_return bus_state(context, properties.text("Name"));
}
Task<aws::Reply<ResourceState>> update_bus(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json input = after;
  input.erase("Policy");
  input.erase("Tags");
  input.erase("EventSourceName");
  CO_TRY(co_await operate(context, "UpdateEventBus", std::move(input)));
  if (const Json* policy = after.find("Policy")) CO_TRY(co_await put_policy(context, current.physical_id, *policy));
  else if (before.contains("Policy")) CO_TRY(co_await operate(context, "RemovePermission", Json::object({{"EventBusName", current.physical_id}, {"RemoveAllPermissions", true}})));
  co_return bus_state(context, current.physical_id);
}
std::string identify_bus(const ResourceContext&, const Json& properties) { return properties.text("Name"); }
Task<aws::Reply<void>> remove_bus(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, kService, "DeleteEventBus", Json::object({{"Name", current.physical_id}}), "ResourceNotFoundException");
}

// --- AWS::Events::EventBusPolicy: one statement -------------------------------------------------------------------------
Task<aws::Reply<ResourceState>> create_policy(const ResourceContext& context, const Json& properties) {
  const std::string bus = properties.text("EventBusName").empty() ? "default" : properties.text("EventBusName"), id = properties.text("StatementId");
  if (const Json* statement = properties.find("Statement")) {
    // Beside what the bus allows already.
    const Json described = CO_TRY(co_await operate(context, "DescribeEventBus", Json::object({{"Name", bus}})));
    auto policy = Json::parse(described.text("Policy"));
    Json document = policy ? *policy : Json::object({{"Version", "2012-10-17"}, {"Statement", Json::array()}});
    Json one = *statement;
    one.set("Sid", id);
    Json* statements = document.find("Statement");
    std::erase_if(statements->elements(), [&](const Json& old) { return old.text("Sid") == id; });
    statements->push_back(std::move(one));
    CO_TRY(co_await put_policy(context, bus, document));
  } else {
    Json input = properties;
    input.set("EventBusName", bus);
    CO_TRY(co_await operate(context, "PutPermission", std::move(input)));
  }
  co_return ResourceState{.physical_id = bus + "|" + id, .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_policy(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return create_policy(context, after); }
Task<aws::Reply<void>> remove_policy(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto bar = current.physical_id.find('|');
  return aws::call_unless_gone(context, kService, "RemovePermission",
                               Json::object({{"EventBusName", current.physical_id.substr(0, bar)}, {"StatementId", current.physical_id.substr(bar + 1)}}),
                               "ResourceNotFoundException");
}

// --- AWS::Events::Archive -----------------------------------------------------------------------------------------------
Task<aws::Reply<ResourceState>> put_archive(const ResourceContext& context, std::string name, Json properties, bool is_new) {
  properties.set("ArchiveName", name);
  if (const Json* pattern = properties.find("EventPattern")) properties.set("EventPattern", as_text(*pattern));
  const Json source = properties["SourceArn"];
  properties.erase("SourceArn");
  if (is_new) properties.set("EventSourceArn", source);
  const Json out = CO_TRY(co_await operate(context, is_new ? "CreateArchive" : "UpdateArchive", std::move(properties)));
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Arn", out["ArchiveArn"]}, {"ArchiveName", name}})};
}
std::string identify_archive(const ResourceContext& context, const Json& properties) { return name_of(context, properties, "ArchiveName", 48); }
Task<aws::Reply<ResourceState>> create_archive(const ResourceContext& context, const Json& properties) {
  return put_archive(context, identify_archive(context, properties), properties, true);
}
Task<aws::Reply<ResourceState>> update_archive(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  return put_archive(context, current.physical_id, after, false);
}
Task<aws::Reply<void>> remove_archive(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, kService, "DeleteArchive", Json::object({{"ArchiveName", current.physical_id}}), "ResourceNotFoundException");
}

}  // namespace

const aws::ResourceType kRule{.name = "AWS::Events::Rule",
                              .properties = {{"Description"}, {"EventBusName", OnChange::kReplace}, {"EventPattern"}, {"Name", OnChange::kReplace}, {"RoleArn"},
                                             {"ScheduleExpression"}, {"State"}, {"Tags"}, {"Targets"}},
                              .create = create_rule, .identify = identify_rule, .update = update_rule, .remove = remove_rule};
const aws::ResourceType kEventBus{.name = "AWS::Events::EventBus",
                                  .properties = {{"DeadLetterConfig"}, {"Description"}, {"EventSourceName", OnChange::kReplace}, {"KmsKeyIdentifier"}, {"LogConfig"},
                                                 {"Name", OnChange::kReplace, true}, {"Policy"}, {"Tags"}},
                                  .create = create_bus, .identify = identify_bus, .update = update_bus, .remove = remove_bus};
const aws::ResourceType kEventBusPolicy{.name = "AWS::Events::EventBusPolicy",
                                        .properties = {{"Action"}, {"Condition"}, {"EventBusName", OnChange::kReplace}, {"Principal"}, {"Statement"},
                                                       {"StatementId", OnChange::kReplace, true}},
                                        .create = create_policy, .update = update_policy, .remove = remove_policy};
const aws::ResourceType kArchive{.name = "AWS::Events::Archive",
                                 .properties = {{"ArchiveName", OnChange::kReplace}, {"Description"}, {"EventPattern"}, {"KmsKeyIdentifier"}, {"RetentionDays"},
                                                {"SourceArn", OnChange::kReplace, true}},
                                 .create = create_archive, .identify = identify_archive, .update = update_archive, .remove = remove_archive};

}  // namespace reef::service::eventbridge::resources
