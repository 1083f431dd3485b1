#include "service/apigateway/definition_parts.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/authorize.h"
#include "service/apigateway/operations.h"
#include "service/apigateway/policy.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;

constexpr std::string_view kAuthorizer = "x-amazon-apigateway-authorizer", kAuthType = "x-amazon-apigateway-authtype";

std::map<std::string, std::string, std::less<>> text_members(const Json& json) {
  std::map<std::string, std::string, std::less<>> out;
  for (const auto& [name, value] : json.as_object()) out.emplace(name, value.is_object() ? value.dump() : value.scalar_text().value_or(""));
  return out;
}

std::string last_step(std::string_view reference) { return std::string(reference.substr(reference.rfind('/') + 1)); }

void put_model(StoredApi& api, RestApis& apis, const std::string& name, const Json& schema) {
  model::Model made;
  const auto existing = api.models.find(name);
  made.id = existing == api.models.end() ? apis.new_id(6) : existing->second.id.value_or("");
  made.name = name;
  made.content_type = "application/json";
  made.schema = schema.dump();
  api.models.insert_or_assign(name, std::move(made));
}

const model::RequestValidator* find_validator(const StoredApi& api, std::string_view name) {
  const auto found = std::find_if(api.validators.begin(), api.validators.end(), [&](const auto& each) { return each.second.name == name; });
  return found == api.validators.end() ? nullptr : &found->second;
}

const model::Authorizer* find_authorizer(const StoredApi& api, std::string_view name) {
  const auto found = std::find_if(api.authorizers.begin(), api.authorizers.end(), [&](const auto& each) { return each.second.name == name; });
  return found == api.authorizers.end() ? nullptr : &found->second;
}

// "#/definitions/Order" names a model; anything else is one of the method's own.
std::string model_for(const Json& schema, std::string_view owner, StoredApi& api, RestApis& apis) {
  if (const std::string& reference = schema.text("$ref"); !reference.empty()) return last_step(reference);
  std::string name;
  for (const char c : owner)
    if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  name += "Body";
  put_model(api, apis, name, schema);
  return name;
}

void read_parameters(const Json& parameters, std::string_view owner, const Json& consumes, StoredApi& api, RestApis& apis, model::Method& method) {
  for (const Json& parameter : parameters.as_array()) {
    const std::string& where = parameter.text("in");
    const bool is_required = parameter["required"].scalar_text() == "true";
    if (where == "body") {
      if (!method.request_models) method.request_models.emplace();
      const std::string name = model_for(parameter["schema"], owner, api, apis);
      for (const Json& type : (consumes.size() > 0 ? consumes : Json::array({"application/json"})).as_array()) method.request_models->insert_or_assign(type.as_string(), name);
      continue;
    }
    const char* prefix = where == "query" ? "querystring" : where == "header" ? "header" : where == "path" ? "path" : nullptr;
    if (!prefix) continue;
    if (!method.request_parameters) method.request_parameters.emplace();
    method.request_parameters->insert_or_assign(fmt::format("method.request.{}.{}", prefix, parameter.text("name")), is_required);
  }
}

aws::Reply<void> read_gateway_responses(const Json& responses, StoredApi& api) {
  for (const auto& [type, response] : responses.as_object()) {
    model::GatewayResponse made = default_response(type);
    made.default_response = false;
    if (response.contains("statusCode")) made.status_code = response["statusCode"].scalar_text();
    if (const Json* parameters = response.find("responseParameters"); parameters && parameters->size() > 0) made.response_parameters = text_members(*parameters);
    if (const Json* templates = response.find("responseTemplates"); templates && templates->size() > 0) made.response_templates = text_members(*templates);
    TRY(operations::check_gateway_response(made));
    api.gateway_responses.insert_or_assign(type, std::move(made));
  }
  return {};
}

}  // namespace

void clear_parts(StoredApi& api) {
  api.gateway_responses.clear();
  api.models.clear();
  api.validators.clear();
}

aws::Reply<void> read_parts(const Json& document, StoredApi& api, RestApis& apis) {
  TRY(read_gateway_responses(document["x-amazon-apigateway-gateway-responses"], api));
  const Json& schemas = document.contains("definitions") ? document["definitions"] : document["components"]["schemas"];
  for (const auto& [name, schema] : schemas.as_object()) put_model(api, apis, name, schema);
  for (const auto& [name, validator] : document["x-amazon-apigateway-request-validators"].as_object()) {
    model::RequestValidator made;
    const model::RequestValidator* existing = find_validator(api, name);
    made.id = existing ? existing->id : apis.new_id(6);
    made.name = name;
    made.validate_request_body = validator["validateRequestBody"].scalar_text() == "true";
    made.validate_request_parameters = validator["validateRequestParameters"].scalar_text() == "true";
    api.validators.insert_or_assign(*made.id, made);
  }
  if (const Json* policy = document.find("x-amazon-apigateway-policy"); policy && policy->size() > 0) {
    const std::string text = policy->dump();
    TRY(check_policy(text));
    api.api.policy = text;
  }
  if (const Json* source = document.find("x-amazon-apigateway-api-key-source")) api.api.api_key_source = source->as_string();
  const auto read_endpoint = [&](const Json& configuration) {
    if (configuration.contains("disableExecuteApiEndpoint")) api.api.disable_execute_api_endpoint = configuration["disableExecuteApiEndpoint"].scalar_text() == "true";
  };
  read_endpoint(document["x-amazon-apigateway-endpoint-configuration"]);
  for (const Json& server : document["servers"].as_array()) read_endpoint(server["x-amazon-apigateway-endpoint-configuration"]);
  return {};
}

