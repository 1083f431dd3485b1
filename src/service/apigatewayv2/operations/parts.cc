// Routes, integrations, stages and deployments of an API.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html and its neighbours.
#include <algorithm>

#include <fmt/format.h>

#include "service/apigatewayv2/integration.h"
#include "service/apigatewayv2/operations.h"

namespace reef::service::apigatewayv2::operations {
namespace {


Reply<StoredApi*> find_api(ApiGateway& gateway, const Call& call, const std::string& id) {
  StoredApi* api = gateway.find(call, id);
  if (!api) return Err(not_found("API", id));
  return api;
}

template <class T>
Reply<T*> find_part(std::map<std::string, T, std::less<>>& parts, const std::string& id, std::string_view what) {
  const auto found = parts.find(id);
  if (found == parts.end()) return Err(not_found(what, id));
  return &found->second;
}

constexpr std::string_view kMethods[] = {"ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

aws::Reply<void> check_route_key(const StoredApi& api, const std::string& key, const std::string& except_id) {
  const auto space = key.find(' ');
  const bool good = key == "$default" || (space != std::string::npos && key.substr(space + 1).starts_with('/') &&
                                          std::find(std::begin(kMethods), std::end(kMethods), key.substr(0, space)) != std::end(kMethods));
  if (!good) return Err(bad_request(fmt::format("The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"")));
  for (const auto& [id, route] : api.current.routes)
    if (id != except_id && route.route_key == key)
      return Err(aws::Error(errors::kConflictException, fmt::format("Route with key {} already exists for this API", key)));
  return {};
}

aws::Reply<void> check_authorization(const StoredApi& api, const model::Route& route) {
  const std::string type = route.authorization_type.value_or("NONE");
  if (type == "NONE" || type == "AWS_IAM") return {};
  const auto found = api.current.authorizers.find(route.authorizer_id.value_or(""));
  if (found == api.current.authorizers.end()) return Err(bad_request(fmt::format("Authorizer {} does not exist", route.authorizer_id.value_or(""))));
  if (found->second.authorizer_type != (type == "JWT" ? "JWT" : "REQUEST")) return Err(bad_request("Authorization type of the route and type of the authorizer do not match"));
  if (type == "CUSTOM" && route.authorization_scopes && !route.authorization_scopes->empty()) return Err(bad_request("Authorization scopes can only be set for JWT authorizers"));
  return {};
}

}  // namespace

// --- routes --------------------------------------------------------------------------------------------------------

Task<Reply<model::CreateRouteOutput>> CreateRoute(ApiGateway& gateway, const model::CreateRouteInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  CO_TRY(check_route_key(*api, in.route_key, ""));
  model::Route route;
  merge_into(route, in, {"ApiId"});
  route.route_key = in.route_key;
  route.route_id = gateway.new_id().substr(0, 7);
  route.api_key_required = in.api_key_required.value_or(false);
  route.authorization_type = in.authorization_type.value_or("NONE");
  CO_TRY(check_authorization(*api, route));
  api->current.routes.emplace(*route.route_id, route);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::CreateRouteOutput>(route);
}

Task<Reply<model::GetRouteOutput>> GetRoute(ApiGateway& gateway, const model::GetRouteInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  co_return output_of<model::GetRouteOutput>(*CO_TRY(find_part(api->current.routes, in.route_id, "Route")));
}

Task<Reply<model::GetRoutesOutput>> GetRoutes(ApiGateway& gateway, const model::GetRoutesInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::GetRoutesOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, route] : api->current.routes) items.push_back(route);
  co_return out;
}

Task<Reply<model::UpdateRouteOutput>> UpdateRoute(ApiGateway& gateway, const model::UpdateRouteInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::Route* route = CO_TRY(find_part(api->current.routes, in.route_id, "Route"));
  if (in.route_key) CO_TRY(check_route_key(*api, *in.route_key, in.route_id));
  model::Route after = *route;
  merge_into(after, in, {"ApiId", "RouteId"});
  CO_TRY(check_authorization(*api, after));
  *route = std::move(after);
  gateway.changed(*api, call.now);
  const auto out = output_of<model::UpdateRouteOutput>(*route);
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteRouteOutput>> DeleteRoute(ApiGateway& gateway, const model::DeleteRouteInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  CO_TRY(find_part(api->current.routes, in.route_id, "Route"));
  api->current.routes.erase(in.route_id);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::DeleteRouteOutput{};
}

// --- integrations ----------------------------------------------------------------------------------------------------

Task<Reply<model::CreateIntegrationOutput>> CreateIntegration(ApiGateway& gateway, const model::CreateIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::Integration integration;
  merge_into(integration, in, {"ApiId", "TlsConfig"});
  integration.integration_id = gateway.new_id().substr(0, 7);
  if (!integration.connection_type) integration.connection_type = "INTERNET";
  if (!integration.timeout_in_millis) integration.timeout_in_millis = 30'000;
  if (!integration.payload_format_version && in.integration_type == "HTTP_PROXY") integration.payload_format_version = "1.0";
  if (!integration.integration_method && in.integration_type == "AWS_PROXY") integration.integration_method = "POST";
  CO_TRY(check_integration(integration));
  api->current.integrations.emplace(*integration.integration_id, integration);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::CreateIntegrationOutput>(integration);
}

Task<Reply<model::GetIntegrationOutput>> GetIntegration(ApiGateway& gateway, const model::GetIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  co_return output_of<model::GetIntegrationOutput>(*CO_TRY(find_part(api->current.integrations, in.integration_id, "Integration")));
}

Task<Reply<model::GetIntegrationsOutput>> GetIntegrations(ApiGateway& gateway, const model::GetIntegrationsInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::GetIntegrationsOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, integration] : api->current.integrations) items.push_back(integration);
  co_return out;
}

Task<Reply<model::UpdateIntegrationOutput>> UpdateIntegration(ApiGateway& gateway, const model::UpdateIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::Integration* integration = CO_TRY(find_part(api->current.integrations, in.integration_id, "Integration"));
  model::Integration edited = *integration;
  merge_into(edited, in, {"ApiId", "IntegrationId", "TlsConfig"});
  CO_TRY(check_integration(edited));
  *integration = edited;
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::UpdateIntegrationOutput>(edited);
}

Task<Reply<model::DeleteIntegrationOutput>> DeleteIntegration(ApiGateway& gateway, const model::DeleteIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  CO_TRY(find_part(api->current.integrations, in.integration_id, "Integration"));
  for (const auto& [id, route] : api->current.routes)
    if (route.target == "integrations/" + in.integration_id)
      co_return Err(aws::Error(errors::kConflictException, fmt::format("Cannot delete Integration '{}'. Integration is referenced by route '{}'.", in.integration_id, route.route_key)));
  api->current.integrations.erase(in.integration_id);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::DeleteIntegrationOutput{};
}

// --- stages ------------------------------------------------------------------------------------------------------------

namespace {

// Settings that would have no effect are refused rather than kept.
aws::Reply<void> check_stage(const StoredApi& api, const model::Stage& stage) {
  if (stage.access_log_settings) {
    const std::string arn = stage.access_log_settings->destination_arn.value_or("");
    if (arn.find(":firehose:") != std::string::npos)
      return Err(aws::Error("NotImplemented", "Access logs to Firehose are not supported by this version of Atoll; to CloudWatch Logs they are.", 501));
    if (!telemetry::access_log_target(arn, "", ""))
      return Err(bad_request("Invalid ARN specified in the request. ARNs must start with 'arn:' and contain at least 5 elements separated by ':'"));
    if (stage.access_log_settings->format.value_or("").empty()) return Err(bad_request("Access log format is required when a destination is given"));
  }
  if (stage.client_certificate_id) return Err(aws::Error("NotImplemented", "Client certificates are not supported by this version of Atoll.", 501));
  for (const auto& [key, settings] : stage.route_settings.value_or(std::map<std::string, model::RouteSettings, std::less<>>{}))
    if (std::none_of(api.current.routes.begin(), api.current.routes.end(), [&](const auto& one) { return one.second.route_key == key; }))
      return Err(aws::Error(errors::kNotFoundException, fmt::format("Unable to find Route by key {} within the provided RouteSettings", key)));
  return {};
}

}  // namespace

Task<Reply<model::CreateStageOutput>> CreateStage(ApiGateway& gateway, const model::CreateStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  if (api->stages.contains(in.stage_name)) co_return Err(aws::Error(errors::kConflictException, fmt::format("Stage already exists")));
  if (in.deployment_id) CO_TRY(find_part(api->deployments, *in.deployment_id, "Deployment"));
  model::Stage stage;
  merge_into(stage, in, {"ApiId"});
  stage.stage_name = in.stage_name;
  stage.auto_deploy = in.auto_deploy.value_or(false);
  stage.created_date = stage.last_updated_date = from_seconds(to_seconds(call.now));
  if (!stage.stage_variables) stage.stage_variables.emplace();
  if (!stage.default_route_settings) {
    stage.default_route_settings.emplace();
    stage.default_route_settings->detailed_metrics_enabled = false;
  }
  CO_TRY(check_stage(*api, stage));
  api->stages.emplace(in.stage_name, stage);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::CreateStageOutput>(stage);
}

Task<Reply<model::GetStageOutput>> GetStage(ApiGateway& gateway, const model::GetStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  co_return output_of<model::GetStageOutput>(*CO_TRY(find_part(api->stages, in.stage_name, "stage")));
}

Task<Reply<model::GetStagesOutput>> GetStages(ApiGateway& gateway, const model::GetStagesInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::GetStagesOutput out;
  auto& items = out.items.emplace();
  for (const auto& [name, stage] : api->stages) items.push_back(stage);
  co_return out;
}

Task<Reply<model::UpdateStageOutput>> UpdateStage(ApiGateway& gateway, const model::UpdateStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::Stage* stage = CO_TRY(find_part(api->stages, in.stage_name, "stage"));
  if (in.deployment_id) CO_TRY(find_part(api->deployments, *in.deployment_id, "Deployment"));
  model::Stage changed = *stage;
  merge_into(changed, in, {"ApiId"});
  CO_TRY(check_stage(*api, changed));
  *stage = std::move(changed);
  stage->last_updated_date = from_seconds(to_seconds(call.now));
  gateway.changed(*api, call.now);
  const auto out = output_of<model::UpdateStageOutput>(*stage);
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteStageOutput>> DeleteStage(ApiGateway& gateway, const model::DeleteStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  CO_TRY(find_part(api->stages, in.stage_name, "stage"));
  api->stages.erase(in.stage_name);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::DeleteStageOutput{};
}

// --- deployments ---------------------------------------------------------------------------------------------------------

Task<Reply<model::CreateDeploymentOutput>> CreateDeployment(ApiGateway& gateway, const model::CreateDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  if (api->current.routes.empty()) co_return Err(bad_request("At least one route is required before deploying the Api."));
  model::Deployment deployment;
  deployment.deployment_id = gateway.new_id().substr(0, 6);
  deployment.created_date = from_seconds(to_seconds(call.now));
  deployment.deployment_status = "DEPLOYED";
  deployment.description = in.description;
  deployment.auto_deployed = false;
  if (in.stage_name) {
    model::Stage* stage = CO_TRY(find_part(api->stages, *in.stage_name, "stage"));
    stage->deployment_id = deployment.deployment_id;
    stage->last_updated_date = deployment.created_date;
  }
  api->snapshots.emplace(*deployment.deployment_id, api->current);
  api->deployments.emplace(*deployment.deployment_id, deployment);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::CreateDeploymentOutput>(deployment);
}

Task<Reply<model::GetDeploymentOutput>> GetDeployment(ApiGateway& gateway, const model::GetDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  co_return output_of<model::GetDeploymentOutput>(*CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment")));
}

Task<Reply<model::GetDeploymentsOutput>> GetDeployments(ApiGateway& gateway, const model::GetDeploymentsInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::GetDeploymentsOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, deployment] : api->deployments) items.push_back(deployment);
  co_return out;
}

Task<Reply<model::UpdateDeploymentOutput>> UpdateDeployment(ApiGateway& gateway, const model::UpdateDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  model::Deployment* deployment = CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment"));
  if (in.description) deployment->description = in.description;
  gateway.changed(*api, call.now);
  const auto out = output_of<model::UpdateDeploymentOutput>(*deployment);
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteDeploymentOutput>> DeleteDeployment(ApiGateway& gateway, const model::DeleteDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(gateway, call, in.api_id));
  CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment"));
  for (const auto& [name, stage] : api->stages)
    if (stage.deployment_id == in.deployment_id && !stage.auto_deploy.value_or(false))
      co_return Err(bad_request("Active stages pointing to this deployment must be moved or deleted"));
  api->deployments.erase(in.deployment_id);
  api->snapshots.erase(in.deployment_id);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::DeleteDeploymentOutput{};
}

}  // namespace reef::service::apigatewayv2::operations
