// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
#include <fmt/format.h>

#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"

namespace reef::service::lambda::operations {

Task<Reply<model::Concurrency>> put_function_concurrency(Lambda& lambda, const model::PutFunctionConcurrencyInput& in, const Call& call) {
  const FunctionName wanted = CO_TRY(parse_reachable_function(in.function_name, std::nullopt, call));
  if (!wanted.qualifier.empty())
    co_return Err(invalid_parameter("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN."));
  auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call, fmt::format("Function not found: {}:$LATEST", wanted.arn())));
  std::int64_t others = 0;
  for (const auto& [other, one] : lambda.repository.functions(name.account, name.region))
    if (other.name != name.name) others += one.reserved.value_or(0);
  if (others + in.reserved_concurrent_executions > limits::kAccountConcurrency - limits::kUnreservedMin)
    co_return Err(aws::Error(errors::kInvalidParameterValueException, fmt::format("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{}].", limits::kUnreservedMin)));
  function.reserved = in.reserved_concurrent_executions;
  lambda.repository.put(name, function);
  co_await stored();
  co_return model::Concurrency{.reserved_concurrent_executions = function.reserved};
}

Task<Reply<model::GetFunctionConcurrencyOutput>> get_function_concurrency(Lambda& lambda, const model::GetFunctionConcurrencyInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  co_return model::GetFunctionConcurrencyOutput{.reserved_concurrent_executions = function.reserved};
}

Task<Reply<model::DeleteFunctionConcurrencyOutput>> delete_function_concurrency(Lambda& lambda, const model::DeleteFunctionConcurrencyInput& in, const Call& call) {
  auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  function.reserved.reset();
  lambda.repository.put(name, function);
  co_await stored();
  co_return model::DeleteFunctionConcurrencyOutput{};
}

}  // namespace reef::service::lambda::operations
