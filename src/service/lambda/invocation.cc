#include "service/lambda/invocation.h"

#include <fmt/format.h>

#include "base/random.h"
#include "engine/store/shard.h"
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
  // The run is a hop of its own: what the function calls becomes its child.
  store::Shard& control = store::Shard::control();
  telemetry::TraceContext trace = telemetry::TraceContext::read(invocation.trace_id, {}, control.now());
  telemetry::Span span{.trace = trace.root, .id = telemetry::new_span_id(), .parent = trace.parent, .name = "function " + name.name,
                       .account = name.account, .region = name.region, .start = control.now()};
  trace.parent = span.id;
  invocation.trace_id = trace.amzn_header();
  const std::int64_t began = io::monotonic_micros();
  auto outcome = co_await lambda.functions.invoke(target.version, std::move(invocation), target.reserved, target.reserved_by_all);
  span.duration = Duration(io::monotonic_micros() - began);
  if (!outcome) span.error = "TooManyRequestsException";
  else if (outcome->failed) span.error = "Unhandled";
  span.status = span.error.empty() ? 200 : outcome ? 200 : 429;
  lambda.spans.record(std::move(span));
  if (!outcome) co_return Err(throttled(outcome.error()));
  answer.outcome = *std::move(outcome);
  co_return answer;
}

}  // namespace reef::service::lambda
