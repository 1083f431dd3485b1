// What is scaled, behind one interface: how many there are, and how to make it another number. Through the front door of
// the service that owns it.
#pragma once

#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "service/applicationautoscaling/targets.h"

namespace reef::service::applicationautoscaling {

// Which dimensions are served: a message naming the one that is not, or nothing.
aws::Reply<void> check_dimension(std::string_view space, std::string_view dimension, std::string_view resource);

// The wanted capacity as it is now.
Task<aws::Reply<std::int32_t>> read_capacity(aws::Caller& caller, const aws::Call& call, std::string resource);
Task<aws::Reply<void>> write_capacity(aws::Caller& caller, const aws::Call& call, std::string resource, std::int32_t capacity);

// "service/<cluster>/<service>"
struct EcsService {
  std::string cluster, service;
};
std::optional<EcsService> parse_ecs_service(std::string_view resource);

}  // namespace reef::service::applicationautoscaling
