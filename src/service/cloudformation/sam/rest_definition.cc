// Models, request validation and gateway responses of AWS::Serverless::Api, in the API's definition.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

constexpr std::string_view kValidators = "x-amazon-apigateway-request-validators", kValidator = "x-amazon-apigateway-request-validator";

// OpenAPI 3 has the schemas and security schemes among its components.
void move_to_components(Json& body, std::string_view from, std::string_view to) {
  if (is_empty(body[from])) return;
  object_at(body, "components").set(to, body[from]);
  body.erase(from);
}

void finish_preflight(Json& options) {
  if (!options.is_object()) return;
  options.erase("produces");
  options.erase("consumes");
  Json* responses = options.find("responses");
  Json* ok = responses ? responses->find("200") : nullptr;
  Json* headers = ok ? ok->find("headers") : nullptr;
  if (!headers || !headers->is_object()) return;
  for (auto& [name, header] : headers->members())
    header = Json::object({{"schema", Json(header)}});
}

}  // namespace

Reply<void> add_models(const std::string& id, const Json& models, Json& body) {
  if (is_empty(models)) return {};
  if (!is_definition(body)) return Err(invalid_resource(id, "Unable to add Models definitions because 'DefinitionBody' does not contain a valid Swagger definition."));
  Json& definitions = object_at(body, "definitions");
  for (const auto& [name, schema] : models.as_object()) {
    if (!schema.is_object()) return Err(invalid_resource(id, "Invalid value for 'Models' property"));
    if (is_empty(schema["type"])) return Err(invalid_resource(id, "'Models' schema is missing 'type'."));
    definitions.set(to_lower(name), schema);
  }
  return {};
}

Reply<void> add_request_model(const Json& request_model, const Json& models, const std::string& path, const std::string& method, Json& body,
                              const std::function<aws::Error(std::string)>& wrong) {
  if (is_empty(request_model)) return {};
  if (!request_model.is_object()) return Err(wrong("Property 'RequestModel' should be a map."));
  const std::string name = request_model.text("Model");
  if (name.empty()) return {};
  const std::string about = fmt::format("Unable to set RequestModel [{}] on API method [{}] for path [{}] because ", name, to_lower(method), path);
  if (is_empty(models)) return Err(wrong(about + "the related API does not define any Models."));
  if (!models.is_object()) return Err(wrong(about + "the related API Models defined is of invalid type."));
  if (is_empty(models[name])) return Err(wrong(about + "it wasn't defined in the API's Models."));
  const std::string shown = to_lower(name);
  const Json& in_body = request_model["ValidateBody"];
  const Json& in_parameters = request_model["ValidateParameters"];
  const bool has_validator = !in_body.is_null() || !in_parameters.is_null();
  for (const Json* each : {&in_body, &in_parameters})
    if (!each->is_null() && !each->is_bool())
      return Err(wrong(fmt::format("Unable to set Validator to RequestModel [{}] on API method [{}] for path [{}] ValidateBody and ValidateParameters must be a boolean type, strings or intrinsics are not supported.", name, to_lower(method), path)));
  const bool checks_body = in_body.is_bool() && in_body.as_bool(), checks_parameters = in_parameters.is_bool() && in_parameters.as_bool();
  const char* validator = checks_body ? checks_parameters ? "body-and-params" : "body-only" : checks_parameters ? "params-only" : "no-validation";
  if (has_validator && !body[kValidators].contains(validator))
    object_at(body, kValidators).set(validator, Json::object({{"validateRequestBody", checks_body}, {"validateRequestParameters", checks_parameters}}));
  for (Json* definition : definitions_of(body, path, method)) {
    if (is_openapi3(body)) {
      Json content = Json::object({{"content", Json::object({{"application/json", Json::object({{"schema", Json::object({{"$ref", "#/components/schemas/" + shown}})}})}})}});
      if (!request_model["Required"].is_null()) content.set("required", request_model["Required"]);
      definition->set("requestBody", std::move(content));
    } else {
      Json parameter = Json::object({{"in", "body"}, {"name", shown}, {"schema", Json::object({{"$ref", "#/definitions/" + shown}})}});
      if (!request_model["Required"].is_null()) parameter.set("required", request_model["Required"]);
      Json parameters = (*definition)["parameters"].is_array() ? (*definition)["parameters"] : Json::array();
      parameters.push_back(std::move(parameter));
      definition->set("parameters", std::move(parameters));
    }
    if (has_validator) definition->set(kValidator, validator);
  }
  return {};
}

