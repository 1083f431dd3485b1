// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-function.html
#include "base/encoding.h"
#include "base/text.h"
#include "engine/function/package.h"
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

// Source that a template holds inline is the only file of its package.
Json code_input(const Json& code, const std::string& runtime) {
  Json in = Json::object();
  for (const char* name : {"S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri"}) copy(code, in, name, As::kText);
  if (const Json* source = code.find("ZipFile")) {
    const std::string& text = source->as_string();
    bool is_module = false;
    for (const std::string_view line : split(text, '\n')) is_module = is_module || line.starts_with("export ") || (line.starts_with("import ") && line.find(" from ") != std::string_view::npos);
    const std::string name = runtime.starts_with("python") ? "index.py" : is_module ? "index.mjs" : "index.js";
    in.set("ZipFile", base64_encode(function::make_zip(name, text)));
  }
  return in;
}

Json environment_input(const Json& environment) {
  Json variables = Json::object();
  for (const auto& [name, value] : environment["Variables"].as_object()) variables.set(name, value.scalar_text().value_or(""));
  return Json::object({{"Variables", std::move(variables)}});
}

// What CreateFunction and UpdateFunctionConfiguration have in common.
Json configuration_input(const Json& properties) {
  Json in = Json::object();
  for (const char* name : {"Description", "Handler", "KmsKeyArn", "Role", "Runtime"}) copy(properties, in, name, As::kText);
  for (const char* name : {"MemorySize", "Timeout"}) copy(properties, in, name, As::kNumber);
  for (const char* name : {"DeadLetterConfig", "Layers", "LoggingConfig", "SnapStart", "TracingConfig", "VpcConfig"}) copy(properties, in, name);
  if (const Json* storage = properties.find("EphemeralStorage")) {
    Json size = Json::object();
    copy(*storage, size, "Size", As::kNumber);
    in.set("EphemeralStorage", std::move(size));
  }
  if (const Json* environment = properties.find("Environment")) in.set("Environment", environment_input(*environment));
  return in;
}

Task<Reply<void>> set_concurrency(const ResourceContext& context, const std::string& name, const Json& properties, bool was_set) {
  if (properties.contains("ReservedConcurrentExecutions")) {
    Json in = Json::object({{"FunctionName", name}});
    copy(properties, in, "ReservedConcurrentExecutions", As::kNumber);
    CO_TRY(co_await run(context, "PutFunctionConcurrency", in));
  } else if (was_set) {
    CO_TRY(co_await run(context, "DeleteFunctionConcurrency", Json::object({{"FunctionName", name}})));
  }
  co_return Reply<void>();
}

ResourceState function_state(const Json& configuration) {
  std::string arn = configuration.text("FunctionArn");
  return {.physical_id = configuration.text("FunctionName"), .attributes = Json::object({{"Arn", arn}})};
}

std::string identify_resource_function(const ResourceContext& context, const Json& properties) {
  return properties.text("FunctionName").empty() ? context.generated_name(64) : properties.text("FunctionName");
}

Task<Reply<ResourceState>> create_resource_function(const ResourceContext& context, const Json& properties) {
  Json in = configuration_input(properties);
  const std::string name = identify_resource_function(context, properties);
  in.set("FunctionName", name);
  in.set("Code", code_input(properties["Code"], properties.text("Runtime")));
  for (const char* one : {"Architectures", "PackageType"}) copy(properties, in, one);
  const Json tags = tag_map({&context.tags, properties.find("Tags")});
  if (tags.size() > 0) in.set("Tags", tags);
  const Json out = CO_TRY(co_await run(context, "CreateFunction", in));
  CO_TRY(co_await set_concurrency(context, name, properties, false));
  co_return function_state(out);
}

Task<Reply<ResourceState>> update_resource_function(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string& name = current.physical_id;
  if (!(before["Code"] == after["Code"]) || !(before["Architectures"] == after["Architectures"]) || !(before["Runtime"] == after["Runtime"])) {
    Json code = code_input(after["Code"], after.text("Runtime"));
    code.set("FunctionName", name);
    copy(after, code, "Architectures");
    CO_TRY(co_await run(context, "UpdateFunctionCode", code));
  }
  Json in = configuration_input(after);
  in.set("FunctionName", name);
  // What is no longer said goes back to its default.
  const std::pair<const char*, Json> defaults[] = {
      {"Description", Json("")}, {"MemorySize", Json(128)}, {"Timeout", Json(3)}, {"Layers", Json::array()},
      {"Environment", Json::object({{"Variables", Json::object()}})}, {"DeadLetterConfig", Json::object({{"TargetArn", ""}})},
      {"TracingConfig", Json::object({{"Mode", "PassThrough"}})}, {"EphemeralStorage", Json::object({{"Size", 512}})},
      {"VpcConfig", Json::object({{"SubnetIds", Json::array()}, {"SecurityGroupIds", Json::array()}})}};
  for (const auto& [property, value] : defaults)
    if (before.contains(property) && !after.contains(property)) in.set(property, value);
  const Json out = CO_TRY(co_await run(context, "UpdateFunctionConfiguration", in));
  CO_TRY(co_await set_concurrency(context, name, after, before.contains("ReservedConcurrentExecutions")));
  const std::string arn = out.text("FunctionArn");
  const Json old_tags = tag_map({before.find("Tags")}), new_tags = tag_map({&context.tags, after.find("Tags")});
  Json gone = Json::array();
  for (const auto& [key, value] : old_tags.as_object())
    if (!new_tags.contains(key)) gone.push_back(Json(key));
  if (gone.size() > 0) CO_TRY(co_await run(context, "UntagResource", Json::object({{"Resource", arn}, {"TagKeys", gone}})));
  if (new_tags.size() > 0) CO_TRY(co_await run(context, "TagResource", Json::object({{"Resource", arn}, {"Tags", new_tags}})));
  co_return function_state(out);
}

