// AWS::Serverless::Api and AWS::Serverless::HttpApi.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"
#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

// Logical id of the stage: the name when it can be part of one, otherwise its hash.
std::string stage_id(const std::string& api, const Json& stage_name) {
  const std::string& name = stage_name.as_string();
  if (is_alphanumeric(name)) return api + name + "Stage";
  if (name == "$default") return api + "ApiGatewayDefaultStage";
  return name.empty() ? api + "Stage" : hashed_text_id(api + "Stage", name);
}

Reply<void> check_definition(const std::string& id, const Json& in) {
  if (in.contains("DefinitionBody") && in.contains("DefinitionUri"))
    return Err(invalid_resource(id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both."));
  return {};
}

// The routes that functions added, in the order of their adding.
Json take_paths(const Json& in) { return in["__Paths"].is_object() ? in["__Paths"] : Json::object(); }

// Methods of one path, "ANY" as all of them, for Access-Control-Allow-Methods.
std::string allowed_methods(const Json& path) {
  std::set<std::string> methods{"OPTIONS"};
  for (const auto& [name, operation] : path.as_object()) {
    if (name == "x-amazon-apigateway-any-method") methods = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    else if (name != "parameters") methods.insert(to_upper(name));
  }
  return fmt::format("'{}'", fmt::join(methods, ","));
}

Json options_method(const Json& origin, const Json& headers, const Json& methods, const Json& max_age, const Json& credentials) {
  Json parameters = Json::object(), response_headers = Json::object();
  const auto header = [&](std::string_view name, const Json& value) {
    if (value.is_null()) return;
    parameters.set(fmt::format("method.response.header.{}", name), value);
    response_headers.set(name, Json::object({{"type", name == "Access-Control-Max-Age" ? "integer" : "string"}}));
  };
  header("Access-Control-Allow-Headers", headers);
  header("Access-Control-Allow-Methods", methods);
  header("Access-Control-Allow-Origin", origin);
  header("Access-Control-Max-Age", max_age);
  if (credentials.scalar_text() == "true") header("Access-Control-Allow-Credentials", "'true'");
  const Json reply = Json::object({{"statusCode", "200"}, {"responseParameters", parameters}, {"responseTemplates", Json::object({{"application/json", "{}\n"}})}});
  return Json::object({{"summary", "CORS support"},
                       {"consumes", Json::array({"application/json"})},
                       {"produces", Json::array({"application/json"})},
                       {"x-amazon-apigateway-integration",
                        Json::object({{"type", "mock"},
                                      {"requestTemplates", Json::object({{"application/json", "{\n  \"statusCode\" : 200\n}\n"}})},
                                      {"responses", Json::object({{"default", reply}})}})},
                       {"responses", Json::object({{"200", Json::object({{"description", "Default response for CORS method"}, {"headers", response_headers}})}})}});
}

Reply<void> add_rest_cors(const std::string& id, const Json& cors, Json& body) {
  if (is_empty(cors)) return {};
  const bool is_origin = cors.is_string() || !intrinsic_of(cors).empty();
  if (!is_origin && !cors.is_object()) return Err(invalid_resource(id, "Invalid value for 'Cors' property"));
  if (!is_origin)
    for (const auto& [name, value] : cors.as_object())
      if (name != "AllowMethods" && name != "AllowHeaders" && name != "AllowOrigin" && name != "MaxAge" && name != "AllowCredentials")
        return Err(invalid_resource(id, fmt::format("Invalid key '{}' for 'Cors' property.", name)));
  const Json origin = is_origin ? cors : cors.contains("AllowOrigin") ? cors["AllowOrigin"] : Json("'*'");
  if (!is_definition(body)) return Err(invalid_resource(id, "Unable to add Cors configuration because 'DefinitionBody' does not contain a valid Swagger definition."));
  if (!is_origin && is_true(cors["AllowCredentials"]) && origin.as_string() == "'*'")
    return Err(invalid_resource(id, "Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set"));
  std::set<std::string> done;
  for (auto& [path, item] : body.find("paths")->members()) {
    std::string normalized = path;
    while (normalized.size() > 1 && normalized.ends_with('/')) normalized.pop_back();
    if (!done.insert(normalized).second) continue;
    for (Json* operations : contents_of(item)) {
      if (!operations->is_object() || operations->contains("options")) continue;
      const Json methods = !is_origin && !is_empty(cors["AllowMethods"]) ? cors["AllowMethods"] : Json(allowed_methods(*operations));
      operations->set("options", options_method(origin, is_origin ? Json() : cors["AllowHeaders"], methods, is_origin ? Json() : cors["MaxAge"],
                                                is_origin ? Json() : cors["AllowCredentials"]));
    }
  }
  return {};
}

// "~1" stands for "/" wherever it is.
Json with_slashes(const Json& value) {
  if (value.is_string()) return replace_all(value.as_string(), "~1", "/");
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& each : value.as_array()) out.push_back(with_slashes(each));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, each] : value.as_object()) out.set(name, with_slashes(each));
  return out;
}

