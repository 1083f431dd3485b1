// A template's text into its tree: JSON or YAML, short forms turned into long ones, the sections checked.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aws/error.h"
#include "wire/json.h"

namespace reef::cloudformation {

using aws::Reply;
using wire::Json;

// ValidationError, as nearly everything that CloudFormation refuses.
aws::Error invalid(std::string message);

// Text into tree; "Template format error: ..." when it is neither JSON nor YAML.
Reply<Json> parse_template(std::string_view text);

// "!Ref" and its like into their long forms; a message when the tag is unknown. For wire::parse_yaml.
std::string expand_short_form(std::string_view tag, Json& value);

// The sections of a template whose transforms were applied, without looking at resource types.
Reply<void> check_sections(const Json& document);
// The names of parameters, which is checked before anything is made of their values.
Reply<void> check_parameter_names(const Json& document);

// Names of the transforms that the template asks for, in order.
std::vector<std::string> transforms_of(const Json& document);

// The name of the intrinsic that `value` is ("Ref", "Fn::Join", ...), or "".
std::string_view intrinsic_of(const Json& value);

}  // namespace reef::cloudformation
