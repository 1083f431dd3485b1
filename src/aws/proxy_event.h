// An HTTP request as the event of a function behind API Gateway or a function URL, and the function's reply as an HTTP
// response. Payload formats 1.0 and 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "wire/json.h"

namespace reef::aws {

struct ProxyRequest {
  const http::Request& http;
  std::string_view body;
  std::string account, api_id, stage, domain;
  std::string route_key;          // "GET /orders/{id}"
  std::string resource_path;      // "/orders/{id}"
  std::string resource_id;        // REST APIs
  std::string path;               // below the stage, decoded
  bool stage_in_path = false;     // rawPath then starts with the stage
  std::vector<std::pair<std::string, std::string>> parameters;
  std::map<std::string, std::string> stage_variables;
  std::string request_id, trace_id;
  Time now{};
  bool body_is_text = true;       // otherwise it goes in base64
  wire::Json authorizer;          // requestContext.authorizer, when there is one
  wire::Json identity;            // what is known of requestContext.identity besides address and agent
};

// What events, access logs and templates say of a request alike.
std::string source_ip(const http::Request& request);
std::string request_time(Time now);                            // "20/Nov/2026:22:38:29 +0000"
std::string_view protocol_of(const http::Request& request);    // "HTTP/1.1"

// The function's ARN in an integration's URI: "arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations",
// or the URI itself when it has not that form.
std::string function_of_integration(const std::string& uri);

// Whether HTTP APIs hand such a body over as text.
bool is_text_body(std::string_view content_type);

std::string event_v2(const ProxyRequest& request);
// `is_http_api`: format 1.0 of an HTTP API, whose version and context differ a little from a REST API's.
std::string event_v1(const ProxyRequest& request, bool is_http_api);

// The reply of a function. In format 2.0 anything without a statusCode is the body itself. The error says what is
// wrong with it.
Result<http::Response, std::string> read_proxy_reply(std::string_view payload, bool is_v2);

}  // namespace reef::aws