aws::Reply<void> read_authorizers(const Json& schemes, StoredApi& api, RestApis& apis) {
  for (const auto& [name, scheme] : schemes.as_object()) {
    const Json* given = scheme.find(kAuthorizer);
    if (!given) continue;
    model::Authorizer made;
    const model::Authorizer* existing = find_authorizer(api, name);
    made.id = existing ? existing->id : apis.new_id(6);
    made.name = name;
    made.type = to_upper(given->text("type"));
    made.auth_type = scheme.text(kAuthType);
    if (given->contains("authorizerUri")) made.authorizer_uri = given->text("authorizerUri");
    if (given->contains("authorizerCredentials")) made.authorizer_credentials = given->text("authorizerCredentials");
    if (given->contains("identityValidationExpression")) made.identity_validation_expression = given->text("identityValidationExpression");
    if (const auto seconds = given->find("authorizerResultTtlInSeconds")) made.authorizer_result_ttl_in_seconds = parse_int<std::int32_t>(seconds->scalar_text().value_or(""));
    if (made.type == "REQUEST") {
      if (given->contains("identitySource")) made.identity_source = given->text("identitySource");
    } else {
      made.identity_source = "method.request.header." + (scheme.text("name").empty() ? "Authorization" : scheme.text("name"));
    }
    if (const Json* pools = given->find("providerARNs")) {
      made.provider_arns.emplace();
      for (const Json& pool : pools->as_array()) made.provider_arns->push_back(pool.as_string());
    }
    TRY(check_authorizer(api, made));
    api.authorizers.insert_or_assign(*made.id, std::move(made));
  }
  return {};
}

aws::Reply<void> read_security(const Json& operation, const Json& schemes, const StoredApi& api, model::Method& method) {
  if (const std::string& type = operation["x-amazon-apigateway-auth"].text("type"); !type.empty()) method.authorization_type = to_upper(type);
  for (const Json& requirement : operation["security"].as_array())
    for (const auto& [name, scopes] : requirement.as_object()) {
      if (name == "NONE" || name == "api_key_false") continue;  // as SAM says that nobody and no key is wanted
      const Json* scheme = schemes.find(name);
      if (!scheme) return Err(bad_request(fmt::format("Unable to import the API: no security definition is named {}.", name)));
      if (scheme->text(kAuthType) == "awsSigv4") {
        method.authorization_type = "AWS_IAM";
      } else if (const model::Authorizer* authorizer = find_authorizer(api, name)) {
        method.authorization_type = authorizer->type == "COGNITO_USER_POOLS" ? "COGNITO_USER_POOLS" : "CUSTOM";
        method.authorizer_id = authorizer->id;
        if (scopes.size() > 0) {
          method.authorization_scopes.emplace();
          for (const Json& scope : scopes.as_array()) method.authorization_scopes->push_back(scope.as_string());
        }
      } else if (scheme->text("type") == "apiKey" && equals_ignoring_case(scheme->text("name"), "x-api-key")) {
        method.api_key_required = true;
      } else {
        return Err(unsupported(fmt::format("The security definition {} of type {} without x-amazon-apigateway-authorizer", name, scheme->text("type"))));
      }
    }
  return {};
}

aws::Reply<void> read_request(const Json& document, const Json& operation, const Json& path_item, StoredApi& api, RestApis& apis, model::Method& method) {
  const std::string owner = fmt::format("{}{}", operation.text("operationId"), operation.text("operationId").empty() ? apis.new_id(6) : "");
  const Json& consumes = operation.contains("consumes") ? operation["consumes"] : document["consumes"];
  read_parameters(path_item["parameters"], owner, consumes, api, apis, method);
  read_parameters(operation["parameters"], owner, consumes, api, apis, method);
  for (const auto& [type, content] : operation["requestBody"]["content"].as_object()) {
    if (!content.contains("schema")) continue;
    if (!method.request_models) method.request_models.emplace();
    method.request_models->insert_or_assign(type, model_for(content["schema"], owner, api, apis));
  }
  if (method.request_models)
    for (const auto& [type, name] : *method.request_models)
      if (!api.models.contains(name) && name != "Empty" && name != "Error") return Err(bad_request(fmt::format("Unable to import the API: Unknown model reference: {}", name)));
  const char* member = "x-amazon-apigateway-request-validator";
  const std::string name = operation.contains(member) ? operation.text(member) : document.text(member);
  if (name.empty()) return {};
  const model::RequestValidator* validator = find_validator(api, name);
  if (!validator) return Err(bad_request(fmt::format("Unable to import the API: Invalid request validator specified: {}", name)));
  method.request_validator_id = validator->id;
  return {};
}

}  // namespace reef::service::apigateway
