// Reading stacks, their resources, events, exports and imports.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
#include <algorithm>

#include <fmt/format.h>

#include "service/cloudformation/operations.h"

namespace reef::cloudformation::operations {
namespace {

model::Stack shown(const Stack& stack) {
  model::Stack out{.stack_id = stack.id, .stack_name = stack.name, .creation_time = stack.created, .stack_status = stack.status};
  if (!stack.change_set_id.empty()) out.change_set_id = stack.change_set_id;
  if (!stack.desired.description().empty()) out.description = stack.desired.description();
  if (!stack.desired.parameters.empty()) {
    auto& parameters = out.parameters.emplace();
    for (const Parameter& parameter : stack.desired.parameters) {
      model::Parameter each{.parameter_key = parameter.key, .parameter_value = parameter.no_echo ? "****" : parameter.value};
      if (parameter.resolved) each.resolved_value = *parameter.resolved;
      parameters.push_back(std::move(each));
    }
  }
  out.deletion_time = stack.deleted;
  out.last_updated_time = stack.updated;
  out.rollback_configuration = model::RollbackConfiguration{};
  if (!stack.reason.empty()) out.stack_status_reason = stack.reason;
  out.disable_rollback = stack.on_failure == "DO_NOTHING";
  out.notification_arns = stack.desired.notification_arns;
  if (stack.timeout_minutes > 0) out.timeout_in_minutes = stack.timeout_minutes;
  if (!stack.desired.capabilities.empty()) out.capabilities = stack.desired.capabilities;
  if (!stack.outputs.empty()) out.outputs = stack.outputs;
  if (!stack.desired.role_arn.empty()) out.role_arn = stack.desired.role_arn;
  out.tags = stack.desired.tags;
  out.enable_termination_protection = stack.has_termination_protection;
  if (!stack.parent_id.empty()) out.parent_id = stack.parent_id;
  if (!stack.root_id.empty()) out.root_id = stack.root_id;
  out.drift_information = model::StackDriftInformation{.stack_drift_status = "NOT_CHECKED"};
  return out;
}

Reply<Stack*> get_live(Cloudformation& cloud, const aws::Call& call, const std::string& name) {
  Stack* stack = cloud.find(call, name);
  if (!stack) return Err(invalid(fmt::format("Stack '{}' does not exist", name)));
  return stack;
}

Reply<Stack*> find_by_resource(Cloudformation& cloud, const aws::Call& call, const std::string& physical_id) {
  for (Stack* stack : cloud.list(call)) {
    if (stack->is_deleted()) continue;
    for (const auto& [name, resource] : stack->resources)
      if (resource.state.physical_id == physical_id) return stack;
  }
  return Err(invalid(fmt::format("Stack for {} does not exist", physical_id)));
}

}  // namespace

Task<Reply<model::DescribeStacksOutput>> describe_stacks(Cloudformation& cloud, const model::DescribeStacksInput& in, const aws::Call& call) {
  model::DescribeStacksOutput out;
  if (in.stack_name && !in.stack_name->empty()) {
    out.stacks.emplace().push_back(shown(*CO_TRY(cloud.get(call, *in.stack_name))));
    co_return out;
  }
  std::vector<model::Stack> all;
  for (const Stack* stack : cloud.list(call))
    if (!stack->is_deleted()) all.push_back(shown(*stack));
  out.stacks = page_of(std::move(all), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::DescribeStackEventsOutput>> describe_stack_events(Cloudformation& cloud, const model::DescribeStackEventsInput& in, const aws::Call& call) {
  Stack* stack = cloud.find(call, in.stack_name);
  if (!stack) co_return Err(invalid(fmt::format("Stack [{}] does not exist", in.stack_name)));
  model::DescribeStackEventsOutput out;
  out.stack_events = page_of(cloud.events(*stack), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::DescribeEventsOutput>> describe_events(Cloudformation& cloud, const model::DescribeEventsInput& in, const aws::Call& call) {
  if (!in.stack_name) co_return Err(invalid("DescribeEvents needs a StackName; change sets have no events of their own in this version of Atoll."));
  Stack* stack = cloud.find(call, *in.stack_name);
  if (!stack) co_return Err(invalid(fmt::format("Stack [{}] does not exist", *in.stack_name)));
  const bool only_failed = in.filters && in.filters->failed_events.value_or(false);
  std::vector<model::OperationEvent> all;
  for (const model::StackEvent& event : cloud.events(*stack)) {
    if (only_failed && !event.resource_status.value_or("").ends_with("_FAILED")) continue;
    all.push_back({.event_id = event.event_id, .stack_id = event.stack_id, .event_type = "STACK_EVENT", .logical_resource_id = event.logical_resource_id,
                   .physical_resource_id = event.physical_resource_id, .resource_type = event.resource_type, .timestamp = event.timestamp,
                   .resource_status = event.resource_status, .resource_status_reason = event.resource_status_reason,
                   .resource_properties = event.resource_properties, .client_request_token = event.client_request_token});
  }
  model::DescribeEventsOutput out;
  out.operation_events = page_of(std::move(all), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::DescribeStackResourceOutput>> describe_stack_resource(Cloudformation& cloud, const model::DescribeStackResourceInput& in, const aws::Call& call) {
  const Stack* stack = CO_TRY(get_live(cloud, call, in.stack_name));
  const auto found = stack->resources.find(in.logical_resource_id);
  if (found == stack->resources.end())
    co_return Err(invalid(fmt::format("Resource {} does not exist for stack {}", in.logical_resource_id, in.stack_name)));
  const Resource& resource = found->second;
  model::StackResourceDetail detail{.stack_name = stack->name, .stack_id = stack->id, .logical_resource_id = resource.logical_id,
                                    .physical_resource_id = resource.state.physical_id, .resource_type = resource.type,
                                    .last_updated_timestamp = resource.changed, .resource_status = resource.status};
  if (!resource.reason.empty()) detail.resource_status_reason = resource.reason;
  detail.metadata = resource.metadata.is_object() ? resource.metadata.dump() : "{}";
  detail.drift_information = model::StackResourceDriftInformation{.stack_resource_drift_status = "NOT_CHECKED"};
  co_return model::DescribeStackResourceOutput{.stack_resource_detail = std::move(detail)};
}

Task<Reply<model::DescribeStackResourcesOutput>> describe_stack_resources(Cloudformation& cloud, const model::DescribeStackResourcesInput& in, const aws::Call& call) {
  if (!in.stack_name && !in.physical_resource_id) co_return Err(invalid("Either StackName or PhysicalResourceId must be specified"));
  const Stack* stack = nullptr;
  if (in.stack_name) {
    stack = cloud.find(call, *in.stack_name);
    if (!stack) co_return Err(invalid(fmt::format("Stack with id {} does not exist", *in.stack_name)));
  } else {
    stack = CO_TRY(find_by_resource(cloud, call, *in.physical_resource_id));
  }
  model::DescribeStackResourcesOutput out;
  auto& resources = out.stack_resources.emplace();
  for (const auto& [name, resource] : stack->resources) {
    if (in.logical_resource_id && *in.logical_resource_id != name) continue;
    model::StackResource each{.stack_name = stack->name, .stack_id = stack->id, .logical_resource_id = name,
                              .physical_resource_id = resource.state.physical_id, .resource_type = resource.type, .timestamp = resource.changed,
                              .resource_status = resource.status};
    if (!resource.reason.empty()) each.resource_status_reason = resource.reason;
    each.drift_information = model::StackResourceDriftInformation{.stack_resource_drift_status = "NOT_CHECKED"};
    resources.push_back(std::move(each));
  }
  co_return out;
}

Task<Reply<model::ListStackResourcesOutput>> list_stack_resources(Cloudformation& cloud, const model::ListStackResourcesInput& in, const aws::Call& call) {
  const Stack* stack = cloud.find(call, in.stack_name);
  if (!stack) co_return Err(invalid(fmt::format("Stack with id {} does not exist", in.stack_name)));
  std::vector<model::StackResourceSummary> all;
  for (const auto& [name, resource] : stack->resources) {
    model::StackResourceSummary each{.logical_resource_id = name, .physical_resource_id = resource.state.physical_id, .resource_type = resource.type,
                                     .last_updated_timestamp = resource.changed, .resource_status = resource.status};
    if (!resource.reason.empty()) each.resource_status_reason = resource.reason;
    each.drift_information = model::StackResourceDriftInformationSummary{.stack_resource_drift_status = "NOT_CHECKED"};
    all.push_back(std::move(each));
  }
  model::ListStackResourcesOutput out;
  out.stack_resource_summaries = page_of(std::move(all), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::ListStacksOutput>> list_stacks(Cloudformation& cloud, const model::ListStacksInput& in, const aws::Call& call) {
  std::vector<model::StackSummary> all;
  for (const Stack* stack : cloud.list(call)) {
    if (in.stack_status_filter && !in.stack_status_filter->empty() &&
        std::find(in.stack_status_filter->begin(), in.stack_status_filter->end(), stack->status) == in.stack_status_filter->end())
      continue;
    model::StackSummary each{.stack_id = stack->id, .stack_name = stack->name, .creation_time = stack->created, .last_updated_time = stack->updated,
                             .deletion_time = stack->deleted, .stack_status = stack->status};
    if (!stack->desired.description().empty()) each.template_description = stack->desired.description();
    if (!stack->reason.empty()) each.stack_status_reason = stack->reason;
    if (!stack->parent_id.empty()) each.parent_id = stack->parent_id;
    if (!stack->root_id.empty()) each.root_id = stack->root_id;
    each.drift_information = model::StackDriftInformationSummary{.stack_drift_status = "NOT_CHECKED"};
    all.push_back(std::move(each));
  }
  model::ListStacksOutput out;
  out.stack_summaries = page_of(std::move(all), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::ListExportsOutput>> list_exports(Cloudformation& cloud, const model::ListExportsInput& in, const aws::Call& call) {
  std::vector<model::Export> all;
  for (const auto& [name, exported] : cloud.exports(call.account, call.region))
    all.push_back({.exporting_stack_id = exported.stack->id, .name = name, .value = exported.value});
  model::ListExportsOutput out;
  out.exports = page_of(std::move(all), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::ListImportsOutput>> list_imports(Cloudformation& cloud, const model::ListImportsInput& in, const aws::Call& call) {
  std::vector<std::string> names;
  for (const Stack* stack : cloud.importers(call.account, call.region, in.export_name)) names.push_back(stack->name);
  if (names.empty()) co_return Err(invalid(fmt::format("Export '{}' is not imported by any stack.", in.export_name)));
  model::ListImportsOutput out;
  out.imports = page_of(std::move(names), in.next_token, 100, out.next_token);
  co_return out;
}

Task<Reply<model::DescribeAccountLimitsOutput>> describe_account_limits(Cloudformation&, const model::DescribeAccountLimitsInput&, const aws::Call&) {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
  model::DescribeAccountLimitsOutput out;
  out.account_limits = {{.name = "StackLimit", .value = 2000}, {.name = "StackOutputsLimit", .value = 200}};
  co_return out;
}

}  // namespace reef::cloudformation::operations
