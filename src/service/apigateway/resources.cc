// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
#include "service/apigateway/resources.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "service/apigateway/resource_calls.h"

namespace reef::service::apigateway::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// --- Resource, Method ----------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_resource(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "CreateResource", Json::object({{"restApiId", properties["RestApiId"]}, {"parentId", properties["ParentId"]},
                                                                                 {"pathPart", properties["PathPart"]}})));
  co_return ResourceState{.physical_id = out.text("id"), .attributes = Json::object({{"ResourceId", out.text("id")}})};
}
Task<aws::Reply<void>> remove_resource(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteResource", Json::object({{"restApiId", properties["RestApiId"]}, {"resourceId", current.physical_id}}));
}

// Replaced rather than updated: its methods follow by their reference.
Task<aws::Reply<ResourceState>> create_authorizer(const ResourceContext& context, const Json& properties) {
  Json input = Json::object();
  for (const std::string_view name : {"AuthorizerCredentials", "AuthorizerUri", "AuthType", "IdentitySource", "IdentityValidationExpression", "Name", "RestApiId", "Type"})
    if (const Json* value = properties.find(name)) input.set(lower_first(name), *value);
  if (const Json* pools = properties.find("ProviderARNs")) input.set("providerARNs", *pools);
  if (const Json* seconds = properties.find("AuthorizerResultTtlInSeconds")) input.set("authorizerResultTtlInSeconds", Json::number(seconds->scalar_text().value_or("0")));
  const Json out = CO_TRY(co_await call(context, "CreateAuthorizer", std::move(input)));
  co_return ResourceState{.physical_id = out.text("id"), .attributes = Json::object({{"AuthorizerId", out.text("id")}})};
}
Task<aws::Reply<void>> remove_authorizer(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteAuthorizer", Json::object({{"restApiId", properties["RestApiId"]}, {"authorizerId", current.physical_id}}));
}

Json method_of(const Json& properties) {
  return Json::object({{"restApiId", properties["RestApiId"]}, {"resourceId", properties["ResourceId"]}, {"httpMethod", properties["HttpMethod"]}});
}

Task<aws::Reply<ResourceState>> create_method(const ResourceContext& context, const Json& properties) {
  Json put = method_of(properties);
  put.set("authorizationType", properties.contains("AuthorizationType") ? properties["AuthorizationType"] : Json("NONE"));
  if (const Json* required = properties.find("ApiKeyRequired")) put.set("apiKeyRequired", boolean(*required));
  for (const std::string_view name : {"AuthorizerId", "OperationName", "RequestModels", "RequestValidatorId", "AuthorizationScopes"})
    if (const Json* value = properties.find(name)) put.set(lower_first(name), *value);
  if (const Json* parameters = properties.find("RequestParameters")) {
    Json& out = put.set("requestParameters", Json::object());
    for (const auto& [name, value] : parameters->as_object()) out.set(name, boolean(value));
  }
  CO_TRY(co_await call(context, "PutMethod", std::move(put)));
  for (const Json& response : properties["MethodResponses"].as_array()) {
    Json one = method_of(properties);
    one.set("statusCode", response["StatusCode"].scalar_text().value_or("200"));
    if (const Json* models = response.find("ResponseModels")) one.set("responseModels", *models);
    if (const Json* parameters = response.find("ResponseParameters")) {
      Json& out = one.set("responseParameters", Json::object());
      for (const auto& [name, value] : parameters->as_object()) out.set(name, boolean(value));
    }
    CO_TRY(co_await call(context, "PutMethodResponse", std::move(one)));
  }
  if (const Json* integration = properties.find("Integration")) {
    Json one = method_of(properties);
    for (const std::string_view name : {"Type", "Uri", "ConnectionType", "ConnectionId", "Credentials", "RequestParameters", "RequestTemplates", "PassthroughBehavior",
                                        "CacheNamespace", "CacheKeyParameters", "ContentHandling"})
      if (const Json* value = integration->find(name)) one.set(lower_first(name), *value);
    if (const Json* verb = integration->find("IntegrationHttpMethod")) one.set("integrationHttpMethod", *verb);
    if (const Json* timeout = integration->find("TimeoutInMillis")) one.set("timeoutInMillis", number(*timeout));
    CO_TRY(co_await call(context, "PutIntegration", std::move(one)));
    for (const Json& response : (*integration)["IntegrationResponses"].as_array()) {
      Json answer = method_of(properties);
      answer.set("statusCode", response["StatusCode"].scalar_text().value_or("200"));
      for (const std::string_view name : {"SelectionPattern", "ResponseParameters", "ResponseTemplates", "ContentHandling"})
        if (const Json* value = response.find(name)) answer.set(lower_first(name), *value);
      CO_TRY(co_await call(context, "PutIntegrationResponse", std::move(answer)));
    }
  }
  co_return ResourceState{.physical_id = fmt::format("{}|{}|{}", properties.text("RestApiId"), properties.text("ResourceId"), properties.text("HttpMethod")),
                          .attributes = Json::object()};
}
Task<aws::Reply<void>> remove_method(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await call_gone(context, "DeleteMethod", method_of(properties));
}
Task<aws::Reply<ResourceState>> update_method(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await remove_method(context, current, before));
  co_return co_await create_method(context, after);
}

