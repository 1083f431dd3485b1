// What a resource type's `check` sees of values that depend on resources that are not there yet: the function that will
// give them, {"Ref": "Table"} or {"Fn::GetAtt": [...]}.
#pragma once

#include "wire/json.h"

namespace reef::aws {

inline bool is_unknown(const wire::Json& value) {
  if (!value.is_object() || value.size() != 1) return false;
  const std::string& name = value.as_object().front().first;
  return name == "Ref" || name.starts_with("Fn::");
}

}  // namespace reef::aws
