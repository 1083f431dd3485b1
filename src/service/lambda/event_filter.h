// Event patterns, as event source mappings filter with: which JSON values an event must have.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wire/json.h"

namespace reef::service::lambda {

// What is wrong with a pattern; nothing when it is fine.
std::optional<std::string> check_pattern(const wire::Json& pattern);
bool matches(const wire::Json& pattern, const wire::Json& event);

}  // namespace reef::service::lambda
