// Whether a JSON value is as a JSON Schema (draft 4) says. What a schema says about `format` and what it only describes is not looked at.
// https://json-schema.org/draft-04/json-schema-validation
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace reef::wire {

// The schema that a "$ref" means; nullptr when there is none. "#/..." within the schema itself is found without it.
using SchemaLookup = std::function<const Json*(std::string_view reference)>;

// What is wrong with the value, in the words of the validator that API Gateway uses; empty when it fits. A reference to nothing fits nothing.
// Schemas nested deeper than 64, or that take more than 200,000 steps, are an error of the value.
std::vector<std::string> schema_violations(const Json& schema, const Json& value, const SchemaLookup& lookup = {});

}  // namespace reef::wire
