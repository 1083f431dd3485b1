#include "service/sqs/errors.h"

#include <fmt/format.h>

#include "aws/models/sqs.h"
#include "aws/unmodelled_errors.h"
#include "base/check.h"

namespace reef::service::sqs {
namespace shapes = aws::sqs::errors;

aws::Error no_such_queue() {
  aws::Error error(shapes::kQueueDoesNotExist, "The specified queue does not exist.");
  error.query_message = "The specified queue does not exist for this wsdl version.";
  return error;
}

aws::Error invalid_parameter(std::string message) {
  aws::Error error = aws::invalid_parameter_value(std::move(message));
  error.code = "InvalidParameterValueException";  // the JSON protocol's name; the query protocol's follows
  error.query_code = "InvalidParameterValue";
  return error;
}

aws::Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason) {
  return invalid_parameter(fmt::format("Value {} for parameter {} is invalid. Reason: {}", value, parameter, reason));
}

aws::Error missing_parameter(std::string_view parameter) {
  aws::Error error = aws::missing_parameter(fmt::format("The request must contain the parameter {}.", parameter));
  error.code = "MissingRequiredParameterException";
  error.query_code = "MissingParameter";
  return error;
}

aws::Error missing_deduplication() {
  return invalid_parameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
}

aws::Error bad_handle(std::string_view handle) {
  return {shapes::kReceiptHandleIsInvalid, fmt::format("The input receipt handle \"{}\" is not a valid receipt handle.", handle)};
}

aws::Error to_error(queue::Refusal refusal, std::string_view subject) {
  using queue::Refusal;
  switch (refusal) {
    case Refusal::kNoSuchQueue: return no_such_queue();
    case Refusal::kQueueExists:
      return {shapes::kQueueNameExists, fmt::format("A queue already exists with the same name and a different value for attribute {}", subject)};
    case Refusal::kNoSuchMessage:
      return invalid_value(subject, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.");
    case Refusal::kHandleExpired: return invalid_value(subject, "ReceiptHandle", "The receipt handle has expired.");
    case Refusal::kNotLeased:
      return invalid_value(subject, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.");
    case Refusal::kBadHandle: return bad_handle(subject);
    case Refusal::kTooManyLeased: return {shapes::kOverLimit, "Maximum number of inflight messages for the queue is reached."};
    case Refusal::kRecentlyPurged:
      return {shapes::kPurgeQueueInProgress, fmt::format("Only one PurgeQueue operation on {} is allowed every 60 seconds.", subject)};
    case Refusal::kNotPrepared: break;
  }
  static_cast<void>(BUG_IF(true));  // whoever prepares messages has the real error
  return aws::internal_failure();
}

}  // namespace reef::service::sqs
