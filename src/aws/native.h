// How a hand-written C++ type takes the place of a modelled shape: its Shape has Kind::kNative and points to one of
// these. Such types appear only in JSON protocols, in the store and in calls from inside.
#pragma once

#include "aws/error.h"
#include "wire/json.h"
#include "wire/json_reader.h"

namespace reef::aws {

struct NativeCodec {
  // Reads the next value of `in`. A syntax error stays in the reader; a value that means nothing is the Error.
  Reply<void> (*decode)(wire::JsonReader& in, void* value);
  void (*encode)(const void* value, wire::JsonWriter& out);
};

}  // namespace reef::aws
