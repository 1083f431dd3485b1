// The front door from inside: a service calls another one's operation with the same validation, authorisation
// and tracing as an outside request, minus the wire. Found through Parts. Callable from any shard; comes back
// to the calling one.
#pragma once

#include <string_view>

#include "aws/call.h"
#include "aws/error.h"
#include "aws/service.h"

namespace reef::aws {

class Caller {
 public:
  virtual ~Caller() = default;

  // auto reply = co_await caller.call<sqs::SendMessageOutput>(call, sqs::ops::kSendMessage, input);
  // Account, region, principal, trace and deadline are those of `call`.
  template <class Out, class In>
  Task<Reply<Out>> call(const Call& from, const OperationModel& operation, const In& input) {
    Reply<Value> reply = co_await invoke(from, operation, &input);
    if (!reply) co_return std::unexpected(std::move(reply).error());
    co_return std::move(*static_cast<Out*>(reply->get()));
  }

  // `input` points to the operation's input struct.
  virtual Task<Reply<Value>> invoke(const Call& from, const OperationModel& operation, const void* input) = 0;

  // By names, with the input and output as JSON in the model's member names: for Step Functions, CloudFormation
  // and other callers that learn the operation at run time.
  virtual Task<Reply<wire::Json>> invoke_json(const Call& from, std::string_view service, std::string_view operation,
                                              const wire::Json& input) = 0;

  // A call that nobody outside made: for duties that a service does on its own (retries, pollers).
  virtual Call internal_call(std::string account, std::string region) = 0;

  // Every CloudFormation resource type of every service, by name ("AWS::SQS::Queue"); nullptr when unknown.
  virtual const ResourceType* find_resource_type(std::string_view name) = 0;
  virtual std::vector<const ResourceType*> resource_types() = 0;
};

}  // namespace reef::aws