// {"AllowOrigins": ...} as {"allowOrigins": ...}, inside of conditions, too.
Json with_lower_members(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& each : value.as_array()) out.push_back(with_lower_members(each));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, each] : value.as_object()) {
    const bool is_cors = name.starts_with("Allow") || name.starts_with("Expose") || name == "MaxAge";
    out.set(is_cors ? to_lower(name.substr(0, 1)) + name.substr(1) : name, with_lower_members(each));
  }
  return out;
}

void disable_endpoint(const Json& value, Json& body) {
  const auto set_in = [&](Json& at) { object_at(at, "x-amazon-apigateway-endpoint-configuration").set("disableExecuteApiEndpoint", value); };
  if (!is_openapi3(body)) return set_in(body);
  if (!body["servers"].is_array() || body["servers"].size() == 0) body.set("servers", Json::array({Json::object()}));
  for (Json& server : body.find("servers")->elements()) set_in(server);
}

Reply<void> set_endpoint(const std::string& id, const Json& endpoint, Json& out) {
  if (endpoint.is_null()) return {};
  const bool is_detailed = endpoint.is_object() && !is_empty(endpoint["Type"]);
  const Json& type = is_detailed ? endpoint["Type"] : endpoint;
  Json configuration = Json::object({{"Types", Json::array({type})}});
  if (is_detailed) {
    if (endpoint.contains("VPCEndpointIds") && endpoint.contains("VpcEndpointIds"))
      return Err(invalid_resource(id, "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration."));
    for (const std::string_view name : {"VPCEndpointIds", "VpcEndpointIds"})
      if (endpoint.contains(name)) configuration.set("VpcEndpointIds", endpoint[name]);
    copy_members(endpoint, configuration, {"IpAddressType"});
  }
  out.set("EndpointConfiguration", std::move(configuration));
  out.set("Parameters", Json::object({{"endpointConfigurationTypes", type}}));
  return {};
}

Reply<void> refuse(const std::string& id, std::string_view type, const Json& in, std::initializer_list<const char*> unsupported) {
  for (const char* name : unsupported)
    if (in.contains(name)) return Err(invalid_resource(id, fmt::format("property {} of {} is not supported by this version of Atoll.", name, type)));
  return {};
}

}  // namespace

// The definition with everything that the API's properties add to it.
static Reply<Json> finished_definition(Context& context, const std::string& id, const Json& in) {
  Json body = in["DefinitionBody"];
  TRY(add_rest_cors(id, in["Cors"], body));
  TRY(add_rest_auth(context, id, in["Auth"], in["StageName"], body));
  if (!is_empty(in["Auth"])) finish_openapi3(in["OpenApiVersion"], body);
  TRY(add_gateway_responses(id, in["GatewayResponses"], body));
  if (!is_empty(in["BinaryMediaTypes"])) body.set("x-amazon-apigateway-binary-media-types", with_slashes(in["BinaryMediaTypes"]));
  TRY(add_models(id, in["Models"], body));
  if (!is_empty(in["Models"])) finish_openapi3(in["OpenApiVersion"], body);
  if (in.contains("DisableExecuteApiEndpoint")) disable_endpoint(in["DisableExecuteApiEndpoint"], body);
  finish_openapi3(in["OpenApiVersion"], body);
  return body;
}

