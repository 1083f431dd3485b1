// Fn::ForEach of the transform AWS::LanguageExtensions: parts of a template repeated for every value of a collection.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
#pragma once

#include "service/cloudformation/template/evaluate.h"

namespace reef::cloudformation {

// The document without loops, and with DeletionPolicy and UpdateReplacePolicy that are written as functions known.
// Collections may use parameters and mappings of `scope`.
Reply<Json> expand_loops(const Json& document, const Scope& scope);

}  // namespace reef::cloudformation
