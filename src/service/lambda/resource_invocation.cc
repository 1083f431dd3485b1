// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_Lambda.html
// Versions, aliases, permissions, URLs, event source mappings and invoke configurations.
#include "service/lambda/resource_checks.h"
#include "service/lambda/resource_values.h"
#include "service/lambda/resources.h"

namespace reef::service::lambda::resources {
namespace {

using aws::OnChange;
using aws::Reply;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// ---- versions
Task<Reply<ResourceState>> create_resource_version(const ResourceContext& context, const Json& properties) {
  Json in = Json::object();
  for (const char* name : {"CodeSha256", "Description", "FunctionName"}) copy(properties, in, name, As::kText);
  const Json out = CO_TRY(co_await run(context, "PublishVersion", in));
  const std::string arn = out.text("FunctionArn");
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"Version", out.text("Version")}, {"FunctionArn", arn}})};
}
Task<Reply<void>> remove_resource_version(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await run_if_there(context, "DeleteFunction", Json::object({{"FunctionName", current.physical_id}}));
}

// ---- aliases
Json alias_input(const Json& properties) {
  Json in = Json::object();
  for (const char* name : {"Description", "FunctionName", "FunctionVersion", "Name"}) copy(properties, in, name, As::kText);
  Json weights = Json::object();
  for (const Json& one : properties["RoutingConfig"]["AdditionalVersionWeights"].as_array()) {
    Json weight = Json::object();
    copy(one, weight, "FunctionWeight", As::kNumber);
    weights.set(one["FunctionVersion"].scalar_text().value_or(""), weight["FunctionWeight"]);
  }
  in.set("RoutingConfig", Json::object({{"AdditionalVersionWeights", std::move(weights)}}));
  return in;
}
ResourceState alias_state(const Json& out) {
  const std::string arn = out.text("AliasArn");
  return {.physical_id = arn, .attributes = Json::object({{"AliasArn", arn}})};
}
Task<Reply<ResourceState>> create_resource_alias(const ResourceContext& context, const Json& properties) {
  co_return alias_state(CO_TRY(co_await run(context, "CreateAlias", alias_input(properties))));
}
Task<Reply<ResourceState>> update_resource_alias(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) {
  co_return alias_state(CO_TRY(co_await run(context, "UpdateAlias", alias_input(after))));
}
Task<Reply<void>> remove_resource_alias(const ResourceContext& context, const ResourceState&, const Json& properties) {
  Json in = Json::object();
  for (const char* name : {"FunctionName", "Name"}) copy(properties, in, name, As::kText);
  co_return co_await run_if_there(context, "DeleteAlias", in);
}

