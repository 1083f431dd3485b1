#include "service/apigateway/authorize.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/authorizer_replies.h"
#include "aws/invoke_policy.h"
#include "aws/models/lambda.h"
#include "base/log.h"
#include "base/pattern.h"
#include "base/text.h"
#include "engine/edge/key_sets.h"
#include "wire/form.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;

constexpr std::string_view kDefaultSource = "method.request.header.Authorization";

Refusal denied(bool explicitly) {
  return apigateway::denied(explicitly ? "User is not authorized to access this resource with an explicit deny" : "User is not authorized to access this resource");
}
Refusal broken() { return authorizer_broken(); }
std::string source_value(std::string_view source, const aws::ProxyRequest& event) { return request_value(source, event); }

// "https://cognito-idp.<region>.amazonaws.com/<pool>" of a pool's ARN.
std::string issuer_of(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || !parts[5].starts_with("userpool/")) return {};
  return fmt::format("https://cognito-idp.{}.amazonaws.com/{}", parts[3], parts[5].substr(9));
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
Task<Admission> admit_user(RestApis& apis, const model::Authorizer& authorizer, const model::Method& method, const aws::ProxyRequest& event) {
  std::string given = source_value(authorizer.identity_source.value_or(std::string(kDefaultSource)), event);
  std::string_view text = given;
  if (text.size() > 7 && equals_ignoring_case(text.substr(0, 7), "bearer ")) text = trim(text.substr(7));
  const auto token = edge::parse_web_token(text);
  if (!token) co_return Admission{.refusal = unauthorized(), .authorizer = {}, .usage_key = {}};
  const auto scopes = method.authorization_scopes.value_or(std::vector<std::string>{});
  const std::string issuer = token->claims.text("iss");
  const auto pools = authorizer.provider_arns.value_or(std::vector<std::string>{});
  const bool is_known = std::any_of(pools.begin(), pools.end(), [&](const std::string& arn) { return issuer_of(arn) == issuer; });
  const auto expires = edge::claim_time(token->claims, "exp");
  // Identity tokens without scopes, access tokens with them.
  const bool fits = token->claims.text("token_use") == (scopes.empty() ? "id" : "access");
  if (!is_known || !fits || !expires || event.now >= *expires) co_return Admission{.refusal = unauthorized(), .authorizer = {}, .usage_key = {}};
  if (!scopes.empty()) {
    const auto held = edge::claim_values(token->claims["scope"], true);
    if (std::find_first_of(held.begin(), held.end(), scopes.begin(), scopes.end()) == held.end()) co_return Admission{.refusal = unauthorized(), .authorizer = {}, .usage_key = {}};
  }
  const auto keys = co_await edge::KeySets::of_this_loop(apis.sites, apis.authority.certificate_pem()).find(issuer + "/.well-known/jwks.json", token->key_id(), event.now);
  if (!keys) log::warn("a user pool's keys cannot be had", {{"issuer", issuer}, {"reason", keys.error().message}});
  if (!keys || !edge::is_signed(*token, **keys)) co_return Admission{.refusal = unauthorized(), .authorizer = {}, .usage_key = {}};
  Json claims = Json::object();
  for (const auto& [name, claim] : token->claims.as_object()) claims.set(name, claim.is_array() ? join(edge::claim_values(claim, false), ",") : claim.is_object() ? claim.dump() : claim.scalar_text().value_or(""));
  co_return Admission{.refusal = std::nullopt, .authorizer = Json::object({{"claims", std::move(claims)}}), .usage_key = {}};
}

