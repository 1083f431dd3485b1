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

namespace {

// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
void publish(Lambda& lambda, const FunctionName& name, bool throttled, bool failed, Duration took, int running) {
  using metrics::Unit;
  const double ran = throttled ? 0 : 1;
  const std::initializer_list<metrics::Measure> measures = {
      {"Invocations", 1, Unit::kCount, ran},
      {"Errors", failed ? 1.0 : 0.0, Unit::kCount, ran},
      {"Throttles", throttled ? 1.0 : 0.0},
      {"Duration", static_cast<double>(took.count()) / 1000, Unit::kMilliseconds, ran},
      {"ConcurrentExecutions", static_cast<double>(running), Unit::kCount, ran},
  };
  const std::string resource = name.qualifier.empty() || name.qualifier == "$LATEST" ? name.name : name.name + ":" + name.qualifier;
  lambda.counters.add({name.account, name.region, "AWS/Lambda", {}}, measures);
  lambda.counters.add({name.account, name.region, "AWS/Lambda", {{"FunctionName", name.name}}}, measures);
  lambda.counters.add({name.account, name.region, "AWS/Lambda", {{"FunctionName", name.name}, {"Resource", resource}}}, measures);
}

}  // namespace

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
  const std::string function_key = name.key();
  const int running = ++lambda.running[function_key];
  const std::int64_t began = io::monotonic_micros();
  auto outcome = co_await lambda.functions.invoke(target.version, std::move(invocation), target.reserved, target.reserved_by_all);
  span.duration = Duration(io::monotonic_micros() - began);
  if (const auto left = lambda.running.find(function_key); left != lambda.running.end() && --left->second <= 0) lambda.running.erase(left);
  publish(lambda, name, !outcome, outcome && outcome->failed, span.duration, running);
  if (!outcome) span.error = "TooManyRequestsException";
  else if (outcome->failed) span.error = "Unhandled";
  span.status = span.error.empty() ? 200 : outcome ? 200 : 429;
  lambda.spans.record(std::move(span));
  if (!outcome) co_return Err(throttled(outcome.error()));
  answer.outcome = *std::move(outcome);
  co_return answer;
}

}  // namespace reef::service::lambda
