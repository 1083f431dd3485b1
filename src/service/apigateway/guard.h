// What a request has to get past before an integration sees it, in API Gateway's order: the API's resource policy, a signature, an authorizer,
// an API key with its usage plan and the stage's throttling, the method's request validator.
#pragma once

#include <optional>
#include <string>

#include "aws/proxy_event.h"
#include "service/apigateway/api_store.h"

namespace reef::service::apigateway {

// Of a request that carries a signature: who signed. Nothing when it carries none.
struct Signer {
  std::optional<Refusal> refusal;
  std::optional<aws::Principal> principal;
};
Signer check_signature(const aws::AccessKeys& keys, const http::Request& request, std::string_view body, const std::string& account, Time now);

// `signer`: of a method that wants signatures, otherwise nullptr.
std::optional<Refusal> check_resource_policy(const std::string& policy, const aws::ProxyRequest& request, std::string_view region, const aws::Principal* signer);

// Required parameters and the body's model, as the method's validator wants them looked at.
std::optional<Refusal> check_request(const Frozen& frozen, const model::Method& method, const aws::ProxyRequest& request);

// The stage's limits of a method ("/orders/{id}", "GET"): its own, otherwise those of every method. Nothing when there are none.
struct StageLimits {
  std::string name;  // whom the limits are counted for
  double rate = 0;
  std::int32_t burst = 0;
};
std::optional<StageLimits> stage_limits(const model::Stage& stage, std::string_view path, std::string_view verb);

}  // namespace reef::service::apigateway
