// What integrations of HTTP APIs may be, whichever way they are made.
#pragma once

#include "service/apigatewayv2/api_store.h"

namespace reef::service::apigatewayv2 {

// API Gateway's error for what cannot be, or NotImplemented by name.
aws::Reply<void> check_integration(const model::Integration& integration);

}  // namespace reef::service::apigatewayv2
