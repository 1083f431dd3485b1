// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html
#include <fmt/format.h>

#include "base/encoding.h"
#include "service/lambda/async_invocations.h"
#include "service/lambda/invocation.h"
#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"
#include "service/lambda/resolver.h"

namespace reef::service::lambda::operations {
namespace {

aws::Error payload_too_large(std::uint64_t bytes_max) {
  aws::Error error(errors::kRequestTooLargeException, fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation", bytes_max));
  error.fields.set("Type", "User");
  return error;
}

std::string request_id_of(const Call& call) { return call.request_id.empty() ? make_uuid(thread_random()) : call.request_id; }

}  // namespace

Task<Reply<model::InvokeOutput>> invoke(Lambda& lambda, const model::InvokeInput& in, const Call& call) {
  const FunctionName name = CO_TRY(parse_reachable_function(in.function_name, in.qualifier, call));
  if (in.durable_execution_name) co_return Err(invalid_parameter("DurableExecutionName is not supported by this version of Atoll."));
  const std::string payload = in.payload.value_or("");
  const std::string type = in.invocation_type.value_or("RequestResponse");
  const std::uint64_t bytes_max = type == "Event" ? limits::kAsyncPayloadBytesMax : limits::kSyncPayloadBytesMax;
  if (payload.size() > bytes_max) co_return Err(payload_too_large(bytes_max));
  CO_TRY(check_payload(payload));
  const std::string client_context = base64_decode(in.client_context.value_or("")).value_or("");
  if (type != "RequestResponse") {
    CO_TRY(lambda.resolver->resolve(name, thread_random()));
    model::InvokeOutput out;
    out.status_code = 204;
    if (type == "Event") {
      co_await lambda.async->add(name, payload, request_id_of(call), call.trace_id, client_context);
      out.status_code = 202;
    }
    co_return out;
  }
  function::Invocation invocation{.request_id = request_id_of(call), .payload = payload, .client_context = client_context, .trace_id = call.trace_id};
  Answer answer = CO_TRY(co_await invoke_function(lambda, name, std::move(invocation)));
  model::InvokeOutput out;
  out.status_code = 200;
  if (answer.outcome.failed) out.function_error = "Unhandled";
  if (in.log_type == "Tail") out.log_result = base64_encode(answer.outcome.log_tail);
  out.payload = std::move(answer.outcome.payload);
  out.executed_version = std::move(answer.executed_version);
  co_return out;
}

Task<Reply<model::InvokeAsyncOutput>> invoke_async(Lambda& lambda, const model::InvokeAsyncInput& in, const Call& call) {
  const FunctionName name = CO_TRY(parse_reachable_function(in.function_name, std::nullopt, call));
  std::string payload = in.invoke_args;
  if (payload.empty() && call.http_request) {
    auto body = co_await http::read_all(*call.http_request->body, limits::kAsyncPayloadBytesMax);
    if (body) payload = *std::move(body);
  }
  if (payload.size() > limits::kAsyncPayloadBytesMax) co_return Err(payload_too_large(limits::kAsyncPayloadBytesMax));
  CO_TRY(check_payload(payload));
  CO_TRY(lambda.resolver->resolve(name, thread_random()));
  co_await lambda.async->add(name, payload, request_id_of(call), call.trace_id, "");
  co_return model::InvokeAsyncOutput{.status = 202};
}

}  // namespace reef::service::lambda::operations
