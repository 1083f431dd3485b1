// {{resolve:ssm:name:version}} and {{resolve:secretsmanager:name:SecretString:key}} in the properties and outputs of a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
#pragma once

#include "base/task.h"
#include "service/cloudformation/cloudformation.h"

namespace reef::cloudformation {

// Replaces the references in every text of `value`.
Task<Reply<Json>> resolve_dynamic_references(Cloudformation& cloud, const aws::Call& call, Json value);

}  // namespace reef::cloudformation
