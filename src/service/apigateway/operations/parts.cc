// Gateway responses, models and request validators of an API.
// https://docs.aws.amazon.com/apigateway/latest/api/API_PutGatewayResponse.html
// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateModel.html
// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRequestValidator.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

Reply<void> check_type(const std::string& type) {
  const auto& all = refusal_types();
  if (std::any_of(all.begin(), all.end(), [&](const RefusalType& each) { return each.name == type; })) return {};
  return Err(bad_request("Invalid Gateway response type specified: " + type));
}

// What the type answers now: the API's own response, or the default one.
model::GatewayResponse response_of(const StoredApi& api, const std::string& type) {
  const auto own = api.gateway_responses.find(type);
  return own == api.gateway_responses.end() ? default_response(type) : own->second;
}

Reply<model::Model*> model_of(StoredApi& api, const std::string& name) {
  const auto found = api.models.find(name);
  if (found == api.models.end()) return Err(not_found("Invalid model name specified: " + name));
  return &found->second;
}

Reply<void> check_schema(const model::Model& model) {
  if (model.content_type != "application/json" || model.schema.value_or("").empty()) return {};
  const auto schema = wire::Json::parse(*model.schema);
  if (!schema || !schema->is_object()) return Err(bad_request(fmt::format("Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified: {}]", *model.schema)));
  return {};
}

Reply<model::RequestValidator*> validator_of(StoredApi& api, const std::string& id) {
  const auto found = api.validators.find(id);
  if (found == api.validators.end()) return Err(not_found("Invalid Request Validator identifier specified"));
  return &found->second;
}

}  // namespace

Reply<void> check_gateway_response(const model::GatewayResponse& response) {
  TRY(check_type(response.response_type.value_or("")));
  if (response.status_code) {
    const auto status = parse_int<int>(*response.status_code);
    if (!status || *status < 100 || *status > 599) return Err(bad_request("Invalid status code specified: " + *response.status_code));
  }
  if (response.response_parameters)
    for (const auto& [name, value] : *response.response_parameters) {
      const bool is_literal = value.size() >= 2 && value.front() == '\'' && value.back() == '\'';
      const bool is_mapping = value.starts_with("method.request.") || value.starts_with("context.") || value.starts_with("stageVariables.");
      if (!name.starts_with("gatewayresponse.header.") || (!is_literal && !is_mapping))
        return Err(bad_request(fmt::format("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {}]", name.starts_with("gatewayresponse.header.") ? value : name)));
    }
  return {};
}

Task<Reply<model::PutGatewayResponseOutput>> PutGatewayResponse(RestApis& apis, const model::PutGatewayResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(check_type(in.response_type));
  model::GatewayResponse made = default_response(in.response_type);
  made.default_response = false;
  if (in.status_code) made.status_code = in.status_code;
  if (in.response_parameters) made.response_parameters = in.response_parameters;
  if (in.response_templates) made.response_templates = in.response_templates;
  CO_TRY(check_gateway_response(made));
  api->gateway_responses.insert_or_assign(in.response_type, made);
  apis.changed(*api);
  co_await committed();
  co_return made;
}

Task<Reply<model::GetGatewayResponseOutput>> GetGatewayResponse(RestApis& apis, const model::GetGatewayResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(check_type(in.response_type));
  co_return response_of(*api, in.response_type);
}

Task<Reply<model::GetGatewayResponsesOutput>> GetGatewayResponses(RestApis& apis, const model::GetGatewayResponsesInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::GetGatewayResponsesOutput out;
  auto& items = out.items.emplace();
  for (const RefusalType& type : refusal_types()) items.push_back(response_of(*api, std::string(type.name)));
  co_return out;
}

Task<Reply<model::UpdateGatewayResponseOutput>> UpdateGatewayResponse(RestApis& apis, const model::UpdateGatewayResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(check_type(in.response_type));
  model::GatewayResponse edited = response_of(*api, in.response_type);
  CO_TRY(patch(edited, in.patch_operations));
  edited.default_response = false;
  CO_TRY(check_gateway_response(edited));
  api->gateway_responses.insert_or_assign(in.response_type, edited);
  apis.changed(*api);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteGatewayResponseOutput>> DeleteGatewayResponse(RestApis& apis, const model::DeleteGatewayResponseInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(check_type(in.response_type));
  if (api->gateway_responses.erase(in.response_type) == 0) co_return Err(not_found("Gateway response type not defined on api"));
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteGatewayResponseOutput{};
}

// --- models --------------------------------------------------------------------------------------------------------------

Task<Reply<model::CreateModelOutput>> CreateModel(RestApis& apis, const model::CreateModelInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  if (!std::all_of(in.name.begin(), in.name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }) || in.name.empty())
    co_return Err(bad_request("Model name must be alphanumeric: " + in.name));
  if (api->models.contains(in.name)) co_return Err(aws::Error(errors::kConflictException, "Model name already exists for this REST API"));
  model::Model made;
  made.id = apis.new_id(6);
  made.name = in.name;
  made.description = in.description;
  made.schema = in.schema;
  made.content_type = in.content_type;
  CO_TRY(check_schema(made));
  api->models.emplace(in.name, made);
  apis.changed(*api);
  co_await committed();
  co_return made;
}

