// What API Gateway itself answers when it does not let a request through or an integration fails: gateway responses, which an API may
// word as it likes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/apigateway.h"
#include "aws/proxy_event.h"
#include "http/message.h"

namespace reef::service::apigateway {

struct Refusal {
  std::string_view type;              // "ACCESS_DENIED"; empty when only DEFAULT_4XX or DEFAULT_5XX fits
  int status = 500;
  std::string message;                // $context.error.message
  std::string_view error_type;        // x-amzn-errortype
  std::string_view member = "message";  // of the default body
  bool has_message = true;            // the default body says null otherwise
  std::string validation;             // $context.error.validationErrorString
};

Refusal missing_token();              // no method there, or a signature is wanted
Refusal unauthorized();
Refusal denied(std::string message);
Refusal authorizer_broken();
Refusal invalid_key();
Refusal throttled();
Refusal quota_exceeded();
Refusal bad_body(std::string why);
Refusal bad_parameters(std::string message);
Refusal internal_error();             // a wrong configuration of the API
Refusal bad_gateway();                // an integration's malformed reply
Refusal integration_timeout();
Refusal too_large();

using CustomResponses = std::map<std::string, aws::apigateway::GatewayResponse, std::less<>>;  // by type

// The types that there are, each with its status ("" of DEFAULT_4XX and DEFAULT_5XX).
struct RefusalType {
  std::string_view name;
  std::string_view status;
};
const std::vector<RefusalType>& refusal_types();
// The response of a type as it is without an API's own words.
aws::apigateway::GatewayResponse default_response(std::string_view type);

// "context.stage", "method.request.header.x", "method.request.querystring.x", "method.request.path.x", "stageVariables.x": what the request says
// of it, empty when it says nothing.
std::string request_value(std::string_view name, const aws::ProxyRequest& request);
// Puts values for "$context.x", "${stageVariables.x}" and the like; `value` gets the name without "$".
std::string fill_template(std::string_view text, const std::function<std::string(std::string_view)>& value);

http::Response render(const Refusal& refusal, const CustomResponses& own, const aws::ProxyRequest& request);

}  // namespace reef::service::apigateway
