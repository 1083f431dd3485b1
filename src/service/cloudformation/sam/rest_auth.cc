// Auth of AWS::Serverless::Api: who may use which method, said in the API's definition.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

constexpr std::string_view kAuthorizer = "x-amazon-apigateway-authorizer", kAuthType = "x-amazon-apigateway-authtype";

Json security_definition(std::string_view header, std::string_view auth_type) {
  Json out = Json::object({{"type", "apiKey"}, {"name", header}, {"in", "header"}});
  if (!auth_type.empty()) out.set(kAuthType, auth_type);
  return out;
}

void add_definition_once(Json& body, std::string_view name, Json definition) {
  Json& all = object_at(body, "securityDefinitions");
  if (!all.contains(name)) all.set(name, std::move(definition));
}
void add_iam_definition(Json& body) { add_definition_once(body, "AWS_IAM", security_definition("Authorization", "awsSigv4")); }
void add_key_definition(Json& body) { add_definition_once(body, "api_key", security_definition("x-api-key", "")); }

// "method.request.header.X, stageVariables.Y" of an Identity.
std::string identity_source(const Json& identity) {
  static constexpr std::pair<const char*, const char*> kKinds[] = {{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."},
                                                                   {"StageVariables", "stageVariables."}, {"Context", "context."}};
  std::string out;
  for (const auto& [kind, prefix] : kKinds)
    for (const Json& each : identity[kind].as_array()) out += fmt::format("{}{}{}", out.empty() ? "" : ", ", prefix, each.as_string());
  return out;
}

Reply<Json> authorizer_definition(const Context& context, const std::string& id, const std::string& name, const Json& in) {
  if (!in.is_object()) return Err(invalid_resource(id, fmt::format("Property 'Auth.Authorizers.{}' should be a map.", name)));
  const Json& identity = in["Identity"];
  if (!identity.is_null() && !identity.is_object())
    return Err(invalid_resource(id, "Auth.Authorizers.<Authorizer>.Identity must be a dict (LambdaTokenAuthorizationIdentity, LambdaRequestAuthorizationIdentity or CognitoAuthorizationIdentity)."));
  const std::string payload = in.contains("FunctionPayloadType") ? in.text("FunctionPayloadType") : "TOKEN";
  if (payload != "TOKEN" && payload != "REQUEST")
    return Err(invalid_resource(id, fmt::format("{} Authorizer has invalid 'FunctionPayloadType': {}.", name, payload)));
  if (payload == "REQUEST" && identity_source(identity).empty() && identity["ReauthorizeEvery"].scalar_text() != "0")
    return Err(invalid_resource(id, fmt::format("{} Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context.", name)));
  if (!in["AuthorizationScopes"].is_null() && !in["AuthorizationScopes"].is_array())
    return Err(invalid_resource(id, fmt::format("Property 'Authorizers.{}.AuthorizationScopes' should be a list.", name)));
  const std::string header = identity.text("Header").empty() ? "Authorization" : identity.text("Header");
  Json authorizer = Json::object();
  if (!is_empty(in["UserPoolArn"])) {
    authorizer.set("type", "cognito_user_pools");
    authorizer.set("providerARNs", in["UserPoolArn"].is_array() ? in["UserPoolArn"] : Json::array({in["UserPoolArn"]}));
    if (!is_empty(identity["ValidationExpression"])) authorizer.set("identityValidationExpression", identity["ValidationExpression"]);
    Json out = security_definition(header, "cognito_user_pools");
    out.set(kAuthorizer, std::move(authorizer));
    return out;
  }
  authorizer.set("type", to_lower(payload));
  authorizer.set("authorizerUri", sub(fmt::format("arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{__FunctionArn__}}/invocations", context.partition()),
                                      Json::object({{"__FunctionArn__", in["FunctionArn"]}})));
  if (!identity["ReauthorizeEvery"].is_null()) authorizer.set("authorizerResultTtlInSeconds", identity["ReauthorizeEvery"]);
  if (!is_empty(in["FunctionInvokeRole"]) && in.text("FunctionInvokeRole") != "NONE") authorizer.set("authorizerCredentials", in["FunctionInvokeRole"]);
  if (payload == "REQUEST") {
    if (const std::string source = identity_source(identity); !source.empty()) authorizer.set("identitySource", source);
  } else if (!is_empty(identity["ValidationExpression"])) {
    authorizer.set("identityValidationExpression", identity["ValidationExpression"]);
  }
  Json out = security_definition(payload == "REQUEST" ? "Unused" : header, "custom");
  out.set(kAuthorizer, std::move(authorizer));
  return out;
}

Json scopes_of(const Json& authorizers, std::string_view name) {
  const Json& scopes = authorizers[name]["AuthorizationScopes"];
  return scopes.is_array() ? scopes : Json::array();
}

bool names_any(const Json& requirement, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return requirement.contains(name); });
}

