// Who may use a method of a REST API: users of user pools, or whom a function lets.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html
#pragma once

#include <optional>
#include <string>

#include "aws/proxy_event.h"
#include "service/apigateway/api_store.h"

namespace reef::service::apigateway {

struct Admission {
  std::optional<Refusal> refusal;   // instead of the integration's reply
  wire::Json authorizer;            // requestContext.authorizer
  std::string usage_key;            // the API key that a function names, when the API takes keys from its authorizer
};
// `event` is the request as an integration would get it. Any loop.
Task<Admission> admit(RestApis& apis, model::Authorizer authorizer, model::Method method, const aws::ProxyRequest& event, std::string region);
aws::Reply<void> check_authorizer(const StoredApi& api, const model::Authorizer& authorizer);

}  // namespace reef::service::apigateway
