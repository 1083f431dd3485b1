#include "service/lambda/invocation.h"

#include <fmt/format.h>

#include "base/random.h"
#include "service/lambda/resolver.h"
#include "wire/json_reader.h"

namespace reef::service::lambda {

aws::Error throttled(function::Refusal refusal) {
  aws::Error error(errors::kTooManyRequestsException, "Rate Exceeded.");
  error.fields.set("Type", "User");
  switch (refusal) {
    case function::Refusal::kReservedConcurrency:
      error.fields.set("Reason", "ReservedFunctionConcurrentInvocationLimitExceeded");
      return error;
    case function::Refusal::kAccountConcurrency:
    case function::Refusal::kTooManyWaiting:
      error.fields.set("Reason", "ConcurrentInvocationLimitExceeded");
      return error;
    case function::Refusal::kStopping:
      return aws::Error(errors::kServiceException, "The service is stopping.");
  }
  return error;
}

Reply<void> check_payload(const std::string& payload) {
  if (payload.empty()) return {};
  wire::JsonReader in(payload);
  if (in.skip() && in.finish()) return {};
  aws::Error error(errors::kInvalidRequestContentException,
                   fmt::format("Could not parse request body into json: Could not parse payload into json: {} at offset {}", in.error() ? in.error() : "invalid", in.offset()));
  error.fields.set("Type", "User");
  return Err(error);
}

Task<Reply<Answer>> invoke_function(Lambda& lambda, FunctionName name, function::Invocation invocation) {
  Target target = CO_TRY(lambda.resolver->resolve(name, thread_random()));
  if (invocation.invoked_arn.empty()) invocation.invoked_arn = name.qualified_arn();
  if (invocation.payload.empty()) invocation.payload = "{}";
  Answer answer{.executed_version = target.version->number};
  auto outcome = co_await lambda.functions.invoke(target.version, std::move(invocation), target.reserved, target.reserved_by_all);
  if (!outcome) co_return Err(throttled(outcome.error()));
  answer.outcome = *std::move(outcome);
  co_return answer;
}

}  // namespace reef::service::lambda