// The default authorizer for every method that names none; "NONE" asks for nobody.
void set_default_authorizer(Json& body, const Json& authorizers, const std::string& fallback, bool with_preflight) {
  std::vector<std::string> names{"AWS_IAM"};
  for (const auto& [name, authorizer] : authorizers.as_object()) names.push_back(name);
  bool uses_iam = false;
  for (auto& [path, item] : body.find("paths")->members())
    for (const MethodAt& method : methods_of(item)) {
      if (method.name == "options" && !with_preflight) continue;
      Json others = Json::array(), chosen = Json::array();
      bool is_none = false;
      for (const Json& requirement : (*method.definition)["security"].as_array()) {
        if (names_any(requirement, names)) chosen.push_back(requirement);
        else if (requirement.contains("NONE") && !is_none) is_none = true;
        else others.push_back(requirement);
      }
      if (is_none) chosen = Json::array();
      else if (chosen.size() == 0) chosen.push_back(Json::object({{fallback, scopes_of(authorizers, fallback)}}));
      for (const Json& requirement : chosen.as_array()) others.push_back(requirement);
      // As SAM does it: a method whose only requirement was NONE keeps saying so.
      if (others.size() == 0) continue;
      uses_iam = uses_iam || others.at(0).contains("AWS_IAM");
      method.definition->set("security", std::move(others));
    }
  if (uses_iam) add_iam_definition(body);
}

void set_key_required(Json& body, bool with_preflight) {
  for (auto& [path, item] : body.find("paths")->members())
    for (const MethodAt& method : methods_of(item)) {
      Json out = Json::array();
      bool is_refused = false;
      for (const Json& requirement : (*method.definition)["security"].as_array()) {
        is_refused = is_refused || requirement.contains("api_key_false");
        if (!requirement.contains("api_key") && !requirement.contains("api_key_false")) out.push_back(requirement);
      }
      if (!is_refused && (method.name != "options" || with_preflight)) out.push_back(Json::object({{"api_key", Json::array()}}));
      if (out != (*method.definition)["security"] && (out.size() > 0 || method.definition->contains("security"))) method.definition->set("security", std::move(out));
    }
}

// --- resource policies -----------------------------------------------------------------------------------------------------

void append_statement(Json& body, Json statement, bool is_once) {
  Json& policy = object_at(body, "x-amazon-apigateway-policy");
  policy.set("Version", "2012-10-17");
  Json all = policy["Statement"].is_array() ? policy["Statement"] : Json::array();
  if (!policy["Statement"].is_null() && !policy["Statement"].is_array()) all.push_back(policy["Statement"]);
  if (is_once && std::find(all.as_array().begin(), all.as_array().end(), statement) != all.as_array().end()) return;
  // One statement about accounts stands alone until another comes.
  const bool is_first = policy["Statement"].is_null() && !is_once;
  all.push_back(statement);
  policy.set("Statement", is_first ? std::move(statement) : std::move(all));
}

Json invoke_statement(std::string_view effect, Json principal, const Json& resources, Json condition) {
  Json out = Json::object({{"Effect", effect}, {"Action", "execute-api:Invoke"}, {"Resource", resources}, {"Principal", std::move(principal)}});
  if (!condition.is_null()) out.set("Condition", std::move(condition));
  return out;
}

void allow_but(Json& body, const Json& resources, std::string_view operation, Json values) {
  append_statement(body, invoke_statement("Allow", "*", resources, {}), true);
  append_statement(body, invoke_statement("Deny", "*", resources, Json::object({{std::string(operation), std::move(values)}})), true);
}

// "execute-api:/${__Stage__}/GET/a/*" for each method at the path.
Json policy_resources(Json& body, const std::string& path, const Json& stage) {
  std::string shown;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t end = path[i] == '{' ? path.find('}', i) : std::string::npos;
    shown += end == std::string::npos ? path[i] : '*';
    if (end != std::string::npos) i = end;
  }
  Json out = Json::array();
  for (Json* item : contents_of(*body.find("paths")->find(path)))
    for (const auto& [name, method] : item->as_object()) {
      const std::string verb = name == kAnyMethod || to_lower(name) == "any" ? "*" : to_upper(name);
      out.push_back(sub(fmt::format("execute-api:/${{__Stage__}}/{}{}", verb, shown), Json::object({{"__Stage__", stage}})));
    }
  return out;
}