// --- Deployment, Stage ---------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_deployment(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"restApiId", properties["RestApiId"]}});
  if (const Json* stage = properties.find("StageName")) input.set("stageName", *stage);
  if (const Json* description = properties.find("Description")) input.set("description", *description);
  if (const Json* variables = properties["StageDescription"].find("Variables")) input.set("variables", *variables);
  const Json out = CO_TRY(co_await call(context, "CreateDeployment", std::move(input)));
  co_return ResourceState{.physical_id = out.text("id"), .attributes = Json::object({{"DeploymentId", out.text("id")}})};
}
Task<aws::Reply<ResourceState>> update_deployment(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await call(context, "UpdateDeployment", Json::object({{"restApiId", after["RestApiId"]}, {"deploymentId", current.physical_id},
                                                                  {"patchOperations", Json::array({replace("/description", after.text("Description"))})}})));
  co_return current;
}
Task<aws::Reply<void>> remove_deployment(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  // A stage that the deployment made goes with it.
  if (const std::string& stage = properties.text("StageName"); !stage.empty()) {
    const auto found = co_await call(context, "GetStage", Json::object({{"restApiId", properties["RestApiId"]}, {"stageName", stage}}));
    if (found && found->text("deploymentId") == current.physical_id)
      CO_TRY(co_await call_gone(context, "DeleteStage", Json::object({{"restApiId", properties["RestApiId"]}, {"stageName", stage}})));
  }
  co_return co_await call_gone(context, "DeleteDeployment", Json::object({{"restApiId", properties["RestApiId"]}, {"deploymentId", current.physical_id}}));
}

