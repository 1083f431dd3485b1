// CloudFormation's operations.
#pragma once

#include <algorithm>
#include <iterator>

#include "base/task.h"
#include "base/text.h"
#include "service/cloudformation/cloudformation.h"

namespace reef::cloudformation::operations {

#define REEF_CLOUDFORMATION_OPERATION(function, Name) \
  Task<Reply<model::Name##Output>> function(Cloudformation& cloud, const model::Name##Input& in, const aws::Call& call)

REEF_CLOUDFORMATION_OPERATION(create_stack, CreateStack);
REEF_CLOUDFORMATION_OPERATION(update_stack, UpdateStack);
REEF_CLOUDFORMATION_OPERATION(delete_stack, DeleteStack);
REEF_CLOUDFORMATION_OPERATION(cancel_update_stack, CancelUpdateStack);
REEF_CLOUDFORMATION_OPERATION(rollback_stack, RollbackStack);
REEF_CLOUDFORMATION_OPERATION(continue_update_rollback, ContinueUpdateRollback);
REEF_CLOUDFORMATION_OPERATION(update_termination_protection, UpdateTerminationProtection);
REEF_CLOUDFORMATION_OPERATION(set_stack_policy, SetStackPolicy);
REEF_CLOUDFORMATION_OPERATION(get_stack_policy, GetStackPolicy);

REEF_CLOUDFORMATION_OPERATION(create_change_set, CreateChangeSet);
REEF_CLOUDFORMATION_OPERATION(describe_change_set, DescribeChangeSet);
REEF_CLOUDFORMATION_OPERATION(execute_change_set, ExecuteChangeSet);
REEF_CLOUDFORMATION_OPERATION(delete_change_set, DeleteChangeSet);
REEF_CLOUDFORMATION_OPERATION(list_change_sets, ListChangeSets);

REEF_CLOUDFORMATION_OPERATION(describe_stacks, DescribeStacks);
REEF_CLOUDFORMATION_OPERATION(describe_stack_events, DescribeStackEvents);
REEF_CLOUDFORMATION_OPERATION(describe_events, DescribeEvents);
REEF_CLOUDFORMATION_OPERATION(describe_stack_resource, DescribeStackResource);
REEF_CLOUDFORMATION_OPERATION(describe_stack_resources, DescribeStackResources);
REEF_CLOUDFORMATION_OPERATION(list_stack_resources, ListStackResources);
REEF_CLOUDFORMATION_OPERATION(list_stacks, ListStacks);
REEF_CLOUDFORMATION_OPERATION(list_exports, ListExports);
REEF_CLOUDFORMATION_OPERATION(list_imports, ListImports);
REEF_CLOUDFORMATION_OPERATION(describe_account_limits, DescribeAccountLimits);

REEF_CLOUDFORMATION_OPERATION(get_template, GetTemplate);
REEF_CLOUDFORMATION_OPERATION(get_template_summary, GetTemplateSummary);
REEF_CLOUDFORMATION_OPERATION(validate_template, ValidateTemplate);

#undef REEF_CLOUDFORMATION_OPERATION

// Refuses by name what would have no effect.
Reply<void> check_supported(const std::optional<model::RollbackConfiguration>& rollback, const std::optional<std::vector<std::string>>& notification_arns);

// "[a-zA-Z][-a-zA-Z0-9]*", with AWS's error.
Reply<void> check_stack_name(const std::string& name);

// What both CreateStack and the execution of a change set do once everything is checked.
void begin_create(Cloudformation& cloud, Stack& stack, Desired desired, std::string_view on_failure);
void begin_update(Cloudformation& cloud, Stack& stack, Desired desired, std::string_view on_failure);

// The caller's next page of `all`, `size` at a time; tokens are positions.
template <class T>
std::vector<T> page_of(std::vector<T> all, const std::optional<std::string>& token, std::size_t size, std::optional<std::string>& next) {
  const std::size_t from = token ? static_cast<std::size_t>(parse_int(*token).value_or(0)) : 0;
  if (from >= all.size()) return {};
  const std::size_t to = std::min(all.size(), from + size);
  if (to < all.size()) next = std::to_string(to);
  return {std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)), std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to))};
}

}  // namespace reef::cloudformation::operations
