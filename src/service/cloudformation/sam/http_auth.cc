// The Auth of AWS::Serverless::HttpApi: authorizers as security schemes of its definition, and who guards which route.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapiauth.html
#include <algorithm>

#include <fmt/format.h>

#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

// What a function's answer depends on.
Json identity_sources(const Json& identity) {
  Json out = Json::array();
  for (const auto& [member, prefix] : {std::pair("Headers", "$request.header."), std::pair("QueryStrings", "$request.querystring."), std::pair("StageVariables", "$stageVariables."), std::pair("Context", "$context.")})
    for (const Json& name : identity[member].as_array()) out.push_back(prefix + name.as_string());
  return out;
}

Reply<Json> scheme_of(const Context& context, const std::string& id, const std::string& name, const Json& in) {
  const auto wrong = [&](std::string_view text) { return Err(invalid_resource(id, fmt::format("{} Authorizer must {}", name, text))); };
  for (const auto& [member, value] : in.as_object()) {
    static constexpr std::string_view kKnown[] = {"AuthorizationScopes", "IdentitySource", "JwtConfiguration", "FunctionArn", "FunctionInvokeRole", "Identity", "AuthorizerPayloadFormatVersion",
                                                  "EnableSimpleResponses", "EnableFunctionDefaultPermissions"};
    if (std::find(std::begin(kKnown), std::end(kKnown), member) == std::end(kKnown)) return Err(invalid_resource(id, fmt::format("property {} of an authorizer is not supported by this version of Atoll.", member)));
  }
  if (in.contains("JwtConfiguration")) {
    if (!in.contains("IdentitySource")) return wrong("define 'IdentitySource' for OAuth2 Authorizer.");
    const Json& given = in["JwtConfiguration"];
    const Json configuration = Json::object({{"issuer", given.contains("issuer") ? given["issuer"] : given["Issuer"]}, {"audience", given.contains("audience") ? given["audience"] : given["Audience"]}});
    return Json::object({{"type", "oauth2"}, {"x-amazon-apigateway-authorizer", Json::object({{"type", "jwt"}, {"identitySource", in["IdentitySource"]}, {"jwtConfiguration", configuration}})}});
  }
  if (!in.contains("FunctionArn")) return wrong("define 'JwtConfiguration' or 'FunctionArn'.");
  if (!in.contains("AuthorizerPayloadFormatVersion")) return wrong("define 'AuthorizerPayloadFormatVersion' for Lambda Authorizer.");
  Json authorizer = Json::object({{"type", "request"},
                                  {"authorizerUri", sub(fmt::format("arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{__FunctionArn__}}/invocations", context.partition()),
                                                        Json::object({{"__FunctionArn__", in["FunctionArn"]}}))},
                                  {"authorizerPayloadFormatVersion", in["AuthorizerPayloadFormatVersion"]}});
  if (!is_empty(in["Identity"])) authorizer.set("identitySource", identity_sources(in["Identity"]));
  if (in["Identity"].contains("ReauthorizeEvery")) authorizer.set("authorizerResultTtlInSeconds", in["Identity"]["ReauthorizeEvery"]);
  if (!is_empty(in["EnableSimpleResponses"])) authorizer.set("enableSimpleResponses", in["EnableSimpleResponses"]);
  if (!is_empty(in["FunctionInvokeRole"]) && in.text("FunctionInvokeRole") != "NONE") authorizer.set("authorizerCredentials", in["FunctionInvokeRole"]);
  return Json::object({{"type", "apiKey"}, {"name", "Unused"}, {"in", "header"}, {"x-amazon-apigateway-authorizer", std::move(authorizer)}});
}

}  // namespace

Reply<void> add_http_auth(Context& context, const std::string& id, const Json& auth, Json& body) {
  if (auth.is_null()) return {};
  const bool has_iam = auth["EnableIamAuthorizer"].scalar_text() == "true";
  Json schemes = body["components"]["securitySchemes"].is_object() ? body["components"]["securitySchemes"] : Json::object();
  for (const auto& [name, authorizer] : auth["Authorizers"].as_object()) schemes.set(name, TRY(scheme_of(context, id, name, authorizer)));
  if (has_iam) schemes.set("AWS_IAM", Json::object({{"type", "apiKey"}, {"name", "Authorization"}, {"in", "header"}, {"x-amazon-apigateway-authtype", "awsSigv4"}}));
  const std::string& fallback = auth.text("DefaultAuthorizer");
  if (!fallback.empty() && !auth["Authorizers"].contains(fallback) && !(has_iam && fallback == "AWS_IAM"))
    return Err(invalid_resource(id, fmt::format("Unable to set DefaultAuthorizer because '{}' was not defined in 'Authorizers'.", fallback)));
  if (body["paths"].is_object())
    for (auto& [path, operations] : body.find("paths")->members()) {
      for (const MethodAt& at : methods_of(operations)) {
        const std::string& method = at.name;
        Json& operation = *at.definition;
        if (method == "options") continue;
        if (!operation.contains("security") && !fallback.empty()) operation.set("security", Json::array({Json::object({{fallback, auth["Authorizers"][fallback]["AuthorizationScopes"].is_array() ? auth["Authorizers"][fallback]["AuthorizationScopes"] : Json::array()}})}));
        // A route that names an authorizer without scopes of its own gets the authorizer's.
        if (!operation["security"].is_array() || operation["security"].size() == 0) continue;
        Json security = Json::array();
        for (const Json& one : operation["security"].as_array()) {
          Json out = Json::object();
          for (const auto& [name, scopes] : one.as_object()) {
            if (name == "NONE") {  // nobody guards it
              out.set(name, scopes);
              continue;
            }
            if (!schemes.contains(name)) return Err(invalid_resource(id, fmt::format("Unable to set Authorizer on API method [{}] for path [{}] because '{}' was not defined in the API's Authorizers.", method, path, name)));
            const Json& own = auth["Authorizers"][name]["AuthorizationScopes"];
            out.set(name, scopes.size() == 0 && own.is_array() ? own : scopes);
          }
          security.push_back(std::move(out));
        }
        operation.set("security", std::move(security));
      }
    }
  if (schemes.size() == 0) return {};
  if (!body["components"].is_object()) body.set("components", Json::object());
  body.find("components")->set("securitySchemes", std::move(schemes));
  return {};
}

}  // namespace reef::cloudformation::sam
