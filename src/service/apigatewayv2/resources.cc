// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
#include "service/apigatewayv2/resources.h"

#include <fmt/format.h>

#include "aws/s3_object.h"
#include "service/apigatewayv2/service_calls.h"

namespace reef::service::apigatewayv2::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "apigatewayv2", operation, std::move(input));
}
Task<aws::Reply<void>> call_gone(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_unless_gone(context, "apigatewayv2", operation, std::move(input), "NotFoundException");
}

// Templates may write numbers and booleans as text.
Json with_types(const Json& properties, std::initializer_list<std::string_view> names, std::initializer_list<std::string_view> numbers = {},
                std::initializer_list<std::string_view> booleans = {}) {
  Json out = Json::object();
  for (const std::string_view name : names)
    if (const Json* value = properties.find(name)) out.set(name, *value);
  for (const std::string_view name : numbers)
    if (const Json* value = properties.find(name)) out.set(name, Json::number(value->scalar_text().value_or("0")));
  for (const std::string_view name : booleans)
    if (const Json* value = properties.find(name)) out.set(name, value->scalar_text() == "true");
  return out;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
constexpr std::size_t kDefinitionBytesMax = 6 << 20;

// --- Api -------------------------------------------------------------------------------------------------------------

Json api_input(const Json& properties) {
  return with_types(properties, {"ApiKeySelectionExpression", "CorsConfiguration", "Description", "Name", "ProtocolType", "RouteKey",
                                 "RouteSelectionExpression", "Tags", "Target", "Version"}, {}, {"DisableExecuteApiEndpoint"});
}

ResourceState api_state(const Json& api) {
  return {.physical_id = api.text("ApiId"), .attributes = Json::object({{"ApiId", api.text("ApiId")}, {"ApiEndpoint", api.text("ApiEndpoint")}})};
}

// The definition that comes with the template or is named by it; "" when there is none.
Task<aws::Reply<std::string>> definition_of(const ResourceContext& context, const Json& properties) {
  if (const Json* body = properties.find("Body")) co_return body->is_string() ? body->as_string() : body->dump();
  const Json& place = properties["BodyS3Location"];
  if (!place.is_object()) co_return std::string();
  co_return co_await aws::read_s3_object(context.caller, context.call, {place.text("Bucket"), place.text("Key"), place.text("Version"), place.text("Etag")}, kDefinitionBytesMax);
}

// The stack's tags and over them the resource's own.
Json tags_of(const ResourceContext& context, const Json& own) {
  Json out = Json::object();
  for (const Json& tag : context.tags.as_array()) out.set(tag.text("Key"), tag["Value"].scalar_text().value_or(""));
  for (const auto& [key, value] : own.as_object()) out.set(key, value.scalar_text().value_or(""));
  return out;
}

Task<aws::Reply<void>> put_tags(const ResourceContext& context, const std::string& id, Json before, Json after) {
  const std::string arn = fmt::format("arn:aws:apigateway:{}::/apis/{}", context.call.region, id);
  Json gone = Json::array();
  for (const auto& [key, value] : before.as_object())
    if (!after.contains(key)) gone.push_back(Json(key));
  if (gone.size() > 0) CO_TRY(co_await call(context, "UntagResource", Json::object({{"ResourceArn", arn}, {"TagKeys", std::move(gone)}})));
  if (Json tags = tags_of(context, after); tags.size() > 0) CO_TRY(co_await call(context, "TagResource", Json::object({{"ResourceArn", arn}, {"Tags", std::move(tags)}})));
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_api(const ResourceContext& context, const Json& properties) {
  const std::string definition = CO_TRY(co_await definition_of(context, properties));
  Json created;
  if (!definition.empty()) {
    created = CO_TRY(co_await call(context, "ImportApi", Json::object({{"Body", definition}})));
    Json update = api_input(properties);
    update.erase("ProtocolType");
    update.erase("Tags");
    update.set("ApiId", created["ApiId"]);
    if (update.size() > 1) created = CO_TRY(co_await call(context, "UpdateApi", std::move(update)));
    CO_TRY(co_await put_tags(context, created.text("ApiId"), Json(), properties["Tags"]));
  } else {
    Json input = api_input(properties);
    if (Json tags = tags_of(context, properties["Tags"]); tags.size() > 0) input.set("Tags", std::move(tags));
    created = CO_TRY(co_await call(context, "CreateApi", std::move(input)));
  }
  co_return api_state(created);
}

Task<aws::Reply<ResourceState>> update_api(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  if (!(before["Body"] == after["Body"]) || !(before["BodyS3Location"] == after["BodyS3Location"])) {
    const std::string definition = CO_TRY(co_await definition_of(context, after));
    if (!definition.empty()) CO_TRY(co_await call(context, "ReimportApi", Json::object({{"ApiId", current.physical_id}, {"Body", definition}})));
  }
  if (before.contains("CorsConfiguration") && !after.contains("CorsConfiguration"))
    CO_TRY(co_await call(context, "DeleteCorsConfiguration", Json::object({{"ApiId", current.physical_id}})));
  Json update = api_input(after);
  update.erase("ProtocolType");
  update.erase("Tags");
  update.set("ApiId", current.physical_id);
  if (before.contains("Description") && !after.contains("Description")) update.set("Description", "");
  if (before.contains("DisableExecuteApiEndpoint") && !after.contains("DisableExecuteApiEndpoint")) update.set("DisableExecuteApiEndpoint", false);
  const Json updated = CO_TRY(co_await call(context, "UpdateApi", std::move(update)));
  CO_TRY(co_await put_tags(context, current.physical_id, before["Tags"], after["Tags"]));
  co_return api_state(updated);
}

Task<aws::Reply<void>> remove_api(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await call_gone(context, "DeleteApi", Json::object({{"ApiId", current.physical_id}}));
}

// --- Route, Integration, Deployment ----------------------------------------------------------------------------------

Json route_input(const Json& properties) {
  return with_types(properties, {"ApiId", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RouteKey", "Target"}, {}, {"ApiKeyRequired"});
}
Task<aws::Reply<ResourceState>> create_route(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "CreateRoute", route_input(properties)));
  co_return ResourceState{.physical_id = out.text("RouteId"), .attributes = Json::object({{"RouteId", out.text("RouteId")}})};
}
Task<aws::Reply<ResourceState>> update_route(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = route_input(after);
  input.set("RouteId", current.physical_id);
  CO_TRY(co_await call(context, "UpdateRoute", std::move(input)));
  co_return current;
}
Task<aws::Reply<void>> remove_route(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteRoute", Json::object({{"ApiId", properties["ApiId"]}, {"RouteId", current.physical_id}}));
}

Json integration_input(const Json& properties) {
  Json out = with_types(properties, {"ApiId", "ConnectionId", "ConnectionType", "CredentialsArn", "Description", "IntegrationMethod", "IntegrationSubtype",
                                 "IntegrationType", "IntegrationUri", "PayloadFormatVersion", "RequestParameters", "ResponseParameters"}, {"TimeoutInMillis"});
  // Templates write {"200": {"ResponseParameters": [{"Destination", "Source"}]}} for what the API calls {"200": {destination: source}}.
  if (Json* const all = out.find("ResponseParameters"); all && all->is_object())
    for (auto& [status, changes] : all->members()) {
      if (!changes["ResponseParameters"].is_array()) continue;
      Json plain = Json::object();
      for (const Json& one : changes["ResponseParameters"].as_array()) plain.set(one.text("Destination"), one["Source"].scalar_text().value_or(""));
      changes = std::move(plain);
    }
  return out;
}
Task<aws::Reply<ResourceState>> create_integration(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "CreateIntegration", integration_input(properties)));
  co_return ResourceState{.physical_id = out.text("IntegrationId"), .attributes = Json::object({{"IntegrationId", out.text("IntegrationId")}})};
}
Task<aws::Reply<ResourceState>> update_integration(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = integration_input(after);
  input.set("IntegrationId", current.physical_id);
  CO_TRY(co_await call(context, "UpdateIntegration", std::move(input)));
  co_return current;
}
Task<aws::Reply<void>> remove_integration(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteIntegration", Json::object({{"ApiId", properties["ApiId"]}, {"IntegrationId", current.physical_id}}));
}

