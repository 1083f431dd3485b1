// The model's constraints, checked once for every service, with AWS's wording: required members, lengths, ranges,
// patterns and enumerations, recursively.
#pragma once

#include "aws/error.h"
#include "aws/protocol/codec.h"
#include "aws/shape.h"

namespace reef::aws {

// What of the model is checked here for a service; the rest the service words itself.
enum class ValidationPolicy {
  kEverything,
  kRequiredOnly,        // "1 validation error detected: Value null at 'item' failed ..."
  kMissingParameter,    // required only, as "The request must contain the parameter QueueName."
  kNothing,
};
ValidationPolicy validation_policy(std::string_view service);

// `missing` is what decode_request found absent.
Reply<void> validate(const ServiceModel& service, const OperationModel& operation, const void* input,
                     const MissingMembers& missing);

// "1 validation error detected: …" for these violations, each "Value 'x' at 'path' failed to satisfy constraint: …".
Error validation_failure(const ServiceModel& service, const std::vector<std::string>& violations);

}  // namespace reef::aws