Reply<void> add_endpoint_statements(Json& body, const Json& policy, const Json& resources, bool is_allowed, const std::function<aws::Error(std::string)>& wrong) {
  const std::string end = is_allowed ? "Whitelist" : "Blacklist";
  Json condition = Json::object();
  const auto append = [&](std::string_view key, const Json& value) {
    if (!condition.contains(key)) condition.set(key, Json::array());
    condition.find(key)->push_back(value);
  };
  for (const Json& each : policy["SourceVpc" + end].as_array()) {
    if (!each.is_string()) return Err(wrong(fmt::format("SourceVpc{0} must be a list of strings. Use IntrinsicVpc{0} instead for values that use Intrinsic Functions", end)));
    if (each.as_string().starts_with("vpc-")) append("aws:SourceVpc", each);
    if (each.as_string().starts_with("vpce-")) append("aws:SourceVpce", each);
  }
  for (const Json& each : policy["IntrinsicVpc" + end].as_array()) append("aws:SourceVpc", each);
  for (const Json& each : policy["IntrinsicVpce" + end].as_array()) append("aws:SourceVpce", each);
  if (condition.size() > 0) allow_but(body, resources, is_allowed ? "StringNotEquals" : "StringEquals", std::move(condition));
  return {};
}

Reply<void> add_path_policy(Json& body, const Json& policy, const std::string& path, const Json& stage, const std::function<aws::Error(std::string)>& wrong) {
  const Json resources = policy_resources(body, path, stage);
  const auto list = [](const Json& value) { return value.is_array() ? value : Json::array({value}); };
  for (const auto& [name, effect] : {std::pair{"AwsAccountWhitelist", "Allow"}, std::pair{"AwsAccountBlacklist", "Deny"}})
    if (!is_empty(policy[name])) append_statement(body, invoke_statement(effect, Json::object({{"AWS", list(policy[name])}}), resources, {}), false);
  for (const auto& [name, operation] : {std::pair{"IpRangeWhitelist", "NotIpAddress"}, std::pair{"IpRangeBlacklist", "IpAddress"}})
    if (!is_empty(policy[name])) allow_but(body, resources, operation, Json::object({{"aws:SourceIp", list(policy[name])}}));
  TRY(add_endpoint_statements(body, policy, resources, false, wrong));
  TRY(add_endpoint_statements(body, policy, resources, true, wrong));
  if (!body.contains("x-amazon-apigateway-policy")) body.set("x-amazon-apigateway-policy", Json::object());
  return {};
}

void add_custom_statements(Json& body, const Json& statements) {
  if (is_empty(statements)) return;
  Json& policy = object_at(body, "x-amazon-apigateway-policy");
  if (policy["Statement"].is_null()) {
    policy.set("Version", "2012-10-17");
    policy.set("Statement", statements);
    return;
  }
  for (const Json& each : (statements.is_array() ? statements : Json::array({statements})).as_array()) append_statement(body, each, true);
}

}  // namespace

Reply<void> add_rest_auth(Context& context, const std::string& id, const Json& auth, const Json& stage_name, Json& body) {
  if (is_empty(auth)) return {};
  static constexpr std::string_view kKnown[] = {"Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight",
                                                "AddApiKeyRequiredToCorsPreflight", "ApiKeyRequired", "ResourcePolicy", "UsagePlan"};
  for (const auto& [name, value] : auth.as_object())
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) return Err(invalid_resource(id, "Invalid value for 'Auth' property"));
  if (!is_definition(body)) return Err(invalid_resource(id, "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition."));
  const Json& fallback = auth["DefaultAuthorizer"];
  if (!is_empty(fallback) && !fallback.is_string()) return Err(invalid_resource(id, "DefaultAuthorizer is not a string."));
  if (fallback.as_string() == "AWS_IAM") object_at(body, "securityDefinitions").set("AWS_IAM", security_definition("Authorization", "awsSigv4"));
  const Json& authorizers = auth["Authorizers"];
  if (!authorizers.is_null() && !authorizers.is_object()) return Err(invalid_resource(id, "Property 'Auth.Authorizers' should be a map."));
  for (const auto& [name, authorizer] : authorizers.as_object()) {
    Json definition = TRY(authorizer_definition(context, id, name, authorizer));
    object_at(body, "securityDefinitions").set(name, std::move(definition));
  }
  if (!fallback.as_string().empty() && (!is_empty(authorizers) || fallback.as_string() == "AWS_IAM")) {
    if (fallback.as_string() != "AWS_IAM" && is_empty(authorizers[fallback.as_string()]))
      return Err(invalid_resource(id, fmt::format("Unable to set DefaultAuthorizer because '{}' was not defined in 'Authorizers'.", fallback.as_string())));
    set_default_authorizer(body, authorizers, fallback.as_string(), !auth.contains("AddDefaultAuthorizerToCorsPreflight") || is_true(auth["AddDefaultAuthorizerToCorsPreflight"]));
  }
  if (!is_empty(auth["ApiKeyRequired"])) {
    add_key_definition(body);
    set_key_required(body, !auth.contains("AddApiKeyRequiredToCorsPreflight") || is_true(auth["AddApiKeyRequiredToCorsPreflight"]));
  }
  if (const Json& policy = auth["ResourcePolicy"]; !is_empty(policy)) {
    if (!policy.is_object()) return Err(invalid_resource(id, "ResourcePolicy must be a map (ResourcePolicyStatement)."));
    std::vector<std::string> paths;
    for (const auto& [path, item] : body["paths"].as_object()) paths.push_back(path);
    for (const std::string& path : paths) TRY(add_path_policy(body, policy, path, stage_name, [&](std::string text) { return invalid_resource(id, text); }));
    add_custom_statements(body, policy["CustomStatements"]);
  }
  return {};
}

