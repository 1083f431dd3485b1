#include "service/apigatewayv2/authorize.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/authorizer_replies.h"
#include "aws/invoke_policy.h"
#include "aws/models/lambda.h"
#include "aws/request_signer.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/edge/key_sets.h"
#include "wire/form.h"

namespace reef::service::apigatewayv2 {
namespace {

using wire::Json;

http::Response refuse(int status, std::string_view text, std::string challenge = {}) {
  http::Response out;
  out.status = status;
  out.set("content-type", "application/json");
  if (!challenge.empty()) out.set("www-authenticate", challenge);
  out.body = Json::object({{"message", std::string(text)}}).dump();
  return out;
}

// As events have claims: texts, lists in brackets.
Json claims_json(const Json& claims) {
  Json out = Json::object();
  for (const auto& [name, claim] : claims.as_object()) {
    if (claim.is_array()) out.set(name, "[" + join(edge::claim_values(claim, false), " ") + "]");
    else out.set(name, claim.is_object() ? claim.dump() : claim.scalar_text().value_or(""));
  }
  return out;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
Task<Admission> admit_token(ApiGateway& gateway, const model::Authorizer& authorizer, const std::vector<std::string>& scopes, const aws::ProxyRequest& event) {
  Admission out;
  const auto given = identity_values(authorizer.identity_source.value_or(std::vector<std::string>{"$request.header.Authorization"}), event);
  const auto wrong = [&](std::string_view why) {
    out.refusal = refuse(401, "Unauthorized", fmt::format("Bearer scope=\"{}\" error=\"invalid_token\" error_description=\"{}\"", join(scopes, " "), why));
  };
  if (!given || given->empty()) {
    out.refusal = refuse(401, "Unauthorized", "Bearer");
    co_return out;
  }
  std::string_view text = given->front();
  if (text.size() > 7 && equals_ignoring_case(text.substr(0, 7), "bearer ")) text = trim(text.substr(7));
  const auto token = edge::parse_web_token(text);
  if (!token || token->head.text("alg") != "RS256") {
    wrong("invalid token");
    co_return out;
  }
  const std::string issuer = authorizer.jwt_configuration ? authorizer.jwt_configuration->issuer.value_or("") : std::string();
  const auto audience = authorizer.jwt_configuration ? authorizer.jwt_configuration->audience.value_or(std::vector<std::string>{}) : std::vector<std::string>{};
  const Time now = event.now;
  const auto expires = edge::claim_time(token->claims, "exp");
  auto named = edge::claim_values(token->claims["aud"], false);
  if (named.empty()) named = edge::claim_values(token->claims["client_id"], false);
  std::string fault;
  if (token->claims.text("iss") != issuer) fault = "issuer is invalid";
  else if (!expires || now >= *expires) fault = "the token has expired";
  else if (std::find_first_of(named.begin(), named.end(), audience.begin(), audience.end()) == named.end()) fault = "the token does not have a valid audience";
  for (const std::string_view from : {"nbf", "iat"})
    if (fault.empty() && token->claims.contains(from)) {
      const auto at = edge::claim_time(token->claims, from);
      if (!at || now < *at) fault = "the token is not valid yet";
    }
  if (!fault.empty()) {
    wrong(fault);
    co_return out;
  }
  const auto keys = co_await edge::KeySets::of_this_loop(gateway.sites, gateway.authority.certificate_pem()).find_issuer(issuer, token->key_id(), now);
  if (!keys) log::warn("an issuer's keys cannot be had", {{"issuer", issuer}, {"reason", keys.error().message}});
  if (!keys || !edge::is_signed(*token, **keys)) {
    wrong("signature is invalid");
    co_return out;
  }
  auto held = edge::claim_values(token->claims[token->claims.contains("scope") ? "scope" : "scp"], true);
  Json fitting;
  if (!scopes.empty()) {
    fitting = Json::array();
    for (const std::string& scope : scopes)
      if (std::find(held.begin(), held.end(), scope) != held.end()) fitting.push_back(scope);
    if (fitting.size() == 0) {
      out.refusal = refuse(403, "Forbidden", fmt::format("Bearer scope=\"{}\" error=\"insufficient_scope\" error_description=\"insufficient scope\"", join(scopes, " ")));
      co_return out;
    }
  }
  out.for_v1 = Json::object({{"claims", claims_json(token->claims)}, {"scopes", fitting}});
  out.for_v2 = Json::object({{"jwt", out.for_v1}});
  co_return out;
}

Admission read_reply(const model::Authorizer& authorizer, const Json& reply, std::string_view arn) {
  Admission out;
  const bool is_simple = authorizer.enable_simple_responses.value_or(false) && authorizer.authorizer_payload_format_version == "2.0";
  if (!reply.is_object() || (is_simple ? !reply.contains("isAuthorized") : !reply["policyDocument"].is_object() || reply.text("principalId").empty())) {
    out.refusal = refuse(500, "Internal Server Error");
    return out;
  }
  if (is_simple ? !reply["isAuthorized"].as_bool() : aws::judge_invoke(reply["policyDocument"], arn) != aws::Verdict::kAllowed) {
    out.refusal = refuse(403, "Forbidden");
    return out;
  }
  const Json context = reply["context"].is_object() ? reply["context"] : Json::object();
  out.for_v2 = Json::object({{"lambda", context}});
  out.for_v1 = context;
  if (!is_simple) out.for_v1.set("principalId", reply["principalId"]);
  return out;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
Task<Admission> admit_by_function(ApiGateway& gateway, const model::Authorizer& authorizer, const aws::ProxyRequest& event, std::string region) {
  const auto sources = authorizer.identity_source.value_or(std::vector<std::string>{});
  const auto identity = identity_values(sources, event);
  if (!identity) co_return Admission{.refusal = refuse(401, "Unauthorized")};
  const std::string_view path = event.path;
  const std::string arn = fmt::format("arn:aws:execute-api:{}:{}:{}/{}/{}{}", region, event.account, event.api_id, event.stage, event.http.method, path);
  const Duration ttl = std::chrono::seconds(authorizer.authorizer_result_ttl_in_seconds.value_or(sources.empty() ? 0 : 300));
  const std::string key = aws::AuthorizerReplies::key(event.api_id, event.stage, authorizer.authorizer_id.value_or(""), *identity);
  if (ttl > Duration(0) && !sources.empty())
    if (const Json* const known = aws::AuthorizerReplies::of_this_loop().find(key, event.now)) co_return read_reply(authorizer, *known, arn);
  const bool is_v2 = authorizer.authorizer_payload_format_version == "2.0";
  auto made = Json::parse(is_v2 ? aws::event_v2(event) : aws::event_v1(event, true));
  if (!made) co_return Admission{.refusal = refuse(500, "Internal Server Error")};
  made->erase("body"), made->erase("isBase64Encoded");
  made->set("type", "REQUEST");
  made->set(is_v2 ? "routeArn" : "methodArn", arn);
  if (is_v2) {
    Json values = Json::array();
    for (const std::string& value : *identity) values.push_back(value);
    made->set("identitySource", std::move(values));
  } else {
    made->set("identitySource", join(*identity, ","));
    made->set("authorizationToken", join(*identity, ","));
  }
  aws::lambda::InvokeInput invoke;
  invoke.function_name = aws::function_of_integration(authorizer.authorizer_uri.value_or(""));
  invoke.payload = made->dump();
  const auto answered = co_await gateway.caller.call<aws::lambda::InvokeOutput>(gateway.caller.internal_call(event.account, region), aws::lambda::ops::kInvoke, invoke);
  if (!answered) co_return Admission{.refusal = refuse(500, "Internal Server Error")};
  const auto reply = Json::parse(answered->payload.value_or("null"));
  if (answered->function_error) {
    // The one error that functions say a refusal with.
    const bool is_refusal = reply && reply->is_object() && reply->text("errorMessage") == "Unauthorized";
    co_return Admission{.refusal = is_refusal ? refuse(401, "Unauthorized") : refuse(500, "Internal Server Error")};
  }
  if (!reply) co_return Admission{.refusal = refuse(500, "Internal Server Error")};
  if (ttl > Duration(0) && !sources.empty()) aws::AuthorizerReplies::of_this_loop().keep(key, *reply, event.now + ttl);
  co_return read_reply(authorizer, *reply, arn);
}

}  // namespace

std::optional<std::vector<std::string>> identity_values(const std::vector<std::string>& sources, const aws::ProxyRequest& event) {
  std::vector<std::string> out;
  for (const std::string& source : sources) {
    constexpr std::string_view kHeader = "$request.header.", kQuery = "$request.querystring.", kVariable = "$stageVariables.", kContext = "$context.";
    std::string value;
    if (source.starts_with(kHeader)) value = event.http.header(to_lower(source.substr(kHeader.size())));
    else if (source.starts_with(kQuery)) value = wire::Form(event.http.query).value(source.substr(kQuery.size()));
    else if (source.starts_with(kVariable)) {
      for (const auto& [name, text] : event.stage_variables)
        if (name == source.substr(kVariable.size())) value = text;
    } else if (source.starts_with(kContext)) {
      const std::string name = source.substr(kContext.size());
      value = name == "routeKey" ? event.route_key : name == "stage" ? event.stage : name == "httpMethod" ? event.http.method : name == "path" ? event.path : name == "apiId" ? event.api_id : "";
    }
    if (value.empty()) return std::nullopt;
    out.push_back(std::move(value));
  }
  return out;
}

Task<Admission> admit(ApiGateway& gateway, model::Authorizer authorizer, std::vector<std::string> scopes, const aws::ProxyRequest& event, std::string region) {
  if (authorizer.authorizer_type == "JWT") co_return co_await admit_token(gateway, authorizer, scopes, event);
  co_return co_await admit_by_function(gateway, authorizer, event, std::move(region));
}

Admission admit_signer(const ApiGateway& gateway, const http::Request& request, std::string_view body, const std::string& account, Time now) {
  const aws::RequestSigner signer = aws::signer_of(gateway.access_keys, request, body, account, now);
  if (signer.fault != aws::SignatureFault::kNone) return {.refusal = refuse(403, "Forbidden"), .for_v1 = {}, .for_v2 = {}, .identity = {}};
  return {.refusal = {}, .for_v1 = {}, .for_v2 = Json::object({{"iam", aws::iam_authorizer(signer.principal)}}), .identity = aws::signer_identity(signer.principal)};
}

}  // namespace reef::service::apigatewayv2
