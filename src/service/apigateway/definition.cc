// Swagger 2 and OpenAPI 3 documents with API Gateway's extensions.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/definition_parts.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;
using TextMembers = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kMethods[] = {"get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method"};

std::optional<TextMembers> texts(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  TextMembers out;
  for (const auto& [name, value] : json.as_object()) out.emplace(name, value.is_object() ? value.dump() : value.scalar_text().value_or(""));
  return out;
}

model::Integration read_integration(const Json& json, const std::string& resource_id) {
  model::Integration out;
  out.type = to_upper(json.text("type"));
  if (json.contains("httpMethod")) out.http_method = json.text("httpMethod");
  if (json.contains("uri")) out.uri = json.text("uri");
  out.passthrough_behavior = to_upper(json.contains("passthroughBehavior") ? json.text("passthroughBehavior") : "WHEN_NO_MATCH");
  out.timeout_in_millis = static_cast<std::int32_t>(json["timeoutInMillis"].as_int().value_or(29'000));
  out.cache_namespace = resource_id;
  if (json.contains("credentials")) out.credentials = json.text("credentials");
  if (json.contains("contentHandling")) out.content_handling = json.text("contentHandling");
  if (const Json* keys = json.find("cacheKeyParameters")) {
    out.cache_key_parameters.emplace();
    for (const Json& key : keys->as_array()) out.cache_key_parameters->push_back(key.as_string());
  }
  if (json.contains("connectionType")) out.connection_type = json.text("connectionType");
  out.request_parameters = texts(json["requestParameters"]);
  out.request_templates = texts(json["requestTemplates"]);
  if (const Json* responses = json.find("responses")) {
    auto& all = out.integration_responses.emplace();
    for (const auto& [pattern, response] : responses->as_object()) {
      model::IntegrationResponse one;
      one.status_code = response["statusCode"].scalar_text().value_or("200");
      if (pattern != "default") one.selection_pattern = pattern;
      one.response_parameters = texts(response["responseParameters"]);
      one.response_templates = texts(response["responseTemplates"]);
      all.insert_or_assign(*one.status_code, std::move(one));
    }
  }
  return out;
}

}  // namespace

model::Resource& ensure_resource(StoredApi& api, RestApis& apis, const std::string& path) {
  for (auto& [id, resource] : api.resources)
    if (resource.path == path) return resource;
  const auto slash = path.rfind('/');
  const std::string parent_path = slash == 0 ? "/" : path.substr(0, slash);
  const std::string parent = ensure_resource(api, apis, parent_path).id.value_or("");
  model::Resource made;
  made.id = apis.new_id(6);
  made.parent_id = parent;
  made.path_part = path.substr(slash + 1);
  made.path = path;
  return api.resources.emplace(*made.id, made).first->second;
}

aws::Reply<void> import_definition(const Json& document, StoredApi& api, RestApis& apis) {
  if (!document["swagger"].scalar_text().value_or("").starts_with("2") && !document["openapi"].scalar_text().value_or("").starts_with("3"))
    return Err(bad_request("Unable to parse API definition because of a malformed integration or document: it must be Swagger 2 or OpenAPI 3."));
  if (const std::string& title = document["info"].text("title"); !title.empty()) api.api.name = title;
  if (const Json* types = document.find("x-amazon-apigateway-binary-media-types")) {
    auto& list = api.api.binary_media_types.emplace();
    for (const Json& type : types->as_array()) list.push_back(type.as_string());
  }
  TRY(read_parts(document, api, apis));
  const Json& schemes = document.contains("securityDefinitions") ? document["securityDefinitions"] : document["components"]["securitySchemes"];
  TRY(read_authorizers(schemes, api, apis));
  // basePath is ignored, as API Gateway does by default.
  for (const auto& [path_text, item] : document["paths"].as_object()) {
    std::string path = path_text;
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    for (const std::string_view verb_text : kMethods) {
      const Json* operation = item.find(verb_text);
      if (!operation) continue;
      const std::string verb = verb_text == "x-amazon-apigateway-any-method" ? "ANY" : to_upper(verb_text);
      model::Resource& resource = ensure_resource(api, apis, path);
      model::Method method;
      method.http_method = verb;
      method.authorization_type = "NONE";
      method.api_key_required = false;
      TRY(read_security(*operation, schemes, api, method));
      TRY(read_request(document, *operation, item, api, apis, method));
      if (const Json* id = operation->find("operationId")) method.operation_name = id->as_string();
      if (const Json* responses = operation->find("responses")) {
        auto& all = method.method_responses.emplace();
        for (const auto& [status, response] : responses->as_object()) {
          model::MethodResponse one;
          one.status_code = status;
          if (const Json* headers = response.find("headers")) {
            auto& parameters = one.response_parameters.emplace();
            for (const auto& [header, ignored] : headers->as_object()) parameters.emplace("method.response.header." + header, false);
          }
          all.emplace(status, std::move(one));
        }
      }
      if (const Json* integration = operation->find("x-amazon-apigateway-integration")) {
        method.method_integration = read_integration(*integration, *resource.id);
        TRY(check_integration(*method.method_integration));
      }
      TRY(check_authorization(api, method));
      if (!resource.resource_methods) resource.resource_methods.emplace();
      resource.resource_methods->insert_or_assign(verb, std::move(method));
    }
  }
  return {};
}

}  // namespace reef::service::apigateway
