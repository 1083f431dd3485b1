// Running a function for whoever asks: operations, function URLs, queue pollers and the asynchronous queue.
#pragma once

#include <string>

#include "base/task.h"
#include "engine/function/function.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

struct Answer {
  function::Outcome outcome;
  std::string executed_version;
};

// Resolves and runs. Errors are those that the Invoke operation returns. On the control shard.
Task<Reply<Answer>> invoke_function(Lambda& lambda, FunctionName name, function::Invocation invocation);

// What AWS says of a payload that is no JSON.
Reply<void> check_payload(const std::string& payload);

aws::Error throttled(function::Refusal refusal);

}  // namespace reef::service::lambda
