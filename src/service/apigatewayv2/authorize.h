// Who may use a route: who signed, tokens of an issuer, or what a function says.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/proxy_event.h"
#include "service/apigatewayv2/api_store.h"

namespace reef::service::apigatewayv2 {

struct Admission {
  std::optional<http::Response> refusal;   // instead of the integration's reply
  wire::Json for_v1, for_v2;               // requestContext.authorizer, by version of the event
  wire::Json identity;                     // requestContext.identity of version 1, of who signed
};
// `event` is the request as an integration would get it, without its body. Any loop.
Task<Admission> admit(ApiGateway& gateway, model::Authorizer authorizer, std::vector<std::string> scopes, const aws::ProxyRequest& event, std::string region);

// The same by the signature that the request bears; `body` is its own.
Admission admit_signer(const ApiGateway& gateway, const http::Request& request, std::string_view body, const std::string& account, Time now);

// The values that "$request.header.x", "$request.querystring.x", "$context.x" and "$stageVariables.x" stand for; nothing when one
// of them is missing.
std::optional<std::vector<std::string>> identity_values(const std::vector<std::string>& sources, const aws::ProxyRequest& event);

}  // namespace reef::service::apigatewayv2
