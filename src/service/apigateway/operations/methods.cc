// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateResource.html, methods, integrations and their responses.
#include <algorithm>

#include <fmt/format.h>

#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

Reply<model::Resource*> find_resource(StoredApi& api, const std::string& id) {
  const auto found = api.resources.find(id);
  if (found == api.resources.end()) return Err(not_found("Invalid Resource identifier specified"));
  return &found->second;
}

Reply<model::Method*> find_method(StoredApi& api, const std::string& resource_id, const std::string& verb) {
  model::Resource* resource = TRY(find_resource(api, resource_id));
  if (resource->resource_methods)
    if (const auto found = resource->resource_methods->find(verb); found != resource->resource_methods->end()) return &found->second;
  return Err(not_found("Invalid Method identifier specified"));
}

Reply<model::Integration*> find_integration(StoredApi& api, const std::string& resource_id, const std::string& verb) {
  model::Method* method = TRY(find_method(api, resource_id, verb));
  if (!method->method_integration) return Err(not_found("Invalid Integration identifier specified"));
  return &*method->method_integration;
}

template <class T>
Reply<T*> find_response(std::optional<std::map<std::string, T, std::less<>>>& responses, const std::string& status) {
  if (responses)
    if (const auto found = responses->find(status); found != responses->end()) return &found->second;
  return Err(not_found("Invalid Response status code specified"));
}

// A resource as replies show it: methods in full only when they were asked for.
model::Resource shown(model::Resource resource, const std::optional<std::vector<std::string>>& embed) {
  if (!resource.resource_methods || (embed && std::find(embed->begin(), embed->end(), "methods") != embed->end())) return resource;
  for (auto& [verb, method] : *resource.resource_methods) method = model::Method{};
  return resource;
}

}  // namespace

// --- resources ---------------------------------------------------------------------------------------------------------

Task<Reply<model::CreateResourceOutput>> CreateResource(RestApis& apis, const model::CreateResourceInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  const model::Resource* parent = CO_TRY(find_resource(*api, in.parent_id));
  const bool is_parameter = in.path_part.starts_with('{');
  std::string_view name = in.path_part;
  if (is_parameter && name.ends_with('}')) {
    name = name.substr(1, name.size() - 2);
    if (name.ends_with('+')) name.remove_suffix(1);
  }
  if (name.empty() || !std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ':'; }))
    co_return Err(bad_request("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end."));
  if (parent->path_part.value_or("").ends_with("+}")) co_return Err(bad_request(fmt::format("Cannot create a child of a resource with a greedy path variable: {}", *parent->path_part)));
  for (const auto& [id, other] : api->resources) {
    if (other.parent_id != in.parent_id) continue;
    if (other.path_part == in.path_part)
      co_return Err(aws::Error(errors::kConflictException, fmt::format("Another resource with the same parent already has this name: {}", in.path_part)));
    if (is_parameter && other.path_part.value_or("").starts_with('{') && other.path_part.value_or("").ends_with("+}") == in.path_part.ends_with("+}"))
      co_return Err(bad_request(fmt::format("A sibling ({}) of this resource already has a variable path part -- only one is allowed", *other.path_part)));
  }
  model::Resource made;
  made.id = apis.new_id(6);
  made.parent_id = in.parent_id;
  made.path_part = in.path_part;
  made.path = (parent->path == "/" ? "" : parent->path.value_or("")) + "/" + in.path_part;
  api->resources.emplace(*made.id, made);
  apis.changed(*api);
  co_await committed();
  co_return made;
}

Task<Reply<model::GetResourceOutput>> GetResource(RestApis& apis, const model::GetResourceInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return shown(*CO_TRY(find_resource(*api, in.resource_id)), in.embed);
}

Task<Reply<model::GetResourcesOutput>> GetResources(RestApis& apis, const model::GetResourcesInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  std::size_t from = 0;
  if (in.position) from = parse_int<std::size_t>(*in.position).value_or(0);
  const std::size_t limit = static_cast<std::size_t>(in.limit.value_or(25));
  model::GetResourcesOutput out;
  auto& items = out.items.emplace();
  std::size_t index = 0;
  for (const auto& [id, resource] : api->resources) {
    if (index++ < from) continue;
    if (items.size() == limit) {
      out.position = std::to_string(index - 1);
      break;
    }
    items.push_back(shown(resource, in.embed));
  }
  co_return out;
}