Task<aws::Reply<ResourceState>> create_deployment(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "CreateDeployment", with_types(properties, {"ApiId", "Description", "StageName"})));
  co_return ResourceState{.physical_id = out.text("DeploymentId"), .attributes = Json::object({{"DeploymentId", out.text("DeploymentId")}})};
}
Task<aws::Reply<ResourceState>> update_deployment(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await call(context, "UpdateDeployment", Json::object({{"ApiId", after["ApiId"]}, {"DeploymentId", current.physical_id}, {"Description", after.text("Description")}})));
  co_return current;
}
Task<aws::Reply<void>> remove_deployment(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteDeployment", Json::object({{"ApiId", properties["ApiId"]}, {"DeploymentId", current.physical_id}}));
}

// --- Stage -------------------------------------------------------------------------------------------------------------

Json stage_input(const Json& properties) {
  return with_types(properties, {"AccessLogSettings", "ApiId", "DefaultRouteSettings", "DeploymentId", "Description", "RouteSettings", "StageName",
                                 "StageVariables", "Tags"}, {}, {"AutoDeploy"});
}
Task<aws::Reply<ResourceState>> create_stage(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "CreateStage", stage_input(properties)));
  co_return ResourceState{.physical_id = properties.text("StageName"), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_stage(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = stage_input(after);
  input.erase("Tags");
  CO_TRY(co_await call(context, "UpdateStage", std::move(input)));
  co_return current;
}
Task<aws::Reply<void>> remove_stage(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteStage", Json::object({{"ApiId", properties["ApiId"]}, {"StageName", current.physical_id}}));
}

// --- Authorizer --------------------------------------------------------------------------------------------------------

Json authorizer_input(const Json& properties) {
  return with_types(properties, {"ApiId", "AuthorizerCredentialsArn", "AuthorizerPayloadFormatVersion", "AuthorizerType", "AuthorizerUri", "IdentitySource", "IdentityValidationExpression",
                                 "JwtConfiguration", "Name"}, {"AuthorizerResultTtlInSeconds"}, {"EnableSimpleResponses"});
}
Task<aws::Reply<ResourceState>> create_authorizer(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "CreateAuthorizer", authorizer_input(properties)));
  co_return ResourceState{.physical_id = out.text("AuthorizerId"), .attributes = Json::object({{"AuthorizerId", out.text("AuthorizerId")}})};
}
Task<aws::Reply<ResourceState>> update_authorizer(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = authorizer_input(after);
  input.set("AuthorizerId", current.physical_id);
  CO_TRY(co_await call(context, "UpdateAuthorizer", std::move(input)));
  co_return current;
}
Task<aws::Reply<void>> remove_authorizer(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteAuthorizer", Json::object({{"ApiId", properties["ApiId"]}, {"AuthorizerId", current.physical_id}}));
}