Reply<void> expand_rest_api(Context& context, const std::string& id, const Json& given) {
  Json resolved = given;
  for (const std::string_view name : {"BinaryMediaTypes", "Domain", "Auth"})
    if (Json* value = resolved.find("Properties")->find(name)) *value = context.resolved(*value);
  const Json& declaration = resolved;
  const Json& in = declaration["Properties"];
  TRY(refuse(id, "AWS::Serverless::Api", in, {"MergeDefinitions", "CanarySetting", "SecurityPolicy", "EndpointAccessMode"}));
  TRY(check_known(id, "AWS::Serverless::Api", in,
                  {"Name", "StageName", "DefinitionBody", "DefinitionUri", "CacheClusterEnabled", "CacheClusterSize", "Variables", "EndpointConfiguration",
                   "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors", "AccessLogSetting", "TracingEnabled", "OpenApiVersion", "Tags",
                   "PropagateTags", "Description", "FailOnWarnings", "DisableExecuteApiEndpoint", "AlwaysDeploy", "ApiKeySourceType", "Mode", "Auth", "Domain",
                   "GatewayResponses", "Models", "Policy", "__Managed"}));
  TRY(check_definition(id, in));
  if (!in.contains("StageName")) return Err(invalid_resource(id, "Missing required property 'StageName'."));
  const std::string version = in["OpenApiVersion"].scalar_text().value_or("");
  Json out = Json::object();
  Json body, api_location;
  if (in.contains("DefinitionBody")) {
    body = TRY(finished_definition(context, id, in));
    out.set("Body", body);
  } else {
    for (const char* name : {"Cors", "Auth", "GatewayResponses", "Models"})
      if (!is_empty(in[name])) return Err(invalid_resource(id, fmt::format("{} works only with inline Swagger specified in 'DefinitionBody' property.", name)));
    if (in.contains("DisableExecuteApiEndpoint")) return Err(invalid_resource(id, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property."));
    api_location = TRY(s3_location(id, "DefinitionUri", in["DefinitionUri"], "Bucket", "Key", "Version"));
    out.set("BodyS3Location", api_location);
  }
  copy_members(in, out, {"Name", "Description", "FailOnWarnings", "MinimumCompressionSize", "ApiKeySourceType", "Mode", "BinaryMediaTypes", "Policy"});
  TRY(set_endpoint(id, in["EndpointConfiguration"], out));
  Json api = resource("AWS::ApiGateway::RestApi", std::move(out), declaration);
  copy_members(declaration, api, {"DependsOn", "Metadata"});
  context.add(id, std::move(api));

  // A new deployment whenever the definition changes, which is what its hash is for.
  std::string hashed = sorted_dump(body.is_null() ? api_location : body);
  if (!version.empty()) hashed += "||" + version;
  if (in.contains("Domain")) hashed += "||" + sorted_dump(in["Domain"]);
  if (is_true(in["AlwaysDeploy"])) hashed = std::to_string(context.now_seconds);
  const std::string digest = hex_encode(sha1(hashed)), deployment_id = id + "Deployment" + digest.substr(0, 10);
  Json deployment = Json::object({{"Description", "RestApi deployment id: " + digest}, {"RestApiId", ref_to(id)}});
  if (version.empty()) deployment.set("StageName", "Stage");
  context.add(deployment_id, resource("AWS::ApiGateway::Deployment", std::move(deployment), declaration));

  Json stage = Json::object({{"DeploymentId", ref_to(deployment_id)}, {"RestApiId", ref_to(id)}, {"StageName", in["StageName"]}});
  copy_members(in, stage, {"CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings", "AccessLogSetting", "TracingEnabled"});
  if (in.contains("Tags")) stage.set("Tags", tag_list(in["Tags"], ""));
  const std::string stage_logical_id = stage_id(id, in["StageName"]);
  context.add(stage_logical_id, resource("AWS::ApiGateway::Stage", std::move(stage), declaration));
  context.renamed[id + ".Stage"] = stage_logical_id;
  context.renamed[id + ".Deployment"] = deployment_id;
  add_authorizer_permissions(context, id, declaration);
  TRY(add_rest_domain(context, id, declaration));
  return add_usage_plan(context, id, declaration, stage_logical_id);
}

Reply<void> expand_http_api(Context& context, const std::string& id, const Json& declaration) {
  const Json& in = declaration["Properties"];
  TRY(refuse(id, "AWS::Serverless::HttpApi", in, {"Domain"}));
  TRY(check_known(id, "AWS::Serverless::HttpApi", in,
                  {"Auth", "StageName", "DefinitionBody", "DefinitionUri", "AccessLogSettings", "StageVariables", "Tags", "CorsConfiguration", "DefaultRouteSettings",
                   "RouteSettings", "FailOnWarnings", "PropagateTags", "Description", "Name", "DisableExecuteApiEndpoint", "__Paths"}));
  TRY(check_definition(id, in));
  Json out = Json::object();
  if (in.contains("DefinitionUri")) {
    out.set("BodyS3Location", TRY(s3_location(id, "DefinitionUri", in["DefinitionUri"], "Bucket", "Key", "Version")));
  } else {
    Json body = in["DefinitionBody"];
    if (body.is_null()) {
      body = Json::object({{"openapi", "3.0.1"},
                           {"info", Json::object({{"version", "1.0"}, {"title", in.contains("Name") ? in["Name"] : ref_to("AWS::StackName")}})},
                           {"paths", take_paths(in)}});
    } else if (in.contains("Name") && body["info"].is_object()) {
      body.find("info")->set("title", in["Name"]);
    }
    if (in.contains("Description")) {
      if (!body["info"].is_object()) body.set("info", Json::object());
      body.find("info")->set("description", in["Description"]);
    }
    const bool is_known = is_definition(body);
    Json tags = Json::array({Json::object({{"name", "httpapi:createdBy"}, {"x-amazon-apigateway-tag-value", "SAM"}})});
    for (const auto& [key, value] : in["Tags"].as_object()) tags.push_back(Json::object({{"name", key}, {"x-amazon-apigateway-tag-value", value}}));
    if (is_known) body.set("tags", std::move(tags));
    if (const Json cors = context.resolved(in["CorsConfiguration"]); cors.is_bool() && cors.as_bool()) {
      body.set("x-amazon-apigateway-cors", Json::object({{"allowOrigins", Json::array({"*"})}}));
    } else if (!cors.is_null() && !cors.is_bool()) {
      Json configuration = Json::object();
      if (!intrinsic_of(cors).empty()) configuration.set("allowOrigins", cors);
      static constexpr std::pair<const char*, const char*> kNames[] = {{"AllowOrigins", "allowOrigins"}, {"AllowMethods", "allowMethods"},
                                                                       {"AllowHeaders", "allowHeaders"}, {"ExposeHeaders", "exposeHeaders"},
                                                                       {"MaxAge", "maxAge"}, {"AllowCredentials", "allowCredentials"}};
      for (const auto& [theirs, ours] : kNames)
        if (cors.contains(theirs)) configuration.set(ours, cors[theirs]);
      if (intrinsic_of(cors).empty())
        for (const auto& [name, value] : cors.as_object())
          if (std::none_of(std::begin(kNames), std::end(kNames), [&](const auto& known) { return name == known.first; }))
            return Err(invalid_resource(id, fmt::format("Invalid key '{}' for 'Cors' property.", name)));
      body.set("x-amazon-apigateway-cors", intrinsic_of(cors) == "Fn::If" ? with_lower_members(cors) : std::move(configuration));
    }
    if (in.contains("DisableExecuteApiEndpoint"))
      body.set("x-amazon-apigateway-endpoint-configuration", Json::object({{"disableExecuteApiEndpoint", in["DisableExecuteApiEndpoint"]}}));
    TRY(add_http_auth(context, id, context.resolved(in["Auth"]), body));
    // A path that does not begin with "/" is a warning.
    if (Json* paths = body.find("paths"); paths && !is_empty(in["FailOnWarnings"]) && paths->contains("$default")) {
      paths->set("/$default", Json((*paths)["$default"]));
      paths->erase("$default");
    }
    out.set("Body", std::move(body));
  }
  copy_members(in, out, {"FailOnWarnings"});
  Json api = resource("AWS::ApiGatewayV2::Api", std::move(out), declaration);
  copy_members(declaration, api, {"DependsOn", "Metadata"});
  context.add(id, std::move(api));

  const Json stage_name = in.contains("StageName") ? in["StageName"] : Json("$default");
  Json tags = Json::object({{"httpapi:createdBy", "SAM"}});
  for (const auto& [key, value] : in["Tags"].as_object()) tags.set(key, value);
  Json stage = Json::object({{"ApiId", ref_to(id)}, {"AutoDeploy", true}, {"StageName", stage_name}});
  if (is_definition(context.resources()[id]["Properties"]["Body"]) || in.contains("Tags")) stage.set("Tags", tags);
  copy_members(in, stage, {"StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"});
  for (const auto& [name, authorizer] : context.resolved(in["Auth"])["Authorizers"].as_object())
    if (!is_empty(authorizer["FunctionArn"]) && !is_empty(authorizer["EnableFunctionDefaultPermissions"]))
      context.add(id + name + "AuthorizerPermission",
                  resource("AWS::Lambda::Permission",
                           Json::object({{"Action", "lambda:InvokeFunction"}, {"FunctionName", authorizer["FunctionArn"]}, {"Principal", "apigateway.amazonaws.com"},
                                         {"SourceArn", sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*", Json::object({{"__ApiId__", ref_to(id)}}))}}),
                           declaration));
  const std::string stage_logical_id = stage_id(id, stage_name);
  context.add(stage_logical_id, resource("AWS::ApiGatewayV2::Stage", std::move(stage), declaration));
  context.renamed[id + ".Stage"] = stage_logical_id;
  return {};
}

}  // namespace reef::cloudformation::sam
