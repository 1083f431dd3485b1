// Integrations of HTTP APIs that call another service without a function between: "SQS-SendMessage" and its like.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
#pragma once

#include <string>

#include "aws/caller.h"
#include "service/apigatewayv2/mapping.h"

namespace reef::service::apigatewayv2 {

// Whether the service integration is served at all.
bool is_subtype(std::string_view name);
// BadRequestException for a missing or unknown parameter; NotImplemented, by name, for a subtype that is not served.
aws::Reply<void> check_subtype(std::string_view subtype, const ParameterMap& parameters);

// The service's own answer, an error too.
Task<http::Response> call_service(aws::Caller& caller, aws::Call call, std::string_view subtype, const ParameterMap& parameters, const MappingValues& values);

}  // namespace reef::service::apigatewayv2
