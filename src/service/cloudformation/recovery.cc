#include "service/cloudformation/recovery.h"

#include <algorithm>
#include <utility>

namespace reef::cloudformation {
namespace {

constexpr std::string_view kInterrupted = "Interrupted by a restart.";

// The replacement of a resource may or may not have been made. The old one is what the stack still has.
void set_aside_half_made(Stack& stack) {
  for (Leftover& leftover : stack.leftovers) {
    if (!leftover.is_replaced || leftover.resource.is_making) continue;
    const auto found = stack.resources.find(leftover.resource.logical_id);
    if (found == stack.resources.end() || !found->second.is_making || found->second.state.physical_id != leftover.resource.state.physical_id) continue;
    std::swap(found->second, leftover.resource);
    leftover.resource.state = {};
  }
}

}  // namespace

void prepare_rollback(Stack& stack) {
  for (Leftover& leftover : stack.leftovers) {
    if (leftover.resource.is_making) continue;
    if (!leftover.is_replaced) {
      stack.resources[leftover.resource.logical_id] = leftover.resource;
      continue;
    }
    const auto found = stack.resources.find(leftover.resource.logical_id);
    if (found == stack.resources.end()) continue;
    std::swap(found->second, leftover.resource);
  }
  std::erase_if(stack.leftovers, [&](const Leftover& leftover) {
    const auto found = stack.resources.find(leftover.resource.logical_id);
    if (leftover.resource.is_making) return false;
    return !leftover.is_replaced || !leftover.resource.exists() ||
           (found != stack.resources.end() && found->second.state.physical_id == leftover.resource.state.physical_id);
  });
}

void resume_interrupted(Stack& stack) {
  set_aside_half_made(stack);
  for (auto& [name, resource] : stack.resources) {
    if (!resource.status.ends_with("_IN_PROGRESS")) continue;
    resource.status = resource.status.substr(0, resource.status.size() - std::string_view("IN_PROGRESS").size()) + "FAILED";
    resource.reason = std::string(kInterrupted);
  }
  if (stack.work == Work::kCreate) {
    stack.work = stack.on_failure == "DELETE" ? Work::kDelete : Work::kRollBackCreate;
    stack.status = stack.on_failure == "DELETE" ? "DELETE_IN_PROGRESS" : "ROLLBACK_IN_PROGRESS";
    stack.reason = std::string(kInterrupted);
  } else if (stack.work == Work::kUpdate) {
    stack.work = Work::kRollBackUpdate;
    stack.status = "UPDATE_ROLLBACK_IN_PROGRESS";
    stack.reason = std::string(kInterrupted);
  }
}

}  // namespace reef::cloudformation
