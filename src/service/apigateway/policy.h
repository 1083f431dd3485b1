// The resource policy of a REST API: who may invoke it from where.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "aws/call.h"
#include "aws/error.h"
#include "aws/invoke_policy.h"
#include "wire/json.h"

namespace reef::service::apigateway {

struct InvokeRequest {
  std::string arn;                      // "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/orders"
  const aws::Principal* principal = nullptr;  // of a signed request
  std::map<std::string, std::string, std::less<>> keys;  // "aws:sourceip" and so on, in lower case
};

// What the policy's statements say together: a denial wins.
aws::Verdict judge_policy(const wire::Json& policy, const InvokeRequest& request);
// Refuses, by name, what judge_policy would not understand.
aws::Reply<void> check_policy(const std::string& text);
// Whether an address is in a block: "10.0.0.0/8", "2001:db8::/32", or an address alone.
bool is_in_block(std::string_view address, std::string_view block);

}  // namespace reef::service::apigateway