Task<Reply<model::UpdateResourceOutput>> UpdateResource(RestApis& apis, const model::UpdateResourceInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Resource* resource = CO_TRY(find_resource(*api, in.resource_id));
  const std::string old_path = resource->path.value_or("");
  CO_TRY(patch(*resource, in.patch_operations));
  const model::Resource* parent = CO_TRY(find_resource(*api, resource->parent_id.value_or("")));
  resource->path = (parent->path == "/" ? "" : parent->path.value_or("")) + "/" + resource->path_part.value_or("");
  const std::string new_path = *resource->path;
  for (auto& [id, other] : api->resources)
    if (other.path.value_or("").starts_with(old_path + "/")) other.path = new_path + other.path->substr(old_path.size());
  apis.changed(*api);
  const model::Resource out = *resource;
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteResourceOutput>> DeleteResource(RestApis& apis, const model::DeleteResourceInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  const model::Resource* resource = CO_TRY(find_resource(*api, in.resource_id));
  if (in.resource_id == api->api.root_resource_id) co_return Err(bad_request("Cannot delete root resource."));
  const std::string path = resource->path.value_or("");
  std::erase_if(api->resources, [&](const auto& entry) { return entry.second.path == path || entry.second.path.value_or("").starts_with(path + "/"); });
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteResourceOutput{};
}

// --- methods -------------------------------------------------------------------------------------------------------------

Task<Reply<model::PutMethodOutput>> PutMethod(RestApis& apis, const model::PutMethodInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Resource* resource = CO_TRY(find_resource(*api, in.resource_id));
  constexpr std::string_view kMethods[] = {"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"};
  if (std::ranges::find(kMethods, in.http_method) == std::end(kMethods))
    co_return Err(bad_request("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"));
  if (!resource->resource_methods) resource->resource_methods.emplace();
  if (resource->resource_methods->contains(in.http_method)) co_return Err(aws::Error(errors::kConflictException, "Method already exists for this resource"));
  model::Method method;
  method.http_method = in.http_method;
  method.authorization_type = in.authorization_type;
  method.api_key_required = in.api_key_required.value_or(false);
  method.operation_name = in.operation_name;
  method.request_parameters = in.request_parameters;
  method.request_models = in.request_models;
  method.authorization_scopes = in.authorization_scopes;
  method.authorizer_id = in.authorizer_id;
  method.request_validator_id = in.request_validator_id;
  CO_TRY(check_authorization(*api, method));
  resource->resource_methods->emplace(in.http_method, method);
  apis.changed(*api);
  co_await committed();
  co_return method;
}

Task<Reply<model::GetMethodOutput>> GetMethod(RestApis& apis, const model::GetMethodInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return *CO_TRY(find_method(*api, in.resource_id, in.http_method));
}

Task<Reply<model::UpdateMethodOutput>> UpdateMethod(RestApis& apis, const model::UpdateMethodInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Method* method = CO_TRY(find_method(*api, in.resource_id, in.http_method));
  model::Method edited = *method;
  CO_TRY(patch(edited, in.patch_operations));
  CO_TRY(check_authorization(*api, edited));
  *method = edited;
  apis.changed(*api);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteMethodOutput>> DeleteMethod(RestApis& apis, const model::DeleteMethodInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(find_method(*api, in.resource_id, in.http_method));
  api->resources.find(in.resource_id)->second.resource_methods->erase(in.http_method);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteMethodOutput{};
}

Task<Reply<model::PutMethodResponseOutput>> PutMethodResponse(RestApis& apis, const model::PutMethodResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Method* method = CO_TRY(find_method(*api, in.resource_id, in.http_method));
  if (!method->method_responses) method->method_responses.emplace();
  if (method->method_responses->contains(in.status_code)) co_return Err(aws::Error(errors::kConflictException, "Response already exists for this resource"));
  model::MethodResponse response;
  response.status_code = in.status_code;
  response.response_parameters = in.response_parameters;
  response.response_models = in.response_models;
  method->method_responses->emplace(in.status_code, response);
  apis.changed(*api);
  co_await committed();
  co_return response;
}

Task<Reply<model::GetMethodResponseOutput>> GetMethodResponse(RestApis& apis, const model::GetMethodResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return *CO_TRY(find_response(CO_TRY(find_method(*api, in.resource_id, in.http_method))->method_responses, in.status_code));
}

Task<Reply<model::UpdateMethodResponseOutput>> UpdateMethodResponse(RestApis& apis, const model::UpdateMethodResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::MethodResponse* response = CO_TRY(find_response(CO_TRY(find_method(*api, in.resource_id, in.http_method))->method_responses, in.status_code));
  CO_TRY(patch(*response, in.patch_operations));
  apis.changed(*api);
  const model::MethodResponse out = *response;
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteMethodResponseOutput>> DeleteMethodResponse(RestApis& apis, const model::DeleteMethodResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Method* method = CO_TRY(find_method(*api, in.resource_id, in.http_method));
  CO_TRY(find_response(method->method_responses, in.status_code));
  method->method_responses->erase(in.status_code);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteMethodResponseOutput{};
}

// --- integrations --------------------------------------------------------------------------------------------------------

Task<Reply<model::PutIntegrationOutput>> PutIntegration(RestApis& apis, const model::PutIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Method* method = CO_TRY(find_method(*api, in.resource_id, in.http_method));
  model::Integration integration;
  integration.type = in.type;
  integration.http_method = in.integration_http_method;
  integration.uri = in.uri;
  integration.connection_type = in.connection_type;
  integration.connection_id = in.connection_id;
  integration.credentials = in.credentials;
  integration.request_parameters = in.request_parameters;
  integration.request_templates = in.request_templates;
  integration.passthrough_behavior = in.passthrough_behavior.value_or("WHEN_NO_MATCH");
  integration.content_handling = in.content_handling;
  integration.timeout_in_millis = in.timeout_in_millis.value_or(29'000);
  integration.cache_namespace = in.cache_namespace.value_or(in.resource_id);
  integration.cache_key_parameters = in.cache_key_parameters.value_or(std::vector<std::string>{});
  CO_TRY(check_integration(integration));
  if (method->method_integration) integration.integration_responses = method->method_integration->integration_responses;
  method->method_integration = integration;
  apis.changed(*api);
  co_await committed();
  co_return integration;
}

Task<Reply<model::GetIntegrationOutput>> GetIntegration(RestApis& apis, const model::GetIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return *CO_TRY(find_integration(*api, in.resource_id, in.http_method));
}

Task<Reply<model::UpdateIntegrationOutput>> UpdateIntegration(RestApis& apis, const model::UpdateIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Integration* integration = CO_TRY(find_integration(*api, in.resource_id, in.http_method));
  model::Integration edited = *integration;
  CO_TRY(patch(edited, in.patch_operations));
  CO_TRY(check_integration(edited));
  *integration = edited;
  apis.changed(*api);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteIntegrationOutput>> DeleteIntegration(RestApis& apis, const model::DeleteIntegrationInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(find_integration(*api, in.resource_id, in.http_method));
  CO_TRY(find_method(*api, in.resource_id, in.http_method))->method_integration.reset();
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteIntegrationOutput{};
}

Task<Reply<model::PutIntegrationResponseOutput>> PutIntegrationResponse(RestApis& apis, const model::PutIntegrationResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Integration* integration = CO_TRY(find_integration(*api, in.resource_id, in.http_method));
  model::Integration edited = *integration;
  model::IntegrationResponse response;
  response.status_code = in.status_code;
  response.selection_pattern = in.selection_pattern;
  response.response_parameters = in.response_parameters;
  response.response_templates = in.response_templates;
  response.content_handling = in.content_handling;
  if (!edited.integration_responses) edited.integration_responses.emplace();
  edited.integration_responses->insert_or_assign(in.status_code, response);
  CO_TRY(check_integration(edited));
  *integration = edited;
  apis.changed(*api);
  co_await committed();
  co_return response;
}

Task<Reply<model::GetIntegrationResponseOutput>> GetIntegrationResponse(RestApis& apis, const model::GetIntegrationResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  co_return *CO_TRY(find_response(CO_TRY(find_integration(*api, in.resource_id, in.http_method))->integration_responses, in.status_code));
}

Task<Reply<model::UpdateIntegrationResponseOutput>> UpdateIntegrationResponse(RestApis& apis, const model::UpdateIntegrationResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Integration* integration = CO_TRY(find_integration(*api, in.resource_id, in.http_method));
  model::Integration edited = *integration;
  model::IntegrationResponse* response = CO_TRY(find_response(edited.integration_responses, in.status_code));
  CO_TRY(patch(*response, in.patch_operations));
  const model::IntegrationResponse out = *response;
  CO_TRY(check_integration(edited));
  *integration = edited;
  apis.changed(*api);
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteIntegrationResponseOutput>> DeleteIntegrationResponse(RestApis& apis, const model::DeleteIntegrationResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Integration* integration = CO_TRY(find_integration(*api, in.resource_id, in.http_method));
  CO_TRY(find_response(integration->integration_responses, in.status_code));
  integration->integration_responses->erase(in.status_code);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteIntegrationResponseOutput{};
}

}  // namespace reef::service::apigateway::operations