// MethodSettings and AccessLogSetting as patches: "/~1orders/GET/throttling/rateLimit".
Json setting_operations(const Json& before, const Json& after) {
  static constexpr std::pair<const char*, const char*> kSettings[] = {
      {"ThrottlingRateLimit", "throttling/rateLimit"}, {"ThrottlingBurstLimit", "throttling/burstLimit"}, {"LoggingLevel", "logging/loglevel"}, {"DataTraceEnabled", "logging/dataTrace"},
      {"MetricsEnabled", "metrics/enabled"}, {"CachingEnabled", "caching/enabled"}, {"CacheTtlInSeconds", "caching/ttlInSeconds"}, {"CacheDataEncrypted", "caching/dataEncrypted"}};
  Json out = Json::array();
  const auto place = [](const Json& setting) {
    const std::string path = setting.text("ResourcePath").empty() ? "/*" : setting.text("ResourcePath");
    const std::string shown = path == "/*" ? "*" : path.starts_with("/~1") ? path.substr(1) : replace_all(path, "/", "~1");
    return fmt::format("/{}/{}", shown, setting.text("HttpMethod").empty() ? "*" : setting.text("HttpMethod"));
  };
  for (const Json& setting : before["MethodSettings"].as_array()) out.push_back(Json::object({{"op", "remove"}, {"path", place(setting)}}));
  for (const Json& setting : after["MethodSettings"].as_array())
    for (const auto& [member, path] : kSettings)
      if (setting.contains(member)) out.push_back(replace(fmt::format("{}/{}", place(setting), path), setting[member].scalar_text().value_or("")));
  const Json& log = after["AccessLogSetting"];
  if (!log.is_object() && before["AccessLogSetting"].is_object()) out.push_back(Json::object({{"op", "remove"}, {"path", "/accessLogSettings"}}));
  if (log.contains("DestinationArn")) out.push_back(replace("/accessLogSettings/destinationArn", log.text("DestinationArn")));
  if (log.contains("Format")) out.push_back(replace("/accessLogSettings/format", log.text("Format")));
  return out;
}

