// Queue refusals as SQS errors, and the errors that SQS words itself.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"
#include "engine/queue/queue.h"

namespace reef::service::sqs {

// `subject` is the queue's name or the receipt handle that the refusal is about.
aws::Error to_error(queue::Refusal refusal, std::string_view subject = {});

template <class T>
aws::Reply<T> to_reply(Result<T, queue::Refusal> result, std::string_view subject = {}) {
  if (!result) return Err(to_error(result.error(), subject));
  if constexpr (std::is_void_v<T>) return {};
  else return *std::move(result);
}

aws::Error no_such_queue();
// "Value 901 for parameter DelaySeconds is invalid. Reason: Must be between 0 and 900, if provided."
aws::Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason);
aws::Error invalid_parameter(std::string message);
aws::Error missing_parameter(std::string_view parameter);
aws::Error bad_handle(std::string_view handle);
aws::Error missing_deduplication();

}  // namespace reef::service::sqs
