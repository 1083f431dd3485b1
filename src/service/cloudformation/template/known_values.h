// What can be said of a template's values before anything is made.
#pragma once

#include "service/cloudformation/template/evaluate.h"

namespace reef::cloudformation {

// The value with every function applied whose result is known beforehand: parameters, mappings and conditions are,
// resources, imports and dynamic references are not. A function that depends on those stays as it is written, an object
// with its name as the only member. The error of one that can never have a value ("Unable to get mapping ...").
Reply<Json> known_values(const Json& value, const Scope& scope);

}  // namespace reef::cloudformation
