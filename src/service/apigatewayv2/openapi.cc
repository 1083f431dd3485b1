// OpenAPI 3 documents with API Gateway's extensions, as SAM and CloudFormation hand them over.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigatewayv2/api_store.h"
#include "service/apigatewayv2/integration.h"
#include "service/apigatewayv2/mapping.h"
#include "wire/json.h"

namespace reef::service::apigatewayv2 {
namespace {

using wire::Json;

constexpr std::string_view kMethods[] = {"get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method"};

std::optional<std::vector<std::string>> strings_of(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const Json& one : json.as_array()) out.push_back(one.as_string());
  return out;
}

void import_cors(const Json& cors, model::Api& api) {
  model::Cors out;
  out.allow_credentials = cors.contains("allowCredentials") ? std::optional(cors["allowCredentials"].as_bool()) : std::nullopt;
  out.allow_headers = strings_of(cors["allowHeaders"]);
  out.allow_methods = strings_of(cors["allowMethods"]);
  out.allow_origins = strings_of(cors["allowOrigins"]);
  out.expose_headers = strings_of(cors["exposeHeaders"]);
  if (const auto age = cors["maxAge"].as_int()) out.max_age = static_cast<std::int32_t>(*age);
  api.cors_configuration = std::move(out);
}

ParameterMap texts_of(const Json& json) {
  ParameterMap out;
  for (const auto& [key, value] : json.as_object()) out.emplace(key, value.scalar_text().value_or(value.dump()));
  return out;
}

aws::Reply<model::Integration> read_integration(const Json& json, ApiGateway& gateway) {
  model::Integration out;
  std::string type = json.text("type");
  std::transform(type.begin(), type.end(), type.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (type != "AWS_PROXY" && type != "HTTP_PROXY")
    return Err(aws::Error("NotImplemented", fmt::format("Integrations of type {} are not supported in HTTP APIs by this version of Atoll.", json.text("type")), 501));
  out.integration_id = gateway.new_id().substr(0, 7);
  out.integration_type = type;
  if (json.contains("uri")) out.integration_uri = json.text("uri");
  if (json.contains("integrationSubtype")) out.integration_subtype = json.text("integrationSubtype");
  if (json.contains("credentials")) out.credentials_arn = json.text("credentials");
  if (json["requestParameters"].is_object()) out.request_parameters = texts_of(json["requestParameters"]);
  for (const auto& [status, changes] : json["responseParameters"].as_object()) {
    if (!out.response_parameters) out.response_parameters.emplace();
    out.response_parameters->emplace(status, texts_of(changes));
  }
  out.integration_method = json.contains("httpMethod") ? json.text("httpMethod") : (type == "AWS_PROXY" ? "POST" : "ANY");
  // Documents often write the version as a number: 2.0 stays "2.0" because numbers keep their text.
  std::string version = json["payloadFormatVersion"].scalar_text().value_or("1.0");
  if (version == "2") version = "2.0";
  if (version == "1") version = "1.0";
  out.payload_format_version = version;
  out.connection_type = "INTERNET";
  out.timeout_in_millis = static_cast<std::int32_t>(json["timeoutInMillis"].as_int().value_or(30'000));
  TRY(check_integration(out));
  return out;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
aws::Reply<model::Authorizer> read_authorizer(const std::string& name, const Json& scheme, ApiGateway& gateway) {
  const Json& json = scheme["x-amazon-apigateway-authorizer"];
  model::Authorizer out;
  out.name = name;
  out.authorizer_id = gateway.new_id().substr(0, 6);
  out.identity_source.emplace();
  if (json["identitySource"].is_array()) out.identity_source = strings_of(json["identitySource"]);
  else
    for (const std::string_view source : split(json.text("identitySource"), ','))
      if (!trim(source).empty()) out.identity_source->emplace_back(trim(source));
  if (json.text("type") == "jwt") {
    out.authorizer_type = "JWT";
    const Json& audience = json["jwtConfiguration"]["audience"];
    out.jwt_configuration = {.audience = audience.is_string() ? std::vector<std::string>{audience.as_string()} : strings_of(audience), .issuer = json["jwtConfiguration"].text("issuer")};
    if (out.jwt_configuration->issuer->empty() || !out.jwt_configuration->audience || out.identity_source->size() != 1) return Err(bad_request(fmt::format("Unable to import the API: the JWT authorizer {} needs an issuer, an audience and one identity source.", name)));
    return out;
  }
  if (json.text("type") != "request") return Err(aws::Error("NotImplemented", fmt::format("The security scheme {} of an HTTP API is not supported by this version of Atoll.", name), 501));
  out.authorizer_type = "REQUEST";
  out.authorizer_uri = json.text("authorizerUri");
  std::string version = json["authorizerPayloadFormatVersion"].scalar_text().value_or("2.0");
  out.authorizer_payload_format_version = version == "1" ? "1.0" : version == "2" ? "2.0" : version;
  if (json.contains("enableSimpleResponses")) out.enable_simple_responses = json["enableSimpleResponses"].scalar_text() == "true";
  if (const auto seconds = parse_int<std::int32_t>(json["authorizerResultTtlInSeconds"].scalar_text().value_or(""))) out.authorizer_result_ttl_in_seconds = *seconds;
  return out;
}

// Gives a route the authorizer that its security names; the API gets it at its first use.
aws::Reply<void> guard(const Json& document, const Json& security, StoredApi& api, model::Route& route, ApiGateway& gateway) {
  if (security.size() == 0) return {};
  // As SAM says that nobody guards a route.
  if (security.as_array().front().contains("NONE") && !document["components"]["securitySchemes"].contains("NONE")) return {};
  if (security.size() > 1 || security.as_array().front().size() != 1) return Err(bad_request("Unable to import the API: a route of an HTTP API takes one security scheme."));
  const auto& [name, scopes] = security.as_array().front().as_object().front();
  if (document["components"]["securitySchemes"][name].text("x-amazon-apigateway-authtype") == "awsSigv4") {
    route.authorization_type = "AWS_IAM";
    return {};
  }
  auto found = std::find_if(api.current.authorizers.begin(), api.current.authorizers.end(), [&, n = name](const auto& one) { return one.second.name == n; });
  if (found == api.current.authorizers.end()) {
    const Json& scheme = document["components"]["securitySchemes"][name];
    if (!scheme.is_object()) return Err(bad_request(fmt::format("Unable to import the API: the security scheme {} is not defined.", name)));
    model::Authorizer made = TRY(read_authorizer(name, scheme, gateway));
    found = api.current.authorizers.emplace(*made.authorizer_id, made).first;
  }
  route.authorizer_id = found->first;
  route.authorization_type = found->second.authorizer_type == "JWT" ? "JWT" : "CUSTOM";
  if (scopes.size() > 0 && route.authorization_type == "JWT") route.authorization_scopes = strings_of(scopes);
  return {};
}

}  // namespace

aws::Reply<void> import_openapi(const Json& document, StoredApi& api, ApiGateway& gateway) {
  if (!document["openapi"].scalar_text().value_or("").starts_with("3"))
    return Err(bad_request("Unable to import the API: only OpenAPI 3 documents are supported."));
  if (const std::string& title = document["info"].text("title"); !title.empty()) api.api.name = title;
  if (const Json* description = document["info"].find("description")) api.api.description = description->as_string();
  if (const Json* version = document["info"].find("version")) api.api.version = version->scalar_text();
  if (const Json* cors = document.find("x-amazon-apigateway-cors")) import_cors(*cors, api.api);
  if (const Json* tags = document.find("tags"))
    for (const Json& tag : tags->as_array())
      if (tag.contains("x-amazon-apigateway-tag-value")) {
        if (!api.api.tags) api.api.tags.emplace();
        api.api.tags->insert_or_assign(tag.text("name"), tag.text("x-amazon-apigateway-tag-value"));
      }
  for (const auto& [path, item] : document["paths"].as_object())
    for (const std::string_view method : kMethods) {
      const Json* operation = item.find(method);
      if (!operation) continue;
      const Json* integration_json = operation->find("x-amazon-apigateway-integration");
      if (!integration_json) continue;
      model::Integration integration = TRY(read_integration(*integration_json, gateway));
      model::Route route;
      route.route_id = gateway.new_id().substr(0, 7);
      std::string verb = method == "x-amazon-apigateway-any-method" ? "ANY" : std::string(method);
      std::transform(verb.begin(), verb.end(), verb.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
      route.route_key = path == "/$default" || path == "$default" ? "$default" : verb + " " + path;
      route.target = "integrations/" + *integration.integration_id;
      route.authorization_type = "NONE";
      TRY(guard(document, operation->contains("security") ? (*operation)["security"] : document["security"], api, route, gateway));
      route.api_key_required = false;
      if (const Json* id = operation->find("operationId")) route.operation_name = id->as_string();
      api.current.integrations.emplace(*integration.integration_id, std::move(integration));
      api.current.routes.emplace(*route.route_id, std::move(route));
    }
  return {};
}

}  // namespace reef::service::apigatewayv2
