// What policies that authorizers of APIs return say of one call.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
#pragma once

#include <string_view>

#include "wire/json.h"

namespace reef::aws {

enum class Verdict { kAllowed, kDenied, kNotAllowed };   // the last: no statement is about it
// Of execute-api:Invoke on the ARN. What is not understood (conditions, NotAction, NotResource) allows nothing, and denies.
Verdict judge_invoke(const wire::Json& policy_document, std::string_view arn);

}  // namespace reef::aws
