// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRestApi.html, its kin, deployments and stages.
#include <fmt/format.h>

#include "base/text.h"

#include "service/apigateway/definition_parts.h"
#include "service/apigateway/operations.h"
#include "service/apigateway/policy.h"
#include "wire/yaml.h"

namespace reef::service::apigateway::operations {
namespace {

StoredApi new_api(RestApis& apis, const Call& call) {
  StoredApi out;
  out.account = call.account;
  out.region = call.region;
  out.api.id = apis.new_id();
  out.api.created_date = from_seconds(to_seconds(call.now));
  out.api.api_key_source = "HEADER";
  out.api.disable_execute_api_endpoint = false;
  model::EndpointConfiguration endpoint;
  endpoint.types = {"EDGE"};
  endpoint.ip_address_type = "ipv4";
  out.api.endpoint_configuration = endpoint;
  model::Resource root;
  root.id = apis.new_id();
  root.path = "/";
  out.api.root_resource_id = root.id;
  out.resources.emplace(*root.id, root);
  return out;
}

Reply<wire::Json> parse_document(const std::string& text) {
  if (auto json = wire::Json::parse(text)) return *std::move(json);
  auto yaml = wire::parse_yaml(text);
  if (!yaml || !yaml->is_object()) return Err(bad_request("Unable to parse API definition because of a malformed integration or document: it is neither JSON nor YAML."));
  return *std::move(yaml);
}

template <class T>
Reply<T*> find_part(std::map<std::string, T, std::less<>>& parts, const std::string& id, std::string_view what) {
  const auto found = parts.find(id);
  if (found == parts.end()) return Err(not_found(fmt::format("Invalid {} identifier specified", what)));
  return &found->second;
}

// "/~1orders/GET/throttling/rateLimit" is a member of a method's settings: "/methodSettings/~0~1orders~1GET/throttlingRateLimit" names where it is.
Reply<void> name_method_setting(model::PatchOperation& operation) {
  const std::string path = operation.path.value_or("");
  if (path.empty()) return {};
  static constexpr std::pair<std::string_view, std::string_view> kSettings[] = {
      {"throttling/rateLimit", "throttlingRateLimit"}, {"throttling/burstLimit", "throttlingBurstLimit"}, {"logging/loglevel", "loggingLevel"}, {"logging/dataTrace", "dataTraceEnabled"},
      {"metrics/enabled", "metricsEnabled"}, {"caching/enabled", "cachingEnabled"}, {"caching/ttlInSeconds", "cacheTtlInSeconds"}, {"caching/dataEncrypted", "cacheDataEncrypted"},
      {"caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl"}, {"caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy"}};
  // "/~1orders/GET" alone, taken away: all its settings.
  if (operation.op == "remove" && split(std::string_view(path).substr(1), '/').size() == 2 && !path.starts_with("/variables/") && !path.starts_with("/tags/") && !path.starts_with("/canarySettings/")) {
    operation.path = "/methodSettings/" + replace_all(replace_all(path.substr(1), "~", "~0"), "/", "~1");
    return {};
  }
  for (const auto& [suffix, member] : kSettings) {
    if (!path.ends_with(fmt::format("/{}", suffix)) || path.size() < suffix.size() + 4) continue;
    if (member == "cachingEnabled" && operation.value == "true") return Err(unsupported("Caching of methods"));
    const std::string method = path.substr(1, path.size() - suffix.size() - 2);
    operation.path = fmt::format("/methodSettings/{}/{}", replace_all(replace_all(method, "~", "~0"), "/", "~1"), member);
    return {};
  }
  return {};
}

Reply<void> check_access_log(const model::Stage& stage) {
  if (!stage.access_log_settings) return {};
  const std::string arn = stage.access_log_settings->destination_arn.value_or("");
  if (arn.find(":firehose:") != std::string::npos) return Err(unsupported("An access log in Firehose"));
  if (!arn.empty() && !telemetry::access_log_target(arn, "", "")) return Err(bad_request("Invalid ARN specified in the request. ARNs must start with 'arn:' and contain at least 5 elements separated by ':'"));
  return {};
}

std::string api_of_arn(const std::string& arn) {
  const auto at = arn.find("/restapis/");
  if (at == std::string::npos) return {};
  const std::string rest = arn.substr(at + 10);
  return rest.substr(0, rest.find('/'));
}

}  // namespace

Task<Reply<model::CreateRestApiOutput>> CreateRestApi(RestApis& apis, const model::CreateRestApiInput& in, const Call& call) {
  if (in.clone_from) co_return Err(unsupported("Cloning an API"));
  if (in.policy) CO_TRY(check_policy(*in.policy));
  StoredApi api = new_api(apis, call);
  api.api.name = in.name;
  api.api.description = in.description;
  api.api.version = in.version;
  api.api.binary_media_types = in.binary_media_types;
  api.api.minimum_compression_size = in.minimum_compression_size;
  if (in.api_key_source) api.api.api_key_source = in.api_key_source;
  if (in.endpoint_configuration) api.api.endpoint_configuration = in.endpoint_configuration;
  api.api.policy = in.policy;
  api.api.tags = in.tags;
  if (in.disable_execute_api_endpoint) api.api.disable_execute_api_endpoint = in.disable_execute_api_endpoint;
  StoredApi& stored = apis.add(std::move(api));
  apis.changed(stored);
  const model::RestApi out = stored.api;
  co_await committed();
  co_return out;
}

Task<Reply<model::ImportRestApiOutput>> ImportRestApi(RestApis& apis, const model::ImportRestApiInput& in, const Call& call) {
  const wire::Json document = CO_TRY(parse_document(in.body));
  StoredApi api = new_api(apis, call);
  CO_TRY(import_definition(document, api, apis));
  StoredApi& stored = apis.add(std::move(api));
  apis.changed(stored);
  const model::RestApi out = stored.api;
  co_await committed();
  co_return out;
}

Task<Reply<model::PutRestApiOutput>> PutRestApi(RestApis& apis, const model::PutRestApiInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  const wire::Json document = CO_TRY(parse_document(in.body));
  StoredApi fresh = *api;
  if (in.mode.value_or("merge") == "overwrite") {
    const auto root = fresh.resources.find(*fresh.api.root_resource_id);
    model::Resource kept = root->second;
    kept.resource_methods.reset();
    fresh.resources.clear();
    fresh.resources.emplace(*kept.id, kept);
    clear_parts(fresh);
  }
  CO_TRY(import_definition(document, fresh, apis));
  *api = std::move(fresh);
  apis.changed(*api);
  const model::RestApi out = api->api;
  co_await committed();
  co_return out;
}

Task<Reply<model::GetRestApiOutput>> GetRestApi(RestApis& apis, const model::GetRestApiInput& in, const Call& call) {
  co_return CO_TRY(find_api(apis, call, in.rest_api_id))->api;
}

Task<Reply<model::GetRestApisOutput>> GetRestApis(RestApis& apis, const model::GetRestApisInput&, const Call& call) {
  model::GetRestApisOutput out;
  auto& items = out.items.emplace();
  for (const StoredApi* api : apis.all(call)) items.push_back(api->api);
  co_return out;
}

Task<Reply<model::UpdateRestApiOutput>> UpdateRestApi(RestApis& apis, const model::UpdateRestApiInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::RestApi edited = api->api;
  CO_TRY(patch(edited, in.patch_operations));
  if (edited.policy && !edited.policy->empty()) CO_TRY(check_policy(*edited.policy));
  api->api = std::move(edited);
  apis.changed(*api);
  const model::RestApi out = api->api;
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteRestApiOutput>> DeleteRestApi(RestApis& apis, const model::DeleteRestApiInput& in, const Call& call) {
  CO_TRY(find_api(apis, call, in.rest_api_id));
  apis.remove(in.rest_api_id);
  apis.keys.forget_stage(in.rest_api_id, nullptr);
  co_await committed();
  co_return model::DeleteRestApiOutput{};
}

// --- deployments -------------------------------------------------------------------------------------------------------

Task<Reply<model::CreateDeploymentOutput>> CreateDeployment(RestApis& apis, const model::CreateDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  bool has_method = false;
  for (const auto& [id, resource] : api->resources)
    if (resource.resource_methods)
      for (const auto& [verb, method] : *resource.resource_methods) {
        has_method = true;
        if (!method.method_integration) co_return Err(bad_request("No integration defined for method"));
      }
  if (!has_method) co_return Err(bad_request("The REST API doesn't contain any methods"));
  model::Deployment deployment;
  deployment.id = apis.new_id(6);
  deployment.description = in.description;
  deployment.created_date = from_seconds(to_seconds(call.now));
  api->snapshots.emplace(*deployment.id, api->resources);
  api->frozen.emplace(*deployment.id, api->freeze());
  api->deployments.emplace(*deployment.id, deployment);
  if (in.stage_name && !in.stage_name->empty()) {
    model::Stage& stage = api->stages[*in.stage_name];
    if (!stage.created_date) stage.created_date = deployment.created_date;
    stage.stage_name = in.stage_name;
    stage.deployment_id = deployment.id;
    stage.last_updated_date = deployment.created_date;
    if (in.stage_description) stage.description = in.stage_description;
    if (in.variables) stage.variables = in.variables;
    stage.cache_cluster_enabled = false;
    stage.cache_cluster_status = "NOT_AVAILABLE";
    if (!stage.method_settings) stage.method_settings.emplace();
    stage.tracing_enabled = in.tracing_enabled.value_or(false);
  }
  apis.changed(*api);
  co_await committed();
  co_return deployment;
}

Task<Reply<model::GetDeploymentOutput>> GetDeployment(RestApis& apis, const model::GetDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return *CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment"));
}

Task<Reply<model::GetDeploymentsOutput>> GetDeployments(RestApis& apis, const model::GetDeploymentsInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::GetDeploymentsOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, deployment] : api->deployments) items.push_back(deployment);
  co_return out;
}

