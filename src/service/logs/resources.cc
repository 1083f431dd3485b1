// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
#include "service/logs/resources.h"

#include <fmt/format.h>

namespace reef::service::logs::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "logs", operation, std::move(input));
}

ResourceState state_of(const ResourceContext& context, const std::string& name) {
  return {.physical_id = name, .attributes = Json::object({{"Arn", context.call.arn("logs", "log-group:" + name + ":*")}})};
}

Task<aws::Reply<void>> apply_retention(const ResourceContext& context, std::string name, Json properties) {
  if (const Json* days = properties.find("RetentionInDays")) {
    const auto text = days->scalar_text().value_or("0");
    CO_TRY(co_await call(context, "PutRetentionPolicy", Json::object({{"logGroupName", name}, {"retentionInDays", Json::number(text)}})));
  } else {
    CO_TRY(co_await call(context, "DeleteRetentionPolicy", Json::object({{"logGroupName", name}})));
  }
  co_return aws::Reply<void>();
}

std::string identify_group(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("LogGroupName");
  return given.empty() ? context.generated_name(512) : given;
}
Task<aws::Reply<ResourceState>> create_group(const ResourceContext& context, const Json& properties) {
  const std::string name = identify_group(context, properties);
  Json input = Json::object({{"logGroupName", name}});
  if (const Json* kms = properties.find("KmsKeyId")) input.set("kmsKeyId", *kms);
  if (const Json* log_class = properties.find("LogGroupClass")) input.set("logGroupClass", *log_class);
  Json tags = Json::object();
  for (const Json* list : {&context.tags, properties.find("Tags")})
    if (list)
      for (const Json& tag : list->as_array())
        if (!tag.text("Key").starts_with("aws:")) tags.set(tag.text("Key"), tag["Value"].scalar_text().value_or(""));
  if (tags.size()) input.set("tags", std::move(tags));
  CO_TRY(co_await call(context, "CreateLogGroup", std::move(input)));
  if (properties.contains("RetentionInDays")) CO_TRY(co_await apply_retention(context, name, properties));
  co_return state_of(context, name);
}

Task<aws::Reply<ResourceState>> update_group(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await apply_retention(context, current.physical_id, after));
  co_return state_of(context, current.physical_id);
}

Task<aws::Reply<void>> remove_group(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto out = co_await call(context, "DeleteLogGroup", Json::object({{"logGroupName", current.physical_id}}));
  if (!out && out.error().code != "ResourceNotFoundException") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_stream(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("LogStreamName");
  const std::string name = given.empty() ? context.generated_name(512) : given;
  CO_TRY(co_await call(context, "CreateLogStream", Json::object({{"logGroupName", properties["LogGroupName"]}, {"logStreamName", name}})));
  co_return ResourceState{.physical_id = name, .attributes = Json::object()};
}

Task<aws::Reply<void>> remove_stream(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto out = co_await call(context, "DeleteLogStream", Json::object({{"logGroupName", properties["LogGroupName"]}, {"logStreamName", current.physical_id}}));
  if (!out && out.error().code != "ResourceNotFoundException") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

}  // namespace

const aws::ResourceType kLogGroup{
    .name = "AWS::Logs::LogGroup",
    .properties = {{"KmsKeyId"}, {"LogGroupClass", OnChange::kReplace}, {"LogGroupName", OnChange::kReplace}, {"RetentionInDays"}, {"Tags"}},
    .create = create_group, .identify = identify_group, .update = update_group, .remove = remove_group};
const aws::ResourceType kLogStream{
    .name = "AWS::Logs::LogStream",
    .properties = {{"LogGroupName", OnChange::kReplace, true}, {"LogStreamName", OnChange::kReplace}},
    .create = create_stream, .remove = remove_stream};

}  // namespace reef::service::logs::resources