Reply<void> add_method_auth(const Json& event_auth, const Json& api_auth, const std::string& path, const std::string& method, const Json& stage, Json& body,
                            const std::function<aws::Error(std::string)>& wrong) {
  const Json& authorizers = api_auth["Authorizers"];
  const std::string authorizer = event_auth.text("Authorizer");
  if (!authorizer.empty() && authorizer != "NONE" && authorizer != "AWS_IAM") {
    if (is_empty(authorizers))
      return Err(wrong(fmt::format("Unable to set Authorizer [{}] on API method [{}] for path [{}] because the related API does not define any Authorizers.", authorizer, to_lower(method), path)));
    if (is_empty(authorizers[authorizer]))
      return Err(wrong(fmt::format("Unable to set Authorizer [{}] on API method [{}] for path [{}] because it wasn't defined in the API's Authorizers.", authorizer, to_lower(method), path)));
  }
  if (authorizer == "NONE" && is_empty(api_auth["DefaultAuthorizer"]))
    return Err(wrong(fmt::format("Unable to set Authorizer on API method [{}] for path [{}] because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.", to_lower(method), path)));
  if (!is_empty(event_auth["AuthorizationScopes"]) && authorizer.empty()) return Err(wrong("AuthorizationScopes works only when Authorizer is set"));
  const Json& key = event_auth["ApiKeyRequired"];
  if (!key.is_null() && is_empty(key) && is_empty(api_auth["ApiKeyRequired"]))
    return Err(wrong(fmt::format("Unable to set ApiKeyRequired [False] on API method [{}] for path [{}] because the related API does not specify any ApiKeyRequired.", to_lower(method), path)));
  for (Json* definition : definitions_of(body, path, method)) {
    Json security = (*definition)["security"].is_array() ? (*definition)["security"] : Json::array();
    if (!authorizer.empty()) {
      const bool has_own = !event_auth["AuthorizationScopes"].is_null();
      security.push_back(Json::object({{authorizer, !is_empty(authorizers[authorizer]) && has_own ? event_auth["AuthorizationScopes"] : scopes_of(authorizers, authorizer)}}));
      if (security.at(0).contains("AWS_IAM")) add_iam_definition(body);
    }
    if (!key.is_null()) security.push_back(Json::object({{is_empty(key) ? "api_key_false" : "api_key", Json::array()}}));
    if (!is_empty(key)) add_key_definition(body);
    if (security.size() > 0) definition->set("security", std::move(security));
  }
  if (const Json& policy = event_auth["ResourcePolicy"]; !is_empty(policy)) {
    if (!policy.is_object()) return Err(wrong("Property 'Auth.ResourcePolicy' should be a map."));
    TRY(add_path_policy(body, policy, path, stage, wrong));
    add_custom_statements(body, policy["CustomStatements"]);
  }
  return {};
}

void add_authorizer_permissions(Context& context, const std::string& id, const Json& declaration) {
  for (const auto& [name, authorizer] : declaration["Properties"]["Auth"]["Authorizers"].as_object()) {
    if (is_empty(authorizer["FunctionArn"]) || is_true(authorizer["DisableFunctionDefaultPermissions"])) continue;
    const std::string arn = fmt::format("arn:{}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/authorizers/*", context.partition());
    context.add(id + name + "AuthorizerPermission",
                resource("AWS::Lambda::Permission",
                         Json::object({{"Action", "lambda:InvokeFunction"}, {"FunctionName", authorizer["FunctionArn"]}, {"Principal", "apigateway.amazonaws.com"},
                                       {"SourceArn", sub(arn, Json::object({{"__ApiId__", ref_to(id)}}))}}),
                         declaration));
  }
}

}  // namespace reef::cloudformation::sam