// ---- permissions
Task<Reply<ResourceState>> create_resource_permission(const ResourceContext& context, const Json& properties) {
  Json in = Json::object();
  const std::string id = context.generated_name(100);
  in.set("StatementId", id);
  for (const char* name : {"Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"})
    copy(properties, in, name, As::kText);
  copy(properties, in, "InvokedViaFunctionUrl", As::kBool);
  CO_TRY(co_await run(context, "AddPermission", in));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<Reply<void>> remove_resource_permission(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  Json in = Json::object({{"StatementId", current.physical_id}});
  copy(properties, in, "FunctionName", As::kText);
  co_return co_await run_if_there(context, "RemovePermission", in);
}

// ---- URLs
Json url_input(const Json& properties) {
  Json in = Json::object({{"FunctionName", properties["TargetFunctionArn"]}});
  for (const char* name : {"AuthType", "InvokeMode", "Qualifier"}) copy(properties, in, name, As::kText);
  if (const Json* given = properties.find("Cors")) {
    Json cors = Json::object();
    for (const char* name : {"AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders"}) copy(*given, cors, name);
    copy(*given, cors, "AllowCredentials", As::kBool);
    copy(*given, cors, "MaxAge", As::kNumber);
    in.set("Cors", std::move(cors));
  }
  return in;
}
ResourceState url_state(const Json& out) {
  return {.physical_id = out.text("FunctionArn"), .attributes = Json::object({{"FunctionUrl", out.text("FunctionUrl")}, {"FunctionArn", out.text("FunctionArn")}})};
}
Task<Reply<ResourceState>> create_resource_url(const ResourceContext& context, const Json& properties) {
  co_return url_state(CO_TRY(co_await run(context, "CreateFunctionUrlConfig", url_input(properties))));
}
Task<Reply<ResourceState>> update_resource_url(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) {
  co_return url_state(CO_TRY(co_await run(context, "UpdateFunctionUrlConfig", url_input(after))));
}
Task<Reply<void>> remove_resource_url(const ResourceContext& context, const ResourceState&, const Json& properties) {
  Json in = Json::object({{"FunctionName", properties["TargetFunctionArn"]}});
  copy(properties, in, "Qualifier", As::kText);
  co_return co_await run_if_there(context, "DeleteFunctionUrlConfig", in);
}

// ---- event source mappings
Json mapping_input(const Json& properties) {
  Json in = Json::object();
  copy(properties, in, "FunctionName", As::kText);
  for (const char* name : {"BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "TumblingWindowInSeconds"})
    copy(properties, in, name, As::kNumber);
  for (const char* name : {"BisectBatchOnFunctionError", "Enabled"}) copy(properties, in, name, As::kBool);
  for (const char* name : {"DestinationConfig", "FilterCriteria", "FunctionResponseTypes"}) copy(properties, in, name);
  // Templates may write a pattern as an object.
  if (Json* criteria = in.find("FilterCriteria"); criteria && criteria->find("Filters"))
    for (Json& filter : criteria->find("Filters")->elements())
      if (Json* pattern = filter.find("Pattern"); pattern && !pattern->is_string()) *pattern = Json(pattern->dump());
  if (const Json* given = properties.find("ScalingConfig")) {
    Json scaling = Json::object();
    copy(*given, scaling, "MaximumConcurrency", As::kNumber);
    in.set("ScalingConfig", std::move(scaling));
  }
  return in;
}
ResourceState mapping_state(const Json& out) {
  return {.physical_id = out.text("UUID"), .attributes = Json::object({{"Id", out.text("UUID")}, {"EventSourceMappingArn", out.text("EventSourceMappingArn")}})};
}
Task<Reply<ResourceState>> create_resource_mapping(const ResourceContext& context, const Json& properties) {
  Json in = mapping_input(properties);
  for (const char* name : {"EventSourceArn", "StartingPosition"}) copy(properties, in, name, As::kText);
  const Json tags = tag_map({properties.find("Tags")});
  if (tags.size() > 0) in.set("Tags", tags);
  co_return mapping_state(CO_TRY(co_await run(context, "CreateEventSourceMapping", in)));
}
Task<Reply<ResourceState>> update_resource_mapping(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json in = mapping_input(after);
  in.set("UUID", current.physical_id);
  if (before.contains("FilterCriteria") && !after.contains("FilterCriteria")) in.set("FilterCriteria", Json::object({{"Filters", Json::array()}}));
  if (before.contains("FunctionResponseTypes") && !after.contains("FunctionResponseTypes")) in.set("FunctionResponseTypes", Json::array());
  co_return mapping_state(CO_TRY(co_await run(context, "UpdateEventSourceMapping", in)));
}
Task<Reply<void>> remove_resource_mapping(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await run_if_there(context, "DeleteEventSourceMapping", Json::object({{"UUID", current.physical_id}}));
}

// ---- invoke configurations
Json event_config_input(const Json& properties) {
  Json in = Json::object();
  for (const char* name : {"FunctionName", "Qualifier"}) copy(properties, in, name, As::kText);
  for (const char* name : {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}) copy(properties, in, name, As::kNumber);
  copy(properties, in, "DestinationConfig");
  return in;
}
Task<Reply<ResourceState>> create_resource_event_config(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await run(context, "PutFunctionEventInvokeConfig", event_config_input(properties)));
  co_return ResourceState{.physical_id = context.generated_name(64), .attributes = Json::object()};
}
Task<Reply<ResourceState>> update_resource_event_config(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await run(context, "PutFunctionEventInvokeConfig", event_config_input(after)));
  co_return current;
}
Task<Reply<void>> remove_resource_event_config(const ResourceContext& context, const ResourceState&, const Json& properties) {
  Json in = Json::object();
  for (const char* name : {"FunctionName", "Qualifier"}) copy(properties, in, name, As::kText);
  co_return co_await run_if_there(context, "DeleteFunctionEventInvokeConfig", in);
}

}  // namespace

