// Wait conditions: a stack waits until something outside has said so often enough that it is ready.
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/store/shard.h"
#include "service/cloudformation/resources.h"

namespace reef::cloudformation::resources {
namespace {

using aws::Reply;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr std::int64_t kTimeoutMax = 43'200;

// A handle is a URL that takes signals.
Task<Reply<ResourceState>> create_handle(const ResourceContext& context, const Json&) {
  const std::string url = context.signals->open(context.call, aws::Signals::Kind::kHandle, fmt::format("{}/{}", context.stack_id, context.logical_id));
  co_return ResourceState{.physical_id = url, .attributes = Json::object()};
}

Task<Reply<void>> remove_handle(const ResourceContext& context, const ResourceState& current, const Json&) {
  context.signals->close(current.physical_id);
  co_return Reply<void>{};
}

aws::Error failed(std::string message) { return aws::Error("", std::move(message), 400); }

Task<Reply<ResourceState>> create_condition(const ResourceContext& context, const Json& properties) {
  const auto number = [&](std::string_view name) { return parse_int<std::int64_t>(properties[name].scalar_text().value_or("")); };
  const std::size_t wanted = static_cast<std::size_t>(number("Count").value_or(1));
  const Time until = store::Shard::control().now() + std::chrono::seconds(number("Timeout").value_or(kTimeoutMax));
  std::map<std::string, std::string> data;
  for (std::size_t seen = 0; data.size() < wanted; ++seen) {
    const auto text = co_await context.signals->next(properties.text("Handle"), seen, until, context.is_cancelled);
    if (!text && context.is_cancelled()) co_return Err(failed("Resource creation cancelled"));
    if (!text) co_return Err(failed(fmt::format("WaitCondition timed out. Received {} conditions when expecting {}", data.size(), wanted)));
    const auto signal = Json::parse(*text);
    if (!signal || !signal->is_object()) continue;   // as on AWS, nothing that counts
    if (signal->text("Status") == "FAILURE")
      co_return Err(failed(fmt::format("WaitCondition received failed message: '{}' for uniqueId: {}", signal->text("Reason"), signal->text("UniqueId"))));
    if (signal->text("Status") == "SUCCESS" && !signal->text("UniqueId").empty()) data.emplace(signal->text("UniqueId"), (*signal)["Data"].scalar_text().value_or(""));
  }
  Json all = Json::object();
  for (const auto& [id, value] : data) all.set(id, value);
  co_return ResourceState{.physical_id = fmt::format("arn:aws:cloudformation:{}:{}:stack/{}/{}", context.call.region, context.call.account, context.stack_name, context.logical_id),
                          .attributes = Json::object({{"Data", all.dump()}})};
}

Task<Reply<void>> remove_condition(const ResourceContext&, const ResourceState&, const Json&) { co_return Reply<void>{}; }

std::string check_condition(const Json& properties) {
  const auto check = [&](std::string_view name, std::int64_t low, std::int64_t high) -> std::string {
    const Json* const value = properties.find(name);
    const auto text = value ? value->scalar_text() : std::nullopt;
    if (!text) return {};   // missing, or known only later
    const auto number = parse_int<std::int64_t>(*text);
    return number && *number >= low && *number <= high ? std::string() : fmt::format("/{}: must be a number from {} to {}", name, low, high);
  };
  const std::string problem = check("Timeout", 0, kTimeoutMax);
  return problem.empty() ? check("Count", 1, 1000) : problem;
}

}  // namespace

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitcondition.html
const aws::ResourceType kWaitCondition{
    .name = "AWS::CloudFormation::WaitCondition",
    .properties = {{"Handle", aws::OnChange::kReplace, true}, {"Timeout", aws::OnChange::kReplace, true}, {"Count", aws::OnChange::kReplace}},
    .check = check_condition,
    .create = create_condition,
    .remove = remove_condition,
};

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitconditionhandle.html
const aws::ResourceType kWaitConditionHandle{
    .name = "AWS::CloudFormation::WaitConditionHandle",
    .properties = {},
    .create = create_handle,
    .remove = remove_handle,
};

}  // namespace reef::cloudformation::resources
