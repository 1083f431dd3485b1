// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
#include <algorithm>

#include <fmt/format.h>

#include "service/apigatewayv2/operations.h"
#include "wire/json.h"
#include "wire/yaml.h"

namespace reef::service::apigatewayv2::operations {
namespace {


// The URL at which the API answers here; on AWS it is https://{id}.execute-api.{region}.amazonaws.com.
std::string endpoint_of(const Call& call, const std::string& id) {
  const auto colon = call.endpoint.rfind(':');
  const std::string port = colon != std::string::npos && colon > 6 ? call.endpoint.substr(colon) : "";
  return fmt::format("http://{}.execute-api.{}.localhost{}", id, call.region, port);
}

StoredApi new_api(ApiGateway& gateway, const Call& call) {
  StoredApi out;
  out.account = call.account;
  out.region = call.region;
  out.api.api_id = gateway.new_id();
  out.api.api_endpoint = endpoint_of(call, *out.api.api_id);
  out.api.created_date = from_seconds(to_seconds(call.now));
  out.api.protocol_type = "HTTP";
  out.api.route_selection_expression = "$request.method $request.path";
  out.api.api_key_selection_expression = "$request.header.x-api-key";
  out.api.disable_execute_api_endpoint = false;
  out.api.ip_address_type = "ipv4";
  return out;
}

Reply<wire::Json> parse_document(const std::string& text) {
  if (auto json = wire::Json::parse(text)) return *std::move(json);
  auto yaml = wire::parse_yaml(text);
  if (!yaml || !yaml->is_object()) return Err(bad_request("Unable to parse the OpenAPI document: it is neither JSON nor YAML."));
  return *std::move(yaml);
}

// CreateApi's quick start: one integration, one route, a stage that deploys itself.
void quick_create(ApiGateway& gateway, StoredApi& api, const std::string& target, const std::string& route_key) {
  model::Integration integration;
  integration.integration_id = gateway.new_id().substr(0, 7);
  integration.integration_type = target.starts_with("http") ? "HTTP_PROXY" : "AWS_PROXY";
  integration.integration_uri = target;
  integration.payload_format_version = target.starts_with("http") ? "1.0" : "2.0";
  if (target.starts_with("http")) integration.integration_method = "ANY";
  integration.connection_type = "INTERNET";
  integration.timeout_in_millis = 30'000;
  integration.api_gateway_managed = true;
  model::Route route;
  route.route_id = gateway.new_id().substr(0, 7);
  route.route_key = route_key;
  route.target = "integrations/" + *integration.integration_id;
  route.authorization_type = "NONE";
  route.api_key_required = false;
  route.api_gateway_managed = true;
  model::Stage stage;
  stage.stage_name = "$default";
  stage.auto_deploy = true;
  stage.api_gateway_managed = true;
  stage.created_date = api.api.created_date;
  api.current.integrations.emplace(*integration.integration_id, std::move(integration));
  api.current.routes.emplace(*route.route_id, std::move(route));
  api.stages.emplace("$default", std::move(stage));
}

}  // namespace

Task<Reply<model::CreateApiOutput>> CreateApi(ApiGateway& gateway, const model::CreateApiInput& in, const Call& call) {
  if (in.protocol_type == "WEBSOCKET") co_return Err(aws::Error("NotImplemented", "WEBSOCKET APIs are not supported by this version of Atoll.", 501));
  if (in.protocol_type != "HTTP") co_return Err(bad_request("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"));
  StoredApi api = new_api(gateway, call);
  merge_into(api.api, in, {"CredentialsArn", "RouteKey", "Target"});
  if (in.target) quick_create(gateway, api, *in.target, in.route_key.value_or("$default"));
  StoredApi& stored = gateway.add(std::move(api));
  gateway.changed(stored, call.now);
  const auto out = output_of<model::CreateApiOutput>(stored.api);
  co_await committed();
  co_return out;
}

Task<Reply<model::ImportApiOutput>> ImportApi(ApiGateway& gateway, const model::ImportApiInput& in, const Call& call) {
  const wire::Json document = CO_TRY(parse_document(in.body));
  StoredApi api = new_api(gateway, call);
  CO_TRY(import_openapi(document, api, gateway));
  StoredApi& stored = gateway.add(std::move(api));
  gateway.changed(stored, call.now);
  const auto out = output_of<model::ImportApiOutput>(stored.api);
  co_await committed();
  co_return out;
}

Task<Reply<model::ReimportApiOutput>> ReimportApi(ApiGateway& gateway, const model::ReimportApiInput& in, const Call& call) {
  StoredApi* api = gateway.find(call, in.api_id);
  if (!api) co_return Err(not_found("API", in.api_id));
  const wire::Json document = CO_TRY(parse_document(in.body));
  StoredApi fresh = *api;
  fresh.current = {};
  CO_TRY(import_openapi(document, fresh, gateway));
  *api = std::move(fresh);
  gateway.changed(*api, call.now);
  const auto out = output_of<model::ReimportApiOutput>(api->api);
  co_await committed();
  co_return out;
}

Task<Reply<model::GetApiOutput>> GetApi(ApiGateway& gateway, const model::GetApiInput& in, const Call& call) {
  const StoredApi* api = gateway.find(call, in.api_id);
  if (!api) co_return Err(not_found("API", in.api_id));
  co_return output_of<model::GetApiOutput>(api->api);
}

Task<Reply<model::GetApisOutput>> GetApis(ApiGateway& gateway, const model::GetApisInput&, const Call& call) {
  model::GetApisOutput out;
  auto& items = out.items.emplace();
  for (const StoredApi* api : gateway.all(call)) items.push_back(api->api);
  co_return out;
}

Task<Reply<model::UpdateApiOutput>> UpdateApi(ApiGateway& gateway, const model::UpdateApiInput& in, const Call& call) {
  StoredApi* api = gateway.find(call, in.api_id);
  if (!api) co_return Err(not_found("API", in.api_id));
  merge_into(api->api, in, {"ApiId", "CredentialsArn", "RouteKey", "Target"});
  gateway.changed(*api, call.now);
  const auto out = output_of<model::UpdateApiOutput>(api->api);
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteApiOutput>> DeleteApi(ApiGateway& gateway, const model::DeleteApiInput& in, const Call& call) {
  if (!gateway.find(call, in.api_id)) co_return Err(not_found("API", in.api_id));
  gateway.remove(in.api_id);
  co_await committed();
  co_return model::DeleteApiOutput{};
}

Task<Reply<model::DeleteCorsConfigurationOutput>> DeleteCorsConfiguration(ApiGateway& gateway, const model::DeleteCorsConfigurationInput& in, const Call& call) {
  StoredApi* api = gateway.find(call, in.api_id);
  if (!api) co_return Err(not_found("API", in.api_id));
  api->api.cors_configuration.reset();
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::DeleteCorsConfigurationOutput{};
}

// Resources are named by ARN: "arn:aws:apigateway:<region>::/apis/<id>" or ".../apis/<id>/stages/<name>".
namespace {
std::string api_of_arn(const std::string& arn) {
  const auto at = arn.find("/apis/");
  if (at == std::string::npos) return {};
  const std::string rest = arn.substr(at + 6);
  return rest.substr(0, rest.find('/'));
}
}  // namespace

Task<Reply<model::TagResourceOutput>> TagResource(ApiGateway& gateway, const model::TagResourceInput& in, const Call& call) {
  StoredApi* api = gateway.find(call, api_of_arn(in.resource_arn));
  if (!api) co_return Err(not_found("API", in.resource_arn));
  if (!api->api.tags) api->api.tags.emplace();
  if (in.tags)
    for (const auto& [key, value] : *in.tags) api->api.tags->insert_or_assign(key, value);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(ApiGateway& gateway, const model::UntagResourceInput& in, const Call& call) {
  StoredApi* api = gateway.find(call, api_of_arn(in.resource_arn));
  if (!api) co_return Err(not_found("API", in.resource_arn));
  if (api->api.tags)
    for (const std::string& key : in.tag_keys) api->api.tags->erase(key);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::GetTagsOutput>> GetTags(ApiGateway& gateway, const model::GetTagsInput& in, const Call& call) {
  const StoredApi* api = gateway.find(call, api_of_arn(in.resource_arn));
  if (!api) co_return Err(not_found("API", in.resource_arn));
  model::GetTagsOutput out;
  out.tags = api->api.tags;
  co_return out;
}

}  // namespace reef::service::apigatewayv2::operations
