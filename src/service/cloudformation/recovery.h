// What a stack goes back to: after an update that failed, and after work that a crash cut off. Pure: only the
// memory of the stack changes.
#pragma once

#include "service/cloudformation/stack.h"

namespace reef::cloudformation {

// Puts back what replacements put aside, so that the old template finds its resources. What the update made becomes a
// leftover.
void prepare_rollback(Stack& stack);

// Turns work that a crash cut off into what is to be done now: half-made stacks are rolled back, and what may have been
// made without a record of it becomes a leftover, to be found and removed.
void resume_interrupted(Stack& stack);

}  // namespace reef::cloudformation