constexpr OnChange kReplace = OnChange::kReplace;

// --- What can be refused before anything is made -------------------------------------------------------------------------

std::string not_supported(std::string_view what) { return fmt::format("{} is not supported by this version of Atoll.", what); }

std::string check_api(const Json& properties) {
  if (properties.text("ProtocolType") == "WEBSOCKET") return not_supported("/ProtocolType: WEBSOCKET");
  if (properties.contains("Body") && properties.contains("BodyS3Location")) return "Body and BodyS3Location cannot both be specified.";
  return {};
}
std::string check_integration_values(const Json& properties) {
  if (properties.text("ConnectionType") == "VPC_LINK") return not_supported("/ConnectionType: VPC_LINK");
  if (const std::string& subtype = properties.text("IntegrationSubtype"); !subtype.empty() && !is_subtype(subtype)) return not_supported("/IntegrationSubtype: " + subtype);
  return {};
}
std::string check_stage_values(const Json& properties) {
  return properties["AccessLogSettings"].text("DestinationArn").find(":firehose:") == std::string::npos ? std::string() : not_supported("/AccessLogSettings: a log in Firehose");
}

}  // namespace

const aws::ResourceType kAuthorizer{
    .name = "AWS::ApiGatewayV2::Authorizer",
    .properties = {{"ApiId", kReplace, true}, {"AuthorizerCredentialsArn"}, {"AuthorizerPayloadFormatVersion"}, {"AuthorizerResultTtlInSeconds"}, {"AuthorizerType", OnChange::kUpdate, true},
                   {"AuthorizerUri"}, {"EnableSimpleResponses"}, {"IdentitySource"}, {"IdentityValidationExpression"}, {"JwtConfiguration"}, {"Name", OnChange::kUpdate, true}},
    .create = create_authorizer, .update = update_authorizer, .remove = remove_authorizer};