Reply<void> add_request_parameters(const Json& given, const std::string& path, const std::string& method, Json& body,
                                   const std::function<aws::Error(std::string)>& wrong) {
  if (is_empty(given)) return {};
  const std::string about = "Invalid value for 'RequestParameters' property. ";
  Json parameters = Json::array(), cached = Json::array();
  for (const Json& each : given.as_array()) {
    if (!each.is_string() && !each.is_object()) return Err(wrong(about + "Property must be either a string or an object"));
    const std::string name = each.is_string() ? each.as_string() : each.size() > 0 ? each.as_object().front().first : "";
    const Json settings = each.is_object() && each.size() > 0 ? each.as_object().front().second : Json::object();
    constexpr std::string_view kRequest = "method.request.";
    const std::size_t dot = name.find('.', kRequest.size());
    const std::string where = name.starts_with(kRequest) && dot != std::string::npos ? name.substr(kRequest.size(), dot - kRequest.size()) : "";
    if (where != "querystring" && where != "path" && where != "header")
      return Err(wrong(about + "Keys must be in the format 'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'."));
    const bool is_known = settings.is_object() && std::all_of(settings.as_object().begin(), settings.as_object().end(), [](const auto& member) { return member.first == "Required" || member.first == "Caching"; });
    if (!is_known) return Err(wrong(about + "Values must be an object, e.g { Required: true, Caching: false }"));
    parameters.push_back(Json::object({{"in", where == "querystring" ? "query" : where}, {"name", name.substr(dot + 1)},
                                       {"required", settings.contains("Required") ? settings["Required"] : Json(false)}, {"type", "string"}}));
    if (!is_empty(settings["Caching"])) cached.push_back(name);
  }
  for (Json* definition : definitions_of(body, path, method)) {
    Json all = (*definition)["parameters"].is_array() ? (*definition)["parameters"] : Json::array();
    for (const Json& each : parameters.as_array()) all.push_back(each);
    definition->set("parameters", std::move(all));
    if (cached.size() > 0) definition->find(kIntegration)->set("cacheKeyParameters", cached);
  }
  return {};
}

Reply<void> add_gateway_responses(const std::string& id, const Json& responses, Json& body) {
  if (is_empty(responses)) return {};
  if (!is_definition(body)) return Err(invalid_resource(id, "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition."));
  for (const auto& [type, response] : responses.as_object()) {
    if (!intrinsic_of(response).empty()) return Err(invalid_resource(id, "Unable to set GatewayResponses attribute because intrinsic functions are not supported for this field."));
    if (!response.is_object()) return Err(invalid_resource(id, "Invalid property type for GatewayResponses. Expected an object of type 'GatewayResponse'."));
    for (const auto& [name, value] : response.as_object())
      if (name != "ResponseParameters" && name != "ResponseTemplates" && name != "StatusCode")
        return Err(invalid_resource(id, fmt::format("Invalid property '{}' in 'GatewayResponses' property '{}'.", name, type)));
    Json parameters = Json::object();
    for (const auto& [kind, values] : response["ResponseParameters"].as_object()) {
      const char* prefix = kind == "Headers" ? "header." : kind == "Paths" ? "path." : kind == "QueryStrings" ? "querystring." : nullptr;
      if (!prefix) return Err(invalid_resource(id, fmt::format("Invalid gateway response parameter '{}'", kind)));
      for (const auto& [name, value] : values.as_object()) parameters.set(fmt::format("gatewayresponse.{}{}", prefix, name), value);
    }
    Json out = Json::object({{"responseParameters", std::move(parameters)}, {"responseTemplates", response["ResponseTemplates"].is_object() ? response["ResponseTemplates"] : Json::object()}});
    if (const auto status = response["StatusCode"].scalar_text(); status && !status->empty()) {
      if (status->size() > 3 || !std::all_of(status->begin(), status->end(), [](char c) { return c >= '0' && c <= '9'; })) return Err(invalid_resource(id, "Property 'StatusCode' must be numeric"));
      out.set("statusCode", *status);
    }
    object_at(body, "x-amazon-apigateway-gateway-responses").set(type, std::move(out));
  }
  return {};
}

void finish_openapi3(const Json& version, Json& body) {
  if (!is_empty(body["swagger"])) return;
  const std::string normalized = is_empty(version) ? body["openapi"].scalar_text().value_or("") : version.scalar_text().value_or("");
  if (!normalized.starts_with("3.")) return;
  move_to_components(body, "securityDefinitions", "securitySchemes");
  move_to_components(body, "definitions", "schemas");
  if (Json* paths = body.find("paths"); paths && paths->is_object())
    for (auto& [path, item] : paths->members())
      if (item.is_object() && item.contains("options")) finish_preflight(*item.find("options"));
}

}  // namespace reef::cloudformation::sam
