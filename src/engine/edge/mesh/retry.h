// Whether a request that went wrong is sent again. Pure.
#pragma once

#include <optional>

#include "engine/edge/mesh/plan.h"

namespace reef::edge::mesh {

enum class TryOutcome {
  kReply,           // a status, whatever it is
  kNotConnected,    // nothing was sent
  kBroken,          // the connection ended before a reply
  kStreamRefused,   // HTTP/2: not processed
  kLate,            // the time of this try ran out
};

struct TryResult {
  TryOutcome outcome = TryOutcome::kReply;
  int status = 0;
  std::optional<int> grpc_status;
};

// `tries` were made, this one included.
bool retries(const RetryPolicy& policy, const TryResult& result, int tries);
// What counts against the endpoint.
bool is_endpoint_failure(const TryResult& result);
// "cancelled", "unavailable", ...: gRPC's numbers for the names that App Mesh uses.
std::optional<int> grpc_status_number(std::string_view name);

}  // namespace reef::edge::mesh
