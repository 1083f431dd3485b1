#include "service/cloudformation/resources.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/models/cloudformation.h"
#include "aws/unmodelled_errors.h"
#include "engine/store/shard.h"
#include "service/cloudformation/cloudformation.h"

namespace reef::cloudformation::resources {
namespace {

namespace model = aws::cloudformation;
using aws::Reply;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

std::vector<model::Parameter> parameters_of(const Json& properties) {
  std::vector<model::Parameter> out;
  for (const auto& [key, value] : properties["Parameters"].as_object()) {
    std::string text = value.scalar_text().value_or("");
    if (value.is_array()) {
      for (const Json& element : value.as_array()) text += (text.empty() ? "" : ",") + element.scalar_text().value_or("");
    }
    out.push_back({.parameter_key = key, .parameter_value = std::move(text)});
  }
  return out;
}

std::vector<model::Tag> tags_of(const ResourceContext& context, const Json& properties) {
  std::vector<model::Tag> out;
  for (const Json* list : {&properties["Tags"], &context.tags})
    for (const Json& tag : list->as_array())
      if (!tag.text("Key").starts_with("aws:")) out.push_back({.key = tag.text("Key"), .value = tag.text("Value")});
  return out;
}

std::vector<std::string> capabilities() { return {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}; }

// Waits until the stack is at rest; its outputs when it is well.
Task<Reply<ResourceState>> settle(const ResourceContext& context, std::string stack_id) {
  for (Duration pause = 2ms;; pause = std::min<Duration>(pause * 2, 200ms)) {
    auto reply = co_await context.caller.call<model::DescribeStacksOutput>(context.call, model::ops::kDescribeStacks, model::DescribeStacksInput{.stack_name = stack_id});
    if (!reply) co_return std::unexpected(std::move(reply).error());
    const model::Stack& stack = reply->stacks->front();
    if (!stack.stack_status.ends_with("_IN_PROGRESS")) {
      if (stack.stack_status != "CREATE_COMPLETE" && stack.stack_status != "UPDATE_COMPLETE")
        co_return Err(aws::validation_error(fmt::format("Embedded stack {} was not successfully created: {}", stack_id, stack.stack_status_reason.value_or(stack.stack_status))));
      ResourceState state{.physical_id = stack_id, .attributes = Json::object()};
      if (stack.outputs)
        for (const model::Output& output : *stack.outputs) state.attributes.set("Outputs." + output.output_key.value_or(""), output.output_value.value_or(""));
      co_return state;
    }
    co_await store::Shard::control().reactor().sleep(pause);
  }
}

Task<Reply<ResourceState>> create_stack(const ResourceContext& context, const Json& properties) {
  model::CreateStackInput in;
  in.stack_name = context.generated_name(128);
  in.template_url = properties.text("TemplateURL");
  in.parameters = parameters_of(properties);
  in.tags = tags_of(context, properties);
  in.tags->push_back({.key = std::string(kParentTag), .value = context.stack_id});
  in.capabilities = capabilities();
  if (!context.role_arn.empty()) in.role_arn = context.role_arn;   // nested stacks act as their parent's role
  in.disable_rollback = true;
  auto reply = co_await context.caller.call<model::CreateStackOutput>(context.call, model::ops::kCreateStack, in);
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const std::string id = *reply->stack_id;
  auto state = co_await settle(context, id);
  // Nobody else knows of the half-made stack.
  if (!state) (void)co_await context.caller.call<model::DeleteStackOutput>(context.call, model::ops::kDeleteStack, model::DeleteStackInput{.stack_name = id});
  co_return state;
}

Task<Reply<ResourceState>> update_stack(const ResourceContext& context, const ResourceState& current, const Json&, const Json& properties) {
  model::UpdateStackInput in;
  in.stack_name = current.physical_id;
  in.template_url = properties.text("TemplateURL");
  in.parameters = parameters_of(properties);
  in.tags = tags_of(context, properties);
  in.capabilities = capabilities();
  if (!context.role_arn.empty()) in.role_arn = context.role_arn;   // nested stacks act as their parent's role
  const std::string id = current.physical_id;
  auto reply = co_await context.caller.call<model::UpdateStackOutput>(context.call, model::ops::kUpdateStack, in);
  if (!reply && reply.error().message != "No updates are to be performed.") co_return std::unexpected(std::move(reply).error());
  co_return co_await settle(context, id);
}

Task<Reply<void>> remove_stack(const ResourceContext& context, const ResourceState& current, const Json&) {
  const std::string id = current.physical_id;
  auto reply = co_await context.caller.call<model::DeleteStackOutput>(context.call, model::ops::kDeleteStack, model::DeleteStackInput{.stack_name = id});
  if (!reply) co_return std::unexpected(std::move(reply).error());
  for (Duration pause = 2ms;; pause = std::min<Duration>(pause * 2, 200ms)) {
    auto shown = co_await context.caller.call<model::DescribeStacksOutput>(context.call, model::ops::kDescribeStacks, model::DescribeStacksInput{.stack_name = id});
    if (!shown || shown->stacks->front().stack_status == "DELETE_COMPLETE") co_return Reply<void>{};
    if (!shown->stacks->front().stack_status.ends_with("_IN_PROGRESS"))
      co_return Err(aws::validation_error(fmt::format("Embedded stack {} was not successfully deleted: {}", id, shown->stacks->front().stack_status_reason.value_or(""))));
    co_await store::Shard::control().reactor().sleep(pause);
  }
}

}  // namespace

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
const aws::ResourceType kStack{
    .name = "AWS::CloudFormation::Stack",
    .properties = {{"TemplateURL", aws::OnChange::kUpdate, true}, {"Parameters"}, {"Tags"}, {"NotificationARNs"}, {"TimeoutInMinutes"}},
    .create = create_stack,
    .update = update_stack,
    .remove = remove_stack,
};

}  // namespace reef::cloudformation::resources
