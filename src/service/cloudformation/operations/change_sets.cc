// Change sets.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
#include <fmt/format.h>

#include "base/random.h"
#include "engine/store/shard.h"
#include "service/cloudformation/changes.h"
#include "service/cloudformation/operations.h"
#include "service/cloudformation/prepare.h"

namespace reef::cloudformation::operations {
namespace {

constexpr std::string_view kNoChanges = "The submitted information didn't contain changes. Submit different information to create a change set.";

struct Found {
  Stack* stack;
  ChangeSet* set;
};

aws::Error not_found(std::string_view name) {
  return {model::errors::kChangeSetNotFoundException, fmt::format("ChangeSet [{}] does not exist", name)};
}

Reply<Found> find_set(Cloudformation& cloud, const aws::Call& call, const std::string& name_or_id, const std::optional<std::string>& stack_name) {
  if (name_or_id.starts_with("arn:")) {
    for (Stack* stack : cloud.list(call))
      for (auto& [name, set] : stack->change_sets)
        if (set.id == name_or_id) return Found{stack, &set};
    return Err(not_found(name_or_id));
  }
  if (!stack_name) return Err(invalid("StackName must be specified if ChangeSetName is not specified as an ARN."));
  Stack* stack = cloud.find(call, *stack_name);
  if (!stack) return Err(invalid(fmt::format("Stack [{}] does not exist", *stack_name)));
  const auto found = stack->change_sets.find(name_or_id);
  if (found == stack->change_sets.end()) return Err(not_found(name_or_id));
  return Found{stack, &found->second};
}

std::vector<model::Parameter> shown_parameters(const Desired& desired) {
  std::vector<model::Parameter> out;
  for (const Parameter& parameter : desired.parameters) {
    model::Parameter each{.parameter_key = parameter.key, .parameter_value = parameter.no_echo ? "****" : parameter.value};
    if (parameter.resolved) each.resolved_value = *parameter.resolved;
    out.push_back(std::move(each));
  }
  return out;
}

}  // namespace

Task<Reply<model::CreateChangeSetOutput>> create_change_set(Cloudformation& cloud, const model::CreateChangeSetInput& in, const aws::Call& call) {
  const std::string type = in.change_set_type.value_or("UPDATE");
  if (type == "IMPORT" || in.resources_to_import) co_return Err(invalid("Change sets of type IMPORT are not supported by this version of Atoll."));
  CO_TRY(check_supported(in.rollback_configuration, in.notification_arns));
  Stack* stack = cloud.find(call, in.stack_name);
  if (stack && stack->is_deleted()) stack = nullptr;
  const bool by_id = in.stack_name.starts_with("arn:");
  if (type == "CREATE" && !by_id) CO_TRY(check_stack_name(in.stack_name));
  if ((type == "UPDATE" || by_id) && !stack) co_return Err(invalid(fmt::format("Stack [{}] does not exist", in.stack_name)));
  if (type == "UPDATE" && stack->status == "REVIEW_IN_PROGRESS")
    co_return Err(invalid(fmt::format("Stack [{}] does not exist", in.stack_name)));
  if (type == "CREATE" && stack && stack->status != "REVIEW_IN_PROGRESS")
    co_return Err(invalid(fmt::format("Stack [{}] already exists and cannot be created again with the changeSet [{}].", in.stack_name, in.change_set_name)));
  if (type == "UPDATE" && (stack->is_busy() || stack->status == "ROLLBACK_COMPLETE" || stack->status == "ROLLBACK_FAILED"))
    co_return Err(invalid(fmt::format("Stack:{} is in {} state and can not be updated.", stack->id, stack->status)));
  // A name whose change set was executed is free again: deploy tools name theirs by the second, which is long here.
  const auto existing = stack ? stack->change_sets.find(in.change_set_name) : decltype(stack->change_sets.end()){};
  if (stack && existing != stack->change_sets.end() && existing->second.execution_status != "EXECUTE_COMPLETE")
    co_return Err(aws::Error(model::errors::kAlreadyExistsException, fmt::format("ChangeSet {} already exists", in.change_set_name)));
  const std::string stack_id = stack ? stack->id : "";
  Desired desired = CO_TRY(co_await prepare(cloud, call,
                                            {.source = {in.template_body, in.template_url, in.use_previous_template.value_or(false)},
                                             .parameters = in.parameters, .tags = in.tags, .capabilities = in.capabilities,
                                             .notification_arns = in.notification_arns, .role_arn = in.role_arn, .resource_types = in.resource_types},
                                            type == "UPDATE" ? stack : nullptr));
  // The stack may have come or gone while the template was fetched.
  stack = stack_id.empty() ? cloud.find(call, in.stack_name) : cloud.find_by_id(stack_id);
  std::optional<Stack> fresh;
  if (!stack) fresh = cloud.make_stack(call, in.stack_name);
  const Stack& subject = stack ? *stack : *fresh;
  ChangeSet set{.name = in.change_set_name, .type = type, .description = in.description.value_or(""), .token = in.client_token.value_or(""),
                .on_stack_failure = in.on_stack_failure.value_or(""), .created = call.now};
  set.id = call.arn("cloudformation", fmt::format("changeSet/{}/{}", in.change_set_name, make_uuid(thread_random())));
  set.changes = CO_TRY(preview(cloud, subject, desired));
  const bool is_empty = type == "UPDATE" && is_same(subject, desired, set.changes);
  set.status = is_empty ? "FAILED" : "CREATE_COMPLETE";
  set.execution_status = is_empty ? "UNAVAILABLE" : "AVAILABLE";
  if (is_empty) set.reason = std::string(kNoChanges);
  set.desired = std::move(desired);
  if (fresh) {
    stack = &cloud.add(*std::move(fresh));
    stack->token = set.token;
    cloud.set_status(*stack, "REVIEW_IN_PROGRESS", "User Initiated");
  }
  model::CreateChangeSetOutput out{.id = set.id, .stack_id = stack->id};
  stack->change_sets[in.change_set_name] = std::move(set);
  cloud.save(*stack);
  co_await store::Shard::control().committed();
  co_return out;
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
Task<Reply<model::DescribeChangeSetOutput>> describe_change_set(Cloudformation& cloud, const model::DescribeChangeSetInput& in, const aws::Call& call) {
  const Found found = CO_TRY(find_set(cloud, call, in.change_set_name, in.stack_name));
  const ChangeSet& set = *found.set;
  model::DescribeChangeSetOutput out{.change_set_name = set.name, .change_set_id = set.id, .stack_id = found.stack->id,
                                     .stack_name = found.stack->name, .creation_time = set.created, .execution_status = set.execution_status,
                                     .status = set.status};
  if (!set.description.empty()) out.description = set.description;
  if (!set.reason.empty()) out.status_reason = set.reason;
  if (!set.desired.parameters.empty()) out.parameters = shown_parameters(set.desired);
  out.notification_arns = set.desired.notification_arns;
  out.rollback_configuration = model::RollbackConfiguration{};
  out.capabilities = set.desired.capabilities;
  if (!set.desired.tags.empty()) out.tags = set.desired.tags;
  out.changes = page_of(set.changes, in.next_token, 100, out.next_token);
  out.include_nested_stacks = false;
  if (!set.on_stack_failure.empty()) out.on_stack_failure = set.on_stack_failure;
  co_return out;
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
Task<Reply<model::ExecuteChangeSetOutput>> execute_change_set(Cloudformation& cloud, const model::ExecuteChangeSetInput& in, const aws::Call& call) {
  const Found found = CO_TRY(find_set(cloud, call, in.change_set_name, in.stack_name));
  Stack& stack = *found.stack;
  const std::string id = stack.id;
  if (found.set->execution_status != "AVAILABLE")
    co_return Err(aws::Error(model::errors::kInvalidChangeSetStatusException,
                             fmt::format("ChangeSet [{}] cannot be executed in its current status of [{}]", found.set->id, found.set->status)));
  if (stack.is_busy()) co_return Err(invalid(fmt::format("Stack:{} is in {} state and can not be updated.", stack.id, stack.status)));
  ChangeSet set = *found.set;
  set.execution_status = "EXECUTE_COMPLETE";
  // The others no longer describe the stack.
  stack.change_sets.clear();
  stack.change_sets[set.name] = set;
  stack.change_set_id = set.id;
  if (stack.status == "REVIEW_IN_PROGRESS") stack.updated = call.now;
  stack.token = in.client_request_token.value_or("");
  std::string on_failure = in.disable_rollback.value_or(false) ? "DO_NOTHING" : set.on_stack_failure.empty() ? "ROLLBACK" : set.on_stack_failure;
  if (stack.status == "REVIEW_IN_PROGRESS") begin_create(cloud, stack, std::move(set.desired), on_failure);
  else begin_update(cloud, stack, std::move(set.desired), on_failure == "DELETE" ? "ROLLBACK" : on_failure);
  co_await cloud.settle(id);
  co_await store::Shard::control().committed();
  co_return model::ExecuteChangeSetOutput{};
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html
Task<Reply<model::DeleteChangeSetOutput>> delete_change_set(Cloudformation& cloud, const model::DeleteChangeSetInput& in, const aws::Call& call) {
  auto found = find_set(cloud, call, in.change_set_name, in.stack_name);
  if (!found) {
    if (found.error().code == model::errors::kChangeSetNotFoundException.code) co_return model::DeleteChangeSetOutput{};
    co_return std::unexpected(std::move(found).error());
  }
  found->stack->change_sets.erase(found->stack->change_sets.find(found->set->name));
  cloud.save(*found->stack);
  co_await store::Shard::control().committed();
  co_return model::DeleteChangeSetOutput{};
}

Task<Reply<model::ListChangeSetsOutput>> list_change_sets(Cloudformation& cloud, const model::ListChangeSetsInput& in, const aws::Call& call) {
  Stack* stack = cloud.find(call, in.stack_name);
  if (!stack) co_return Err(invalid(fmt::format("Stack [{}] does not exist", in.stack_name)));
  std::vector<model::ChangeSetSummary> all;
  for (const auto& [name, set] : stack->change_sets) {
    model::ChangeSetSummary each{.stack_id = stack->id, .stack_name = stack->name, .change_set_id = set.id, .change_set_name = set.name,
                                 .execution_status = set.execution_status, .status = set.status, .creation_time = set.created};
    if (!set.reason.empty()) each.status_reason = set.reason;
    if (!set.description.empty()) each.description = set.description;
    all.push_back(std::move(each));
  }
  model::ListChangeSetsOutput out;
  out.summaries = page_of(std::move(all), in.next_token, 100, out.next_token);
  co_return out;
}

}  // namespace reef::cloudformation::operations