const aws::ResourceType kApi{
    .name = "AWS::ApiGatewayV2::Api",
    .properties = {{"ApiKeySelectionExpression"}, {"Body"}, {"BodyS3Location"}, {"CorsConfiguration"}, {"Description"}, {"DisableExecuteApiEndpoint"}, {"FailOnWarnings"},
                   {"Name"}, {"ProtocolType", kReplace}, {"RouteKey", kReplace}, {"RouteSelectionExpression"}, {"Tags"}, {"Target", kReplace}, {"Version"}},
    .check = check_api, .create = create_api, .update = update_api, .remove = remove_api};
const aws::ResourceType kRoute{
    .name = "AWS::ApiGatewayV2::Route",
    .properties = {{"ApiId", kReplace, true}, {"ApiKeyRequired"}, {"AuthorizationScopes"}, {"AuthorizationType"}, {"AuthorizerId"}, {"OperationName"},
                   {"RouteKey", OnChange::kUpdate, true}, {"Target"}},
    .create = create_route, .update = update_route, .remove = remove_route};
const aws::ResourceType kIntegration{
    .name = "AWS::ApiGatewayV2::Integration",
    .properties = {{"ApiId", kReplace, true}, {"ConnectionId"}, {"ConnectionType"}, {"CredentialsArn"}, {"Description"}, {"IntegrationMethod"},
                   {"IntegrationSubtype"}, {"IntegrationType", OnChange::kUpdate, true}, {"IntegrationUri"}, {"PayloadFormatVersion"},
                   {"RequestParameters"}, {"ResponseParameters"}, {"TimeoutInMillis"}},
    .check = check_integration_values, .create = create_integration, .update = update_integration, .remove = remove_integration};
const aws::ResourceType kStage{
    .name = "AWS::ApiGatewayV2::Stage",
    .properties = {{"AccessLogSettings"}, {"ApiId", kReplace, true}, {"AutoDeploy"}, {"DefaultRouteSettings"}, {"DeploymentId"}, {"Description"},
                   {"RouteSettings"}, {"StageName", kReplace, true}, {"StageVariables"}, {"Tags"}},
    .check = check_stage_values, .create = create_stage, .update = update_stage, .remove = remove_stage};
const aws::ResourceType kDeployment{
    .name = "AWS::ApiGatewayV2::Deployment",
    .properties = {{"ApiId", kReplace, true}, {"Description"}, {"StageName", kReplace}},
    .create = create_deployment, .update = update_deployment, .remove = remove_deployment};

}  // namespace reef::service::apigatewayv2::resources
