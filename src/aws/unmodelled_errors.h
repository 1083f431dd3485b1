// Error codes that AWS returns and no service model declares, each with its source.
#pragma once

#include "aws/error.h"

namespace reef::aws {

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
inline Error validation_error(std::string message) { return {"ValidationError", std::move(message), 400}; }
inline Error validation_exception(std::string message) { return {"ValidationException", std::move(message), 400}; }
inline Error internal_failure() {
  return {"InternalFailure", "The request processing has failed because of an unknown error, exception or failure.", 500};
}
inline Error access_denied(std::string message) { return {"AccessDeniedException", std::move(message), 400}; }
inline Error throttling(std::string message) { return {"ThrottlingException", std::move(message), 400}; }
inline Error missing_parameter(std::string message) { return {"MissingParameter", std::move(message), 400}; }
inline Error invalid_parameter_value(std::string message) {
  return {"InvalidParameterValue", std::move(message), 400};
}

// Modelled by AWS, not served by Atoll: says so, by name.
inline Error not_implemented(std::string what) {
  return {"NotImplemented", what + " is not supported by this version of Atoll.", 501};
}

}  // namespace reef::aws