Task<Reply<model::UpdateDeploymentOutput>> UpdateDeployment(RestApis& apis, const model::UpdateDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Deployment* deployment = CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment"));
  CO_TRY(patch(*deployment, in.patch_operations));
  apis.changed(*api);
  const model::Deployment out = *deployment;
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteDeploymentOutput>> DeleteDeployment(RestApis& apis, const model::DeleteDeploymentInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment"));
  for (const auto& [name, stage] : api->stages)
    if (stage.deployment_id == in.deployment_id) co_return Err(bad_request("Active stages pointing to this deployment must be moved or deleted"));
  api->deployments.erase(in.deployment_id);
  api->snapshots.erase(in.deployment_id);
  api->frozen.erase(in.deployment_id);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteDeploymentOutput{};
}

// --- stages --------------------------------------------------------------------------------------------------------------

Task<Reply<model::CreateStageOutput>> CreateStage(RestApis& apis, const model::CreateStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  if (api->stages.contains(in.stage_name)) co_return Err(aws::Error(errors::kConflictException, "Stage already exists"));
  CO_TRY(find_part(api->deployments, in.deployment_id, "Deployment"));
  if (in.cache_cluster_enabled.value_or(false)) co_return Err(unsupported("A cache cluster of a stage"));
  if (in.canary_settings) co_return Err(unsupported("A canary of a stage"));
  model::Stage stage;
  stage.stage_name = in.stage_name;
  stage.deployment_id = in.deployment_id;
  stage.description = in.description;
  stage.variables = in.variables;
  stage.documentation_version = in.documentation_version;
  stage.tags = in.tags;
  stage.tracing_enabled = in.tracing_enabled.value_or(false);
  stage.cache_cluster_enabled = false;
  stage.cache_cluster_status = "NOT_AVAILABLE";
  stage.method_settings.emplace();
  stage.created_date = stage.last_updated_date = from_seconds(to_seconds(call.now));
  api->stages.emplace(in.stage_name, stage);
  apis.changed(*api);
  co_await committed();
  co_return stage;
}

Task<Reply<model::GetStageOutput>> GetStage(RestApis& apis, const model::GetStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return *CO_TRY(find_part(api->stages, in.stage_name, "stage"));
}

Task<Reply<model::GetStagesOutput>> GetStages(RestApis& apis, const model::GetStagesInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::GetStagesOutput out;
  auto& items = out.item.emplace();
  for (const auto& [name, stage] : api->stages)
    if (!in.deployment_id || stage.deployment_id == in.deployment_id) items.push_back(stage);
  co_return out;
}

Task<Reply<model::UpdateStageOutput>> UpdateStage(RestApis& apis, const model::UpdateStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Stage* stage = CO_TRY(find_part(api->stages, in.stage_name, "stage"));
  model::Stage edited = *stage;
  std::vector<model::PatchOperation> operations = in.patch_operations.value_or(std::vector<model::PatchOperation>{});
  for (auto& operation : operations) CO_TRY(name_method_setting(operation));
  CO_TRY(patch(edited, std::optional(std::move(operations))));
  CO_TRY(find_part(api->deployments, edited.deployment_id.value_or(""), "Deployment"));
  CO_TRY(check_access_log(edited));
  edited.last_updated_date = from_seconds(to_seconds(call.now));
  *stage = edited;
  apis.changed(*api);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteStageOutput>> DeleteStage(RestApis& apis, const model::DeleteStageInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(find_part(api->stages, in.stage_name, "stage"));
  api->stages.erase(in.stage_name);
  apis.keys.forget_stage(in.rest_api_id, &in.stage_name);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteStageOutput{};
}

// --- tags, account -------------------------------------------------------------------------------------------------------

Task<Reply<model::TagResourceOutput>> TagResource(RestApis& apis, const model::TagResourceInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, api_of_arn(in.resource_arn)));
  if (!api->api.tags) api->api.tags.emplace();
  for (const auto& [key, value] : in.tags) api->api.tags->insert_or_assign(key, value);
  apis.changed(*api);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(RestApis& apis, const model::UntagResourceInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, api_of_arn(in.resource_arn)));
  if (api->api.tags)
    for (const std::string& key : in.tag_keys) api->api.tags->erase(key);
  apis.changed(*api);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::GetTagsOutput>> GetTags(RestApis& apis, const model::GetTagsInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, api_of_arn(in.resource_arn)));
  model::GetTagsOutput out;
  out.tags = api->api.tags;
  if (!out.tags) out.tags.emplace();
  co_return out;
}

}  // namespace reef::service::apigateway::operations