Task<aws::Reply<ResourceState>> create_stage(const ResourceContext& context, const Json& properties) {
  Json input = Json::object();
  for (const std::string_view name : {"RestApiId", "DeploymentId", "StageName", "Description", "Variables", "DocumentationVersion"})
    if (const Json* value = properties.find(name)) input.set(lower_first(name), *value);
  if (const Json* tracing = properties.find("TracingEnabled")) input.set("tracingEnabled", boolean(*tracing));
  if (Json tags = tags_of(context, properties["Tags"]); tags.size() > 0) input.set("tags", std::move(tags));
  if (const Json* cache = properties.find("CacheClusterEnabled")) input.set("cacheClusterEnabled", boolean(*cache));
  CO_TRY(co_await call(context, "CreateStage", std::move(input)));
  if (Json settings = setting_operations(Json(), properties); settings.size() > 0)
    CO_TRY(co_await call(context, "UpdateStage", Json::object({{"restApiId", properties["RestApiId"]}, {"stageName", properties["StageName"]}, {"patchOperations", std::move(settings)}})));
  co_return ResourceState{.physical_id = properties.text("StageName"), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_stage(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json operations = Json::array({replace("/deploymentId", after.text("DeploymentId"))});
  if (after.contains("Description")) operations.push_back(replace("/description", after.text("Description")));
  for (const auto& [name, value] : after["Variables"].as_object()) operations.push_back(replace("/variables/" + name, value.scalar_text().value_or("")));
  for (const auto& [name, value] : before["Variables"].as_object())
    if (!after["Variables"].contains(name)) operations.push_back(Json::object({{"op", "remove"}, {"path", "/variables/" + name}}));
  for (const Json& each : setting_operations(before, after).as_array()) operations.push_back(each);
  CO_TRY(co_await call(context, "UpdateStage", Json::object({{"restApiId", after["RestApiId"]}, {"stageName", current.physical_id}, {"patchOperations", operations}})));
  co_return current;
}
Task<aws::Reply<void>> remove_stage(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteStage", Json::object({{"restApiId", properties["RestApiId"]}, {"stageName", current.physical_id}}));
}

// --- Account: one for each region, so that making it changes it and removing it leaves it ----------------------------------

Task<aws::Reply<ResourceState>> put_account(const ResourceContext& context, const Json& properties) {
  const std::string& role = properties.text("CloudWatchRoleArn");
  CO_TRY(co_await call(context, "UpdateAccount", Json::object({{"patchOperations", Json::array({replace("/cloudwatchRoleArn", role)})}})));
  const std::string id = context.generated_name(64);
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<ResourceState>> update_account(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await put_account(context, after));
  co_return current;
}
Task<aws::Reply<void>> remove_account(const ResourceContext&, const ResourceState&, const Json&) { co_return aws::Reply<void>(); }

constexpr OnChange kReplace = OnChange::kReplace;

// --- What can be refused before anything is made -------------------------------------------------------------------------

std::string not_supported(std::string_view what) { return fmt::format("{} is not supported by this version of Atoll.", what); }

std::string check_method(const Json& properties) {
  const Json& integration = properties["Integration"];
  const std::string& type = integration.text("Type");
  if (type == "AWS" || type == "HTTP") return not_supported(fmt::format("/Integration/Type: {} (with mapping templates)", type));
  if (integration.text("ConnectionType") == "VPC_LINK") return not_supported("/Integration/ConnectionType: VPC_LINK");
  if (const std::string& uri = integration.text("Uri"); type == "AWS_PROXY" && !uri.empty() && uri.find(":lambda:path/") == std::string::npos)
    return not_supported("/Integration/Uri: AWS_PROXY with another service than Lambda");
  return {};
}
std::string check_stage(const Json& properties) {
  if (properties["CacheClusterEnabled"].scalar_text() == "true") return not_supported("/CacheClusterEnabled: a cache cluster");
  if (properties["AccessLogSetting"].text("DestinationArn").find(":firehose:") != std::string::npos) return not_supported("/AccessLogSetting: a log in Firehose");
  for (const Json& setting : properties["MethodSettings"].as_array())
    if (setting["CachingEnabled"].scalar_text() == "true") return not_supported("/MethodSettings/CachingEnabled: caching of methods");
  return {};
}

}  // namespace

const aws::ResourceType kAuthorizer{
    .name = "AWS::ApiGateway::Authorizer",
    .properties = {{"AuthorizerCredentials", kReplace}, {"AuthorizerResultTtlInSeconds", kReplace}, {"AuthorizerUri", kReplace}, {"AuthType", kReplace}, {"IdentitySource", kReplace},
                   {"IdentityValidationExpression", kReplace}, {"Name", kReplace, true}, {"ProviderARNs", kReplace}, {"RestApiId", kReplace, true}, {"Type", kReplace, true}},
    .create = create_authorizer, .remove = remove_authorizer};
const aws::ResourceType kAccount{
    .name = "AWS::ApiGateway::Account",
    .properties = {{"CloudWatchRoleArn"}},
    .create = put_account, .update = update_account, .remove = remove_account};
const aws::ResourceType kResource{
    .name = "AWS::ApiGateway::Resource",
    .properties = {{"ParentId", kReplace, true}, {"PathPart", kReplace, true}, {"RestApiId", kReplace, true}},
    .create = create_resource, .remove = remove_resource};
const aws::ResourceType kMethod{
    .name = "AWS::ApiGateway::Method",
    .properties = {{"ApiKeyRequired"}, {"AuthorizationScopes"}, {"AuthorizationType"}, {"AuthorizerId"}, {"HttpMethod", kReplace, true}, {"Integration"},
                   {"MethodResponses"}, {"OperationName"}, {"RequestModels"}, {"RequestParameters"}, {"RequestValidatorId"},
                   {"ResourceId", kReplace, true}, {"RestApiId", kReplace, true}},
    .check = check_method, .create = create_method, .update = update_method, .remove = remove_method};
const aws::ResourceType kDeployment{
    .name = "AWS::ApiGateway::Deployment",
    .properties = {{"Description"}, {"RestApiId", kReplace, true}, {"StageDescription", kReplace}, {"StageName", kReplace}},
    .create = create_deployment, .update = update_deployment, .remove = remove_deployment};
const aws::ResourceType kStage{
    .name = "AWS::ApiGateway::Stage",
    .properties = {{"CacheClusterEnabled"}, {"DeploymentId"}, {"Description"}, {"DocumentationVersion"}, {"RestApiId", kReplace, true},
                   {"AccessLogSetting"}, {"MethodSettings"}, {"StageName", kReplace, true}, {"Tags"}, {"TracingEnabled"}, {"Variables"}},
    .check = check_stage, .create = create_stage, .update = update_stage, .remove = remove_stage};

}  // namespace reef::service::apigateway::resources
