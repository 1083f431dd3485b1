// DynamoDB's typed values in its JSON: {"S": "text"}, {"N": "12.5"}, {"M": {...}}.
#pragma once

#include "aws/native.h"

namespace reef::aws {

// Numbers keep their text; a value with no or several known types becomes AttributeKind::kNone or kSeveral, which the
// service refuses with AWS's text.
extern const NativeCodec kAttributeValueCodec;

}  // namespace reef::aws
