// AWS::Serverless-2016-10-31: serverless resources into the CloudFormation resources that they stand for. Pure.
// https://github.com/aws/serverless-application-model/blob/develop/versions/2016-10-31.md
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "service/cloudformation/template/template.h"

namespace reef::cloudformation::sam {

// `parameters` are the values of the template's parameters: a few decisions (logical ids of versions, conditions on
// literal properties) look through Ref. AlwaysDeploy makes a new deployment of every second. Errors are AWS's: "Transform AWS::Serverless-2016-10-31 failed with: ...".
Reply<Json> transform(const Json& document, const std::map<std::string, Json, std::less<>>& parameters, std::string_view region,
                      std::int64_t now_seconds = 0);

}  // namespace reef::cloudformation::sam
