// Creating, updating and deleting stacks.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
#include <algorithm>

#include <fmt/format.h>

#include "aws/validate.h"
#include "engine/store/shard.h"
#include "service/cloudformation/changes.h"
#include "service/cloudformation/operations.h"
#include "service/cloudformation/prepare.h"
#include "service/cloudformation/role.h"

namespace reef::cloudformation::operations {
namespace {

Reply<void> check_transforms_acknowledged(const Desired& desired) {
  const auto document = parse_template(desired.source);
  if (!document || transforms_of(*document).empty()) return {};
  if (std::find(desired.capabilities.begin(), desired.capabilities.end(), "CAPABILITY_AUTO_EXPAND") != desired.capabilities.end()) return {};
  return Err(aws::Error(model::errors::kInsufficientCapabilitiesException, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"));
}

bool can_update(std::string_view status) {
  return status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE" || status == "UPDATE_ROLLBACK_COMPLETE" || status == "IMPORT_COMPLETE" ||
         status == "UPDATE_FAILED" || status == "CREATE_FAILED";
}

}  // namespace

void begin_create(Cloudformation& cloud, Stack& stack, Desired desired, std::string_view on_failure) {
  stack.desired = std::move(desired);
  stack.on_failure = std::string(on_failure);
  stack.work = Work::kCreate;
  cloud.set_status(stack, "CREATE_IN_PROGRESS", "User Initiated");
  cloud.carry_out(stack.id);
}

void begin_update(Cloudformation& cloud, Stack& stack, Desired desired, std::string_view on_failure) {
  stack.previous = std::exchange(stack.desired, std::move(desired));
  stack.on_failure = std::string(on_failure);
  stack.updated = store::Shard::control().now();
  stack.cancel_requested = false;
  stack.work = Work::kUpdate;
  cloud.set_status(stack, "UPDATE_IN_PROGRESS", "User Initiated");
  cloud.carry_out(stack.id);
}

Reply<void> check_supported(const std::optional<model::RollbackConfiguration>& rollback, const std::optional<std::vector<std::string>>& notification_arns) {
  if (rollback && rollback->rollback_triggers && !rollback->rollback_triggers->empty())
    return Err(invalid("RollbackConfiguration.RollbackTriggers are not supported by this version of Atoll."));
  if (notification_arns && !notification_arns->empty()) return Err(invalid("NotificationARNs are not supported by this version of Atoll."));
  return {};
}

Reply<void> check_stack_name(const std::string& name) {
  std::vector<std::string> violations;
  const auto violated = [&](std::string_view constraint) {
    violations.push_back(fmt::format("Value '{}' at 'stackName' failed to satisfy constraint: {}", name, constraint));
  };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool fits = !name.empty() && is_letter(name[0]);
  for (const char c : name) fits = fits && (is_letter(c) || (c >= '0' && c <= '9') || c == '-');
  if (name.size() > 128) violated("Member must have length less than or equal to 128");
  if (!fits) violated("Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*");
  if (violations.empty()) return {};
  return Err(aws::validation_failure(model::kModel, violations));
}

Task<Reply<model::CreateStackOutput>> create_stack(Cloudformation& cloud, const model::CreateStackInput& in, const aws::Call& call) {
  CO_TRY(check_stack_name(in.stack_name));
  CO_TRY(check_supported(in.rollback_configuration, in.notification_arns));
  if (in.disable_rollback && in.on_failure) co_return Err(invalid("You must specify either DisableRollback or OnFailure, not both."));
  const auto refuse_taken = [&]() -> Reply<std::optional<std::string>> {
    Stack* existing = cloud.find(call, in.stack_name);
    if (!existing) return std::optional<std::string>();
    if (in.client_request_token && existing->token == *in.client_request_token) return std::optional(existing->id);
    return Err(aws::Error(model::errors::kAlreadyExistsException, fmt::format("Stack [{}] already exists", in.stack_name)));
  };
  if (const auto again = CO_TRY(refuse_taken())) co_return model::CreateStackOutput{.stack_id = *again};
  std::optional<std::vector<model::Tag>> tags = in.tags;
  std::string parent;
  if (!call.http_request && tags)
    std::erase_if(*tags, [&](const model::Tag& tag) { return tag.key == kParentTag && !(parent = tag.value).empty(); });
  Desired desired = CO_TRY(co_await prepare(cloud, call,
                                            {.source = {in.template_body, in.template_url}, .parameters = in.parameters, .tags = tags,
                                             .capabilities = in.capabilities, .notification_arns = in.notification_arns, .role_arn = in.role_arn, .resource_types = in.resource_types},
                                            nullptr));
  CO_TRY(check_transforms_acknowledged(desired));
  Stack stack = cloud.make_stack(call, in.stack_name);
  const Scope scope = CO_TRY(make_scope(cloud, stack, desired));
  CO_TRY(make_plan(cloud, desired, scope));
  // Another call may have taken the name while the template was fetched.
  if (const auto again = CO_TRY(refuse_taken())) co_return model::CreateStackOutput{.stack_id = *again};
  stack.token = in.client_request_token.value_or("");
  if (const Stack* above = parent.empty() ? nullptr : cloud.find_by_id(parent)) {
    stack.parent_id = above->id;
    stack.root_id = above->root_id.empty() ? above->id : above->root_id;
  }
  stack.timeout_minutes = in.timeout_in_minutes.value_or(0);
  stack.has_termination_protection = in.enable_termination_protection.value_or(false);
  stack.stack_policy = in.stack_policy_body.value_or("");
  const std::string on_failure = in.disable_rollback.value_or(false) ? "DO_NOTHING" : in.on_failure.value_or("ROLLBACK");
  Stack& added = cloud.add(std::move(stack));
  model::CreateStackOutput out{.stack_id = added.id};
  begin_create(cloud, added, std::move(desired), on_failure);
  co_await cloud.settle(*out.stack_id);
  co_await store::Shard::control().committed();
  co_return out;
}

Task<Reply<model::UpdateStackOutput>> update_stack(Cloudformation& cloud, const model::UpdateStackInput& in, const aws::Call& call) {
  CO_TRY(check_supported(in.rollback_configuration, in.notification_arns));
  if (in.stack_policy_during_update_url || in.stack_policy_url)
    co_return Err(invalid("Stack policies by URL are taken by SetStackPolicy only, in this version of Atoll."));
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  if (stack->is_deleted()) co_return Err(invalid(fmt::format("Stack [{}] does not exist", in.stack_name)));
  if (!can_update(stack->status))
    co_return Err(invalid(fmt::format("Stack:{} is in {} state and can not be updated.", stack->id, stack->status)));
  const std::string id = stack->id;
  Desired desired = CO_TRY(co_await prepare(cloud, call,
                                            {.source = {in.template_body, in.template_url, in.use_previous_template.value_or(false)},
                                             .parameters = in.parameters, .tags = in.tags, .capabilities = in.capabilities,
                                             .notification_arns = in.notification_arns, .role_arn = in.role_arn, .resource_types = in.resource_types},
                                            stack));
  CO_TRY(check_transforms_acknowledged(desired));
  stack = cloud.find_by_id(id);
  if (!stack || !can_update(stack->status)) co_return Err(invalid(fmt::format("Stack:{} can not be updated.", id)));
  const auto changes = CO_TRY(preview(cloud, *stack, desired));
  if (is_same(*stack, desired, changes) && stack->status != "UPDATE_FAILED" && stack->status != "CREATE_FAILED")
    co_return Err(invalid("No updates are to be performed."));
  stack->token = in.client_request_token.value_or("");
  stack->policy_during_update = in.stack_policy_during_update_body.value_or("");
  if (in.stack_policy_body) stack->stack_policy = *in.stack_policy_body;
  begin_update(cloud, *stack, std::move(desired), in.disable_rollback.value_or(false) ? "DO_NOTHING" : "ROLLBACK");
  co_await cloud.settle(id);
  co_await store::Shard::control().committed();
  co_return model::UpdateStackOutput{.stack_id = id};
}

Task<Reply<model::DeleteStackOutput>> delete_stack(Cloudformation& cloud, const model::DeleteStackInput& in, const aws::Call& call) {
  Stack* stack = cloud.find(call, in.stack_name);
  // Deleting what is not there succeeds.
  if (!stack || stack->is_deleted() || stack->work == Work::kDelete) co_return model::DeleteStackOutput{};
  if (stack->has_termination_protection)
    co_return Err(invalid(fmt::format("Stack [{}] cannot be deleted while TerminationProtection is enabled", stack->name)));
  if (stack->work != Work::kNone)
    co_return Err(invalid(fmt::format("Stack [{}] cannot be deleted while in status {}", stack->name, stack->status)));
  if (in.role_arn) {
    CO_TRY(co_await check_role(cloud.caller, call, *in.role_arn));
    stack = cloud.find(call, in.stack_name);
    if (!stack || stack->is_deleted() || stack->work != Work::kNone) co_return model::DeleteStackOutput{};
    stack->desired.role_arn = *in.role_arn;
  }
  if (in.retain_resources && !in.retain_resources->empty() && stack->status != "DELETE_FAILED")
    co_return Err(invalid(fmt::format("Invalid operation on stack [{}]. Resources can be retained only when the stack is in the DELETE_FAILED state.", stack->id)));
  stack->token = in.client_request_token.value_or("");
  stack->retain.clear();
  for (const std::string& name : in.retain_resources.value_or(std::vector<std::string>())) stack->retain.insert(name);
  stack->work = Work::kDelete;
  stack->status_before_delete = stack->status;
  cloud.set_status(*stack, "DELETE_IN_PROGRESS", "User Initiated");
  const std::string id = stack->id;
  cloud.carry_out(id);
  co_await cloud.settle(id);
  co_await store::Shard::control().committed();
  co_return model::DeleteStackOutput{};
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
Task<Reply<model::CancelUpdateStackOutput>> cancel_update_stack(Cloudformation& cloud, const model::CancelUpdateStackInput& in, const aws::Call& call) {
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  if (stack->status != "UPDATE_IN_PROGRESS") co_return Err(invalid("CancelUpdateStack cannot be called from current stack status"));
  stack->cancel_requested = true;
  co_return model::CancelUpdateStackOutput{};
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html
Task<Reply<model::RollbackStackOutput>> rollback_stack(Cloudformation& cloud, const model::RollbackStackInput& in, const aws::Call& call) {
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  const std::string id = stack->id;
  if (stack->status == "CREATE_FAILED") {
    stack->work = Work::kRollBackCreate;
    cloud.set_status(*stack, "ROLLBACK_IN_PROGRESS", "User Initiated");
  } else if (stack->status == "UPDATE_FAILED") {
    stack->work = Work::kRollBackUpdate;
    cloud.set_status(*stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated");
  } else {
    co_return Err(invalid(fmt::format("Stack:{} is in {} state and can not be rolled back.", id, stack->status)));
  }
  cloud.carry_out(id);
  co_await store::Shard::control().committed();
  co_return model::RollbackStackOutput{.stack_id = id};
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
Task<Reply<model::ContinueUpdateRollbackOutput>> continue_update_rollback(Cloudformation& cloud, const model::ContinueUpdateRollbackInput& in, const aws::Call& call) {
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  if (stack->status != "UPDATE_ROLLBACK_FAILED")
    co_return Err(invalid(fmt::format("Stack:{} is in {} state and can not continue update rollback.", stack->id, stack->status)));
  for (const std::string& name : in.resources_to_skip.value_or(std::vector<std::string>())) {
    const auto found = stack->resources.find(name);
    if (found == stack->resources.end() || found->second.status != "UPDATE_FAILED")
      co_return Err(invalid(fmt::format("ResourcesToSkip contains the resource {} that is not in the UPDATE_FAILED state.", name)));
    found->second.status = "UPDATE_COMPLETE";
    cloud.save_resource(*stack, found->second);
  }
  stack->work = Work::kRollBackUpdate;
  cloud.set_status(*stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated");
  cloud.carry_out(stack->id);
  co_await store::Shard::control().committed();
  co_return model::ContinueUpdateRollbackOutput{};
}

Task<Reply<model::UpdateTerminationProtectionOutput>> update_termination_protection(Cloudformation& cloud, const model::UpdateTerminationProtectionInput& in, const aws::Call& call) {
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  stack->has_termination_protection = in.enable_termination_protection;
  cloud.save(*stack);
  const std::string id = stack->id;
  co_await store::Shard::control().committed();
  co_return model::UpdateTerminationProtectionOutput{.stack_id = id};
}

Task<Reply<model::SetStackPolicyOutput>> set_stack_policy(Cloudformation& cloud, const model::SetStackPolicyInput& in, const aws::Call& call) {
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  stack->stack_policy = CO_TRY(co_await fetch_template(cloud, call, {in.stack_policy_body, in.stack_policy_url}, nullptr));
  cloud.save(*stack);
  co_await store::Shard::control().committed();
  co_return model::SetStackPolicyOutput{};
}

Task<Reply<model::GetStackPolicyOutput>> get_stack_policy(Cloudformation& cloud, const model::GetStackPolicyInput& in, const aws::Call& call) {
  Stack* stack = CO_TRY(cloud.get(call, in.stack_name));
  model::GetStackPolicyOutput out;
  if (!stack->stack_policy.empty()) out.stack_policy_body = stack->stack_policy;
  co_return out;
}

}  // namespace reef::cloudformation::operations
