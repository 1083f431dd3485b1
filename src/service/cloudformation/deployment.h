// Carrying a stack from what it is to what it should be: create, update, roll back, clean up, delete. Each step is in
// the store before it is taken, so that a crash in between is rolled back or carried on.
#pragma once

#include <string>

#include "base/task.h"
#include "service/cloudformation/cloudformation.h"

namespace reef::cloudformation {

// Does what stack.work says, and what follows from it, to the end.
Task<void> deploy(Cloudformation& cloud, std::string stack_id);

}  // namespace reef::cloudformation
