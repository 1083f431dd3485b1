// OpenAPI 3 documents with API Gateway's extensions, as SAM and CloudFormation hand them over.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
#include <algorithm>

#include <fmt/format.h>

#include "service/apigatewayv2/api_store.h"
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

aws::Reply<model::Integration> read_integration(const Json& json, ApiGateway& gateway) {
  model::Integration out;
  std::string type = json.text("type");
  std::transform(type.begin(), type.end(), type.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (type != "AWS_PROXY" && type != "HTTP_PROXY")
    return Err(aws::Error("NotImplemented", fmt::format("Integrations of type {} are not supported in HTTP APIs by this version of Atoll.", json.text("type")), 501));
  if (json.contains("integrationSubtype"))
    return Err(aws::Error("NotImplemented", fmt::format("The integration subtype {} is not supported by this version of Atoll.", json.text("integrationSubtype")), 501));
  out.integration_id = gateway.new_id().substr(0, 7);
  out.integration_type = type;
  out.integration_uri = json.text("uri");
  out.integration_method = json.contains("httpMethod") ? json.text("httpMethod") : (type == "AWS_PROXY" ? "POST" : "ANY");
  // Documents often write the version as a number: 2.0 stays "2.0" because numbers keep their text.
  std::string version = json["payloadFormatVersion"].scalar_text().value_or("1.0");
  if (version == "2") version = "2.0";
  if (version == "1") version = "1.0";
  out.payload_format_version = version;
  out.connection_type = "INTERNET";
  out.timeout_in_millis = static_cast<std::int32_t>(json["timeoutInMillis"].as_int().value_or(30'000));
  return out;
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
      if (operation->contains("security") && (*operation)["security"].size() > 0)
        return Err(aws::Error("NotImplemented", fmt::format("Authorizers are not supported in HTTP APIs by this version of Atoll (route {} {}).", method, path), 501));
      model::Integration integration = TRY(read_integration(*integration_json, gateway));
      model::Route route;
      route.route_id = gateway.new_id().substr(0, 7);
      std::string verb = method == "x-amazon-apigateway-any-method" ? "ANY" : std::string(method);
      std::transform(verb.begin(), verb.end(), verb.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
      route.route_key = path == "/$default" || path == "$default" ? "$default" : verb + " " + path;
      route.target = "integrations/" + *integration.integration_id;
      route.authorization_type = "NONE";
      route.api_key_required = false;
      if (const Json* id = operation->find("operationId")) route.operation_name = id->as_string();
      api.current.integrations.emplace(*integration.integration_id, std::move(integration));
      api.current.routes.emplace(*route.route_id, std::move(route));
    }
  return {};
}

}  // namespace reef::service::apigatewayv2
