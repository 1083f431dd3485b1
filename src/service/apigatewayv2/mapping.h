// Parameter mapping of HTTP APIs: what integrations change in requests before they are handed on and in replies before
// they are handed back; and the same expressions for the parameters of calls to other services.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/error.h"
#include "aws/served_request.h"
#include "http/message.h"

namespace reef::service::apigatewayv2 {

using ParameterMap = std::map<std::string, std::string, std::less<>>;

// What expressions may speak of. Pointers may be null: then there is no such value.
struct MappingValues {
  const http::Request* request = nullptr;
  std::string path;                                            // below the stage, decoded
  std::vector<std::pair<std::string, std::string>> parameters;  // of the route's path
  std::string_view request_body, response_body;
  const http::Response* response = nullptr;
  const aws::ServedRequest* context = nullptr;
  const std::map<std::string, std::string, std::less<>>* stage_variables = nullptr;
};

// "$request.header.x", "$response.body.a.b[0]", "$context.requestId", "$stageVariables.v", or text with "${...}" of these inside.
// Nothing when the whole is one value that is not there; inside a text that is empty.
std::optional<std::string> map_value(std::string_view expression, const MappingValues& values);

// Whether any expression needs the body to have been read ("$request.body", "${request.body...": `of` is "request").
bool needs_body(const ParameterMap& parameters, std::string_view of);

// BadRequestException for keys and expressions that API Gateway does not take.
aws::Reply<void> check_request_parameters(const ParameterMap& parameters);
aws::Reply<void> check_response_parameters(const std::map<std::string, ParameterMap, std::less<>>& parameters);

// A request as the integration gets it.
struct Rewritten {
  http::Request request;
  std::optional<std::string> path;   // of the integration's URL
  std::deque<std::string> texts;     // what the request points into
};
Rewritten rewrite_request(const ParameterMap& parameters, const MappingValues& values);

void rewrite_response(const ParameterMap& parameters, const MappingValues& values, http::Response& response);

}  // namespace reef::service::apigatewayv2
