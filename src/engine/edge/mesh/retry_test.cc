#include "engine/edge/mesh/retry.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

TEST(Retry, ServerErrorsWithinTheNumber) {
  const RetryPolicy policy{.retries_max = 2, .server_error = true};
  EXPECT_TRUE(retries(policy, {.status = 500}, 1));
  EXPECT_TRUE(retries(policy, {.status = 503}, 2));
  EXPECT_FALSE(retries(policy, {.status = 503}, 3));
  EXPECT_FALSE(retries(policy, {.status = 404}, 1));
}

TEST(Retry, GatewayErrorsAreOnlyThose) {
  const RetryPolicy policy{.retries_max = 1, .gateway_error = true};
  EXPECT_FALSE(retries(policy, {.status = 500}, 1));
  EXPECT_TRUE(retries(policy, {.status = 504}, 1));
  EXPECT_TRUE(retries(policy, {.outcome = TryOutcome::kLate}, 1));
}

TEST(Retry, ClientErrorIsAConflict) {
  const RetryPolicy policy{.retries_max = 1, .client_error = true};
  EXPECT_TRUE(retries(policy, {.status = 409}, 1));
  EXPECT_FALSE(retries(policy, {.status = 404}, 1));
}

TEST(Retry, ConnectionErrors) {
  const RetryPolicy policy{.retries_max = 1, .connection_error = true};
  EXPECT_TRUE(retries(policy, {.outcome = TryOutcome::kNotConnected}, 1));
  EXPECT_FALSE(retries(policy, {.status = 500}, 1));
  EXPECT_FALSE(retries(policy, {.outcome = TryOutcome::kLate}, 1));
}

TEST(Retry, GrpcStatuses) {
  const RetryPolicy policy{.retries_max = 1, .grpc_statuses = {*grpc_status_number("unavailable")}};
  EXPECT_TRUE(retries(policy, {.status = 200, .grpc_status = 14}, 1));
  EXPECT_FALSE(retries(policy, {.status = 200, .grpc_status = 5}, 1));
  EXPECT_FALSE(grpc_status_number("not-found"));
}

TEST(Retry, NothingWithoutAPolicy) { EXPECT_FALSE(retries({}, {.status = 503}, 1)); }

}  // namespace
}  // namespace reef::edge::mesh