const aws::ResourceType kVersion{
    .name = "AWS::Lambda::Version",
    .properties = {{"CodeSha256", OnChange::kReplace}, {"Description", OnChange::kReplace}, {"FunctionName", OnChange::kReplace, true}},
    .create = create_resource_version,
    .remove = remove_resource_version,
};
const aws::ResourceType kAlias{
    .name = "AWS::Lambda::Alias",
    .properties = {{"Description"}, {"FunctionName", OnChange::kReplace, true}, {"FunctionVersion", OnChange::kUpdate, true},
                   {"Name", OnChange::kReplace, true}, {"RoutingConfig"}},
    .create = create_resource_alias,
    .update = update_resource_alias,
    .remove = remove_resource_alias,
};
const aws::ResourceType kPermission{
    .name = "AWS::Lambda::Permission",
    .properties = {{"Action", OnChange::kReplace, true}, {"EventSourceToken", OnChange::kReplace}, {"FunctionName", OnChange::kReplace, true},
                   {"FunctionUrlAuthType", OnChange::kReplace}, {"InvokedViaFunctionUrl", OnChange::kReplace}, {"Principal", OnChange::kReplace, true},
                   {"PrincipalOrgID", OnChange::kReplace}, {"SourceAccount", OnChange::kReplace}, {"SourceArn", OnChange::kReplace}},
    .create = create_resource_permission,
    .remove = remove_resource_permission,
};
const aws::ResourceType kUrl{
    .name = "AWS::Lambda::Url",
    .properties = {{"AuthType", OnChange::kUpdate, true}, {"Cors"}, {"InvokeMode"}, {"Qualifier", OnChange::kReplace},
                   {"TargetFunctionArn", OnChange::kReplace, true}},
    .create = create_resource_url,
    .update = update_resource_url,
    .remove = remove_resource_url,
};
const aws::ResourceType kEventSourceMapping{
    .name = "AWS::Lambda::EventSourceMapping",
    .properties = {{"BatchSize"}, {"BisectBatchOnFunctionError"}, {"DestinationConfig"}, {"Enabled"}, {"EventSourceArn", OnChange::kReplace},
                   {"FilterCriteria"}, {"FunctionName", OnChange::kUpdate, true}, {"FunctionResponseTypes"}, {"MaximumBatchingWindowInSeconds"},
                   {"MaximumRecordAgeInSeconds"}, {"MaximumRetryAttempts"}, {"ParallelizationFactor"}, {"ScalingConfig"},
                   {"StartingPosition", OnChange::kReplace}, {"Tags"}, {"TumblingWindowInSeconds"}},
    .check = check_mapping_values,
    .create = create_resource_mapping,
    .update = update_resource_mapping,
    .remove = remove_resource_mapping,
};
const aws::ResourceType kEventInvokeConfig{
    .name = "AWS::Lambda::EventInvokeConfig",
    .properties = {{"DestinationConfig"}, {"FunctionName", OnChange::kReplace, true}, {"MaximumEventAgeInSeconds"},
                   {"MaximumRetryAttempts"}, {"Qualifier", OnChange::kReplace, true}},
    .check = check_event_config_values,
    .create = create_resource_event_config,
    .update = update_resource_event_config,
    .remove = remove_resource_event_config,
};

}  // namespace reef::service::lambda::resources