Admission admission_of(const Json& reply, std::string_view arn) {
  if (!reply.is_object() || reply.text("principalId").empty() || !reply["policyDocument"].is_object()) return {.refusal = broken(), .authorizer = {}, .usage_key = {}};
  const aws::Verdict verdict = aws::judge_invoke(reply["policyDocument"], arn);
  if (verdict != aws::Verdict::kAllowed) return {.refusal = denied(verdict == aws::Verdict::kDenied), .authorizer = {}, .usage_key = {}};
  Json context = Json::object({{"principalId", reply["principalId"]}});
  for (const auto& [name, value] : reply["context"].as_object()) {
    // Texts, numbers and booleans, all as texts.
    if (value.is_object() || value.is_array()) return {.refusal = broken(), .authorizer = {}, .usage_key = {}};
    context.set(name, value.scalar_text().value_or(""));
  }
  return {.refusal = std::nullopt, .authorizer = std::move(context), .usage_key = reply.text("usageIdentifierKey")};
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
Task<Admission> admit_by_function(RestApis& apis, const model::Authorizer& authorizer, const aws::ProxyRequest& event, std::string region) {
  const bool takes_token = authorizer.type == "TOKEN";
  const std::string given = authorizer.identity_source.value_or(takes_token ? std::string(kDefaultSource) : std::string());
  std::vector<std::string> values;
  for (const std::string_view source : split(given, ',')) {
    if (trim(source).empty()) continue;
    const std::string value = source_value(trim(source), event);
    if (value.empty()) co_return Admission{.refusal = unauthorized(), .authorizer = {}, .usage_key = {}};
    values.push_back(value);
  }
  const std::string identity = join(values, "\n");
  if (takes_token && authorizer.identity_validation_expression && !authorizer.identity_validation_expression->empty()) {
    const auto pattern = Pattern::compile(*authorizer.identity_validation_expression);
    if (!pattern || !pattern->matches(identity)) co_return Admission{.refusal = unauthorized(), .authorizer = {}, .usage_key = {}};
  }
  const std::string arn = fmt::format("arn:aws:execute-api:{}:{}:{}/{}/{}{}", region, event.account, event.api_id, event.stage, event.http.method, event.path);
  const Duration ttl = identity.empty() ? Duration(0) : Duration(std::chrono::seconds(authorizer.authorizer_result_ttl_in_seconds.value_or(300)));
  const std::string key = aws::AuthorizerReplies::key(event.api_id, event.stage, authorizer.id.value_or(""), values);
  if (ttl > Duration(0))
    if (const Json* const known = aws::AuthorizerReplies::of_this_loop().find(key, event.now)) co_return admission_of(*known, arn);
  Json sent;
  if (takes_token) {
    sent = Json::object({{"type", "TOKEN"}, {"methodArn", arn}, {"authorizationToken", identity}});
  } else {
    auto made = Json::parse(aws::event_v1(event, false));
    if (!made) co_return Admission{.refusal = broken(), .authorizer = {}, .usage_key = {}};
    sent = *std::move(made);
    sent.erase("body"), sent.erase("isBase64Encoded");
    sent.set("type", "REQUEST");
    sent.set("methodArn", arn);
  }
  aws::lambda::InvokeInput invoke;
  invoke.function_name = aws::function_of_integration(authorizer.authorizer_uri.value_or(""));
  invoke.payload = sent.dump();
  const auto answered = co_await apis.caller.call<aws::lambda::InvokeOutput>(apis.caller.internal_call(event.account, region), aws::lambda::ops::kInvoke, invoke);
  if (!answered) co_return Admission{.refusal = broken(), .authorizer = {}, .usage_key = {}};
  const auto reply = Json::parse(answered->payload.value_or("null"));
  if (answered->function_error) co_return Admission{.refusal = reply && reply->is_object() && reply->text("errorMessage") == "Unauthorized" ? unauthorized() : broken(), .authorizer = {}, .usage_key = {}};
  if (!reply) co_return Admission{.refusal = broken(), .authorizer = {}, .usage_key = {}};
  if (ttl > Duration(0)) aws::AuthorizerReplies::of_this_loop().keep(key, *reply, event.now + ttl);
  co_return admission_of(*reply, arn);
}

}  // namespace

Task<Admission> admit(RestApis& apis, model::Authorizer authorizer, model::Method method, const aws::ProxyRequest& event, std::string region) {
  if (authorizer.type == "COGNITO_USER_POOLS") co_return co_await admit_user(apis, authorizer, method, event);
  co_return co_await admit_by_function(apis, authorizer, event, std::move(region));
}

aws::Reply<void> check_authorizer(const StoredApi& api, const model::Authorizer& authorizer) {
  for (const auto& [id, other] : api.authorizers)
    if (other.name == authorizer.name && id != authorizer.id) return Err(bad_request("Authorizer name must be unique. Authorizer " + authorizer.name.value_or("") + " already exists in this RestApi."));
  if (const auto seconds = authorizer.authorizer_result_ttl_in_seconds; seconds && (*seconds < 0 || *seconds > 3600)) return Err(bad_request("Authorizer result ttl must be between 0 and 3600"));
  if (authorizer.type == "COGNITO_USER_POOLS") {
    if (!authorizer.provider_arns || authorizer.provider_arns->empty()) return Err(bad_request("Invalid Authorizer: COGNITO_USER_POOLS authorizers need providerARNs"));
    for (const std::string& arn : *authorizer.provider_arns)
      if (issuer_of(arn).empty()) return Err(bad_request("Invalid ARN specified in the request"));
    return {};
  }
  if (authorizer.type != "TOKEN" && authorizer.type != "REQUEST") return Err(bad_request("Invalid authorizer type specified. Must be one of [TOKEN, REQUEST, COGNITO_USER_POOLS]"));
  if (authorizer.authorizer_uri.value_or("").find(":lambda:path/") == std::string::npos) return Err(bad_request("Invalid Authorizer URI: " + authorizer.authorizer_uri.value_or("") + ". Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."));
  if (authorizer.type == "REQUEST" && authorizer.identity_source.value_or("").empty() && authorizer.authorizer_result_ttl_in_seconds.value_or(300) > 0)
    return Err(bad_request("Identity sources are required when caching is enabled"));
  if (authorizer.identity_validation_expression && !Pattern::compile(*authorizer.identity_validation_expression)) return Err(bad_request("Invalid identity validation expression"));
  return {};
}

}  // namespace reef::service::apigateway
