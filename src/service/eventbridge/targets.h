// What targets are and what they get: checks when they are put, and the requests that events become.
#pragma once

#include <string>
#include <string_view>

#include "service/eventbridge/book.h"

namespace reef::service::eventbridge {

// "sqs" is part 2 of an ARN, then region, account, resource; "" when there is none.
std::string_view arn_part(std::string_view arn, std::size_t index);
std::string queue_url(const Call& call, std::string_view arn);

// What is wrong with a target; nothing when it can be delivered to. What Atoll has no service for is refused by name.
Reply<void> check_target(const Rule& rule, const model::Target& target);

// The event as the target wants it: whole, a part, constant, or by a template.
std::string target_input(const Rule& rule, const model::Target& target, const std::string& event, Time taken);
wire::Json function_invocation(const model::Target& target, const std::string& input);
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/tasks-scheduled-eventbridge-rule.html
Reply<wire::Json> task_request(const model::Target& target, const std::string& input);

}  // namespace reef::service::eventbridge
