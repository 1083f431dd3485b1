// What a target gets of an event: a part of it, or a template filled from it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "wire/json.h"

namespace reef::events {

// A path like $.detail.items[0].name: what it is in `event`, or nothing. With [*] the array of all that it is.
std::optional<wire::Json> find_path(const wire::Json& event, std::string_view path);
// What is wrong with a path; "" when nothing is.
std::string check_path(std::string_view path);

// What a template may name besides its own paths.
struct TransformContext {
  std::string rule_arn, rule_name;
  Time ingestion_time{};
};

struct Transform {
  std::map<std::string, std::string, std::less<>> paths;
  std::string text;
};

// "" when the template is fine, else AWS's reason: names that no path defines, text that is no JSON when filled.
std::string check_transform(const Transform& transform);
std::string apply_transform(const Transform& transform, const wire::Json& event, const TransformContext& context);

}  // namespace reef::events
