// CloudFormation is loose about types ("Threshold": "10"), operations are not: this turns a template's properties into
// what an operation's shape wants.
#pragma once

#include <string_view>

#include "aws/shape.h"
#include "wire/json.h"

namespace reef::aws {

// Texts become numbers and booleans, numbers and booleans become texts, where the shape says so. What fits already, or
// has no place in the shape, stays as it is.
wire::Json fit_to_shape(const Shape& shape, wire::Json value);

// The same for the input of a service's operation; an operation that the model has not stays as it is, to be refused by name.
wire::Json fit_to_operation(const ServiceModel& model, std::string_view operation, wire::Json input);

// [{"Key","Value"}] of several lists, later ones winning; without the "aws:" keys that only AWS itself can set.
wire::Json merge_tags(std::initializer_list<const wire::Json*> lists);

}  // namespace reef::aws
