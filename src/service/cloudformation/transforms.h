// Transforms: what turns the template that was sent into the one that is carried out. Those of AWS, the Lambda functions
// that stacks declare as macros, and both again inside the template as Fn::Transform.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
#pragma once

#include <map>
#include <string>

#include "service/cloudformation/cloudformation.h"

namespace reef::cloudformation {

// `parameters` are the values that transforms may use: texts, or lists of texts.
Task<Reply<Json>> apply_transforms(Cloudformation& cloud, const aws::Call& call, const Json& document, const std::map<std::string, Json, std::less<>>& parameters);

}  // namespace reef::cloudformation