Task<Reply<void>> remove_resource_function(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await run_if_there(context, "DeleteFunction", Json::object({{"FunctionName", current.physical_id}}));
}

Task<Reply<ResourceState>> create_resource_layer(const ResourceContext& context, const Json& properties) {
  Json in = Json::object();
  in.set("LayerName", properties.text("LayerName").empty() ? context.generated_name(64) : properties.text("LayerName"));
  for (const char* name : {"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LicenseInfo"}) copy(properties, in, name);
  const Json out = CO_TRY(co_await run(context, "PublishLayerVersion", in));
  const std::string arn = out.text("LayerVersionArn");
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"LayerVersionArn", arn}})};
}

Json layer_version_input(const std::string& arn) {
  const auto colon = arn.rfind(':');
  return Json::object({{"LayerName", arn.substr(0, colon)}, {"VersionNumber", Json::number(arn.substr(colon + 1))}});
}

Task<Reply<void>> remove_resource_layer(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await run_if_there(context, "DeleteLayerVersion", layer_version_input(current.physical_id));
}

Task<Reply<ResourceState>> create_resource_layer_permission(const ResourceContext& context, const Json& properties) {
  Json in = layer_version_input(properties.text("LayerVersionArn"));
  const std::string id = context.generated_name(64);
  in.set("StatementId", id);
  for (const char* name : {"Action", "OrganizationId", "Principal"}) copy(properties, in, name, As::kText);
  CO_TRY(co_await run(context, "AddLayerVersionPermission", in));
  co_return ResourceState{.physical_id = properties.text("LayerVersionArn") + "#" + id, .attributes = Json::object({{"Id", id}})};
}

Task<Reply<void>> remove_resource_layer_permission(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  Json in = layer_version_input(properties.text("LayerVersionArn"));
  in.set("StatementId", current.physical_id.substr(current.physical_id.rfind('#') + 1));
  co_return co_await run_if_there(context, "RemoveLayerVersionPermission", in);
}

}  // namespace

const aws::ResourceType kFunction{
    .name = "AWS::Lambda::Function",
    .properties = {{"Architectures"}, {"Code", OnChange::kUpdate, true}, {"DeadLetterConfig"}, {"Description"}, {"Environment"},
                   {"EphemeralStorage"}, {"FunctionName", OnChange::kReplace}, {"Handler"}, {"KmsKeyArn"}, {"Layers"},
                   {"LoggingConfig"}, {"MemorySize"}, {"PackageType", OnChange::kReplace}, {"ReservedConcurrentExecutions"},
                   {"Role", OnChange::kUpdate, true}, {"Runtime"}, {"SnapStart"}, {"Tags"}, {"Timeout"}, {"TracingConfig"},
                   {"VpcConfig"}},
    .check = check_function_values,
    .create = create_resource_function,
    .identify = identify_resource_function,
    .update = update_resource_function,
    .remove = remove_resource_function,
};

const aws::ResourceType kLayerVersion{
    .name = "AWS::Lambda::LayerVersion",
    .properties = {{"CompatibleArchitectures", OnChange::kReplace}, {"CompatibleRuntimes", OnChange::kReplace},
                   {"Content", OnChange::kReplace, true}, {"Description", OnChange::kReplace}, {"LayerName", OnChange::kReplace},
                   {"LicenseInfo", OnChange::kReplace}},
    .create = create_resource_layer,
    .remove = remove_resource_layer,
};

const aws::ResourceType kLayerVersionPermission{
    .name = "AWS::Lambda::LayerVersionPermission",
    .properties = {{"Action", OnChange::kReplace, true}, {"LayerVersionArn", OnChange::kReplace, true},
                   {"OrganizationId", OnChange::kReplace}, {"Principal", OnChange::kReplace, true}},
    .create = create_resource_layer_permission,
    .remove = remove_resource_layer_permission,
};

}  // namespace reef::service::lambda::resources