Task<Reply<model::GetModelOutput>> GetModel(RestApis& apis, const model::GetModelInput& in, const Call& call) {
  co_return *CO_TRY(model_of(*CO_TRY(find_api(apis, call, in.rest_api_id)), in.model_name));
}

Task<Reply<model::GetModelsOutput>> GetModels(RestApis& apis, const model::GetModelsInput& in, const Call& call) {
  model::GetModelsOutput out;
  auto& items = out.items.emplace();
  for (const auto& [name, model] : CO_TRY(find_api(apis, call, in.rest_api_id))->models) items.push_back(model);
  co_return out;
}

Task<Reply<model::UpdateModelOutput>> UpdateModel(RestApis& apis, const model::UpdateModelInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Model* stored = CO_TRY(model_of(*api, in.model_name));
  model::Model edited = *stored;
  CO_TRY(patch(edited, in.patch_operations));
  CO_TRY(check_schema(edited));
  *stored = edited;
  apis.changed(*api);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteModelOutput>> DeleteModel(RestApis& apis, const model::DeleteModelInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(model_of(*api, in.model_name));
  for (const auto& [id, resource] : api->resources)
    for (const auto& [verb, method] : resource.resource_methods.value_or(std::map<std::string, model::Method, std::less<>>{}))
      for (const auto& [type, name] : method.request_models.value_or(std::map<std::string, std::string, std::less<>>{}))
        if (name == in.model_name) co_return Err(aws::Error(errors::kConflictException, fmt::format("Cannot delete model '{}', is referenced in method request: {}/{}", in.model_name, resource.path.value_or(""), verb)));
  api->models.erase(in.model_name);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteModelOutput{};
}

// --- request validators --------------------------------------------------------------------------------------------------

Task<Reply<model::CreateRequestValidatorOutput>> CreateRequestValidator(RestApis& apis, const model::CreateRequestValidatorInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::RequestValidator made;
  made.id = apis.new_id(6);
  made.name = in.name;
  made.validate_request_body = in.validate_request_body.value_or(false);
  made.validate_request_parameters = in.validate_request_parameters.value_or(false);
  api->validators.emplace(*made.id, made);
  apis.changed(*api);
  co_await committed();
  co_return made;
}

Task<Reply<model::GetRequestValidatorOutput>> GetRequestValidator(RestApis& apis, const model::GetRequestValidatorInput& in, const Call& call) {
  co_return *CO_TRY(validator_of(*CO_TRY(find_api(apis, call, in.rest_api_id)), in.request_validator_id));
}

Task<Reply<model::GetRequestValidatorsOutput>> GetRequestValidators(RestApis& apis, const model::GetRequestValidatorsInput& in, const Call& call) {
  model::GetRequestValidatorsOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, validator] : CO_TRY(find_api(apis, call, in.rest_api_id))->validators) items.push_back(validator);
  co_return out;
}

Task<Reply<model::UpdateRequestValidatorOutput>> UpdateRequestValidator(RestApis& apis, const model::UpdateRequestValidatorInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::RequestValidator* validator = CO_TRY(validator_of(*api, in.request_validator_id));
  CO_TRY(patch(*validator, in.patch_operations));
  const model::RequestValidator out = *validator;
  apis.changed(*api);
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteRequestValidatorOutput>> DeleteRequestValidator(RestApis& apis, const model::DeleteRequestValidatorInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(validator_of(*api, in.request_validator_id));
  for (const auto& [id, resource] : api->resources)
    for (const auto& [verb, method] : resource.resource_methods.value_or(std::map<std::string, model::Method, std::less<>>{}))
      if (method.request_validator_id == in.request_validator_id)
        co_return Err(aws::Error(errors::kConflictException, fmt::format("Cannot delete request validator '{}', is referenced in method: {}/{}", in.request_validator_id, resource.path.value_or(""), verb)));
  api->validators.erase(in.request_validator_id);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteRequestValidatorOutput{};
}

}  // namespace reef::service::apigateway::operations
