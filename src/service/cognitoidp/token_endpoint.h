// The endpoints of a user pool's domain for programs: /oauth2/token, /oauth2/userInfo and /oauth2/revoke.
// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
#pragma once

#include <string>

#include "http/message.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {

struct TokenRequest {
  std::string method, path, authorization, body;
};
Task<http::Response> serve_tokens(Cognito& service, std::string pool_id, TokenRequest request, Time now);

}  // namespace reef::service::cognito
