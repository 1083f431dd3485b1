// Stack policies: which resources an update may modify, replace or delete. Pure.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
#pragma once

#include <string>
#include <string_view>

#include "service/cloudformation/template/template.h"

namespace reef::cloudformation {

// `action` is "Update:Modify", "Update:Replace" or "Update:Delete". An empty policy allows everything; a policy allows only
// what a statement allows and none denies.
bool is_allowed_by_policy(std::string_view policy, std::string_view action, std::string_view logical_id, std::string_view type);

}  // namespace reef::cloudformation
