// The role that a stack acts as: RoleARN of CreateStack and its kin.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
#pragma once

#include <string>

#include "aws/call.h"
#include "aws/caller.h"
#include "aws/error.h"
#include "base/task.h"

namespace reef::cloudformation {

// Whether CloudFormation may assume the role: it is known to IAM, and its trust policy names cloudformation.amazonaws.com.
Task<aws::Reply<void>> check_role(aws::Caller& caller, const aws::Call& call, std::string role_arn);
// A call of the stack itself, or of the role's session when the stack has a role.
aws::Call stack_call(aws::Caller& caller, const std::string& account, const std::string& region, const std::string& role_arn);

}  // namespace reef::cloudformation
