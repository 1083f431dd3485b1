#include "engine/edge/mesh/retry.h"

#include <algorithm>
#include <string_view>

namespace reef::edge::mesh {
namespace {

// https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HttpRetryPolicy.html
bool is_server_error(int status) { return (status >= 500 && status <= 508) || status == 510 || status == 511; }
bool is_gateway_error(int status) { return status >= 502 && status <= 504; }

}  // namespace

bool retries(const RetryPolicy& policy, const TryResult& result, int tries) {
  if (tries > policy.retries_max) return false;
  switch (result.outcome) {
    case TryOutcome::kNotConnected: return policy.connection_error || policy.gateway_error || policy.server_error;
    // What ended without a reply is a 503 of the proxy.
    case TryOutcome::kBroken: return policy.connection_error || policy.gateway_error || policy.server_error || policy.stream_error;
    case TryOutcome::kStreamRefused: return policy.stream_error || policy.gateway_error || policy.server_error;
    // A try that took too long is a 504 of the proxy.
    case TryOutcome::kLate: return policy.gateway_error || policy.server_error;
    case TryOutcome::kReply: break;
  }
  if (result.grpc_status && std::find(policy.grpc_statuses.begin(), policy.grpc_statuses.end(), *result.grpc_status) != policy.grpc_statuses.end()) return true;
  return (policy.server_error && is_server_error(result.status)) || (policy.gateway_error && is_gateway_error(result.status)) || (policy.client_error && result.status == 409);
}

bool is_endpoint_failure(const TryResult& result) { return result.outcome != TryOutcome::kReply || result.status >= 500; }

std::optional<int> grpc_status_number(std::string_view name) {
  constexpr std::pair<std::string_view, int> kNames[] = {{"cancelled", 1}, {"deadline-exceeded", 4}, {"internal", 13}, {"resource-exhausted", 8}, {"unavailable", 14}};
  for (const auto& [known, number] : kNames)
    if (known == name) return number;
  return std::nullopt;
}

}  // namespace reef::edge::mesh
