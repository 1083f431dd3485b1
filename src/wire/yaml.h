// YAML 1.1 into JSON, over libyaml: scalars as YAML 1.1 resolves them, except that dates and numbers with leading
// zeros stay text; anchors and aliases within a bound; tags that start with '!' handed to the caller.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "wire/json.h"

namespace reef::wire {

struct YamlError {
  std::string message;
  std::size_t line = 0, column = 0;  // from 1
};

// Turns a value that carries `tag` ("!Ref") into what it means. A tagged scalar arrives as text. Returns a message when the
// tag is unknown or the value does not fit it, "" when all is well. Without a handler a tag is an error.
using YamlTag = std::function<std::string(std::string_view tag, Json& value)>;

// The only document in `text`; an empty one is null.
Result<Json, YamlError> parse_yaml(std::string_view text, const YamlTag& on_tag = {});

}  // namespace reef::wire
