// What SSM serves, and the CloudFormation type it owns.
#include "aws/resource.h"
#include "service/ssm/ssm.h"
#include "wire/json.h"

namespace reef::service {
namespace ssm {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
Task<aws::Reply<ResourceState>> put(const ResourceContext& context, const Json& properties, std::string name, bool overwrite) {
  Json input = Json::object({{"Name", name}, {"Type", properties["Type"]}, {"Value", properties["Value"].scalar_text().value_or("")}, {"Overwrite", overwrite}});
  for (const std::string_view property : {"Description", "AllowedPattern", "Tier", "DataType"})
    if (const Json* value = properties.find(property)) input.set(property, *value);
  if (!overwrite && properties["Tags"].is_object()) {
    Json& tags = input.set("Tags", Json::array());
    for (const auto& [key, value] : properties["Tags"].as_object()) tags.push_back(Json::object({{"Key", key}, {"Value", value}}));
  }
  CO_TRY(co_await context.caller.invoke_json(context.call, "ssm", "PutParameter", input));
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Type", properties["Type"]}, {"Value", properties["Value"]}})};
}
std::string identify(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("Name");
  return given.empty() ? "CFN-" + context.generated_name(500) : given;
}
Task<aws::Reply<ResourceState>> create(const ResourceContext& context, const Json& properties) {
  return put(context, properties, identify(context, properties), false);
}
Task<aws::Reply<ResourceState>> update(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  ResourceState state = CO_TRY(co_await put(context, after, current.physical_id, true));
  Json gone = Json::array(), kept = Json::array();
  for (const auto& [key, value] : before["Tags"].as_object())
    if (!after["Tags"].contains(key)) gone.push_back(key);
  for (const auto& [key, value] : after["Tags"].as_object()) kept.push_back(Json::object({{"Key", key}, {"Value", value}}));
  const Json target = Json::object({{"ResourceType", "Parameter"}, {"ResourceId", current.physical_id}});
  if (gone.size() > 0) {
    Json input = target;
    input.set("TagKeys", std::move(gone));
    CO_TRY(co_await context.caller.invoke_json(context.call, "ssm", "RemoveTagsFromResource", input));
  }
  if (kept.size() > 0) {
    Json input = target;
    input.set("Tags", std::move(kept));
    CO_TRY(co_await context.caller.invoke_json(context.call, "ssm", "AddTagsToResource", input));
  }
  co_return state;
}
Task<aws::Reply<void>> remove(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto out = co_await context.caller.invoke_json(context.call, "ssm", "DeleteParameter", Json::object({{"Name", current.physical_id}}));
  if (!out && out.error().code != "ParameterNotFound") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

const aws::ResourceType kParameter{
    .name = "AWS::SSM::Parameter",
    .properties = {{"AllowedPattern"}, {"DataType"}, {"Description"}, {"Name", OnChange::kReplace}, {"Tags"}, {"Tier"},
                   {"Type", OnChange::kUpdate, true}, {"Value", OnChange::kUpdate, true}},
    .create = create, .identify = identify, .update = update, .remove = remove};

const aws::ServiceDefinition kSsm{
    .model = &aws::ssm::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define SSM_ROW(Name) aws::serve<operations::Name>(aws::ssm::ops::k##Name),
            SSM_OPERATIONS(SSM_ROW)
#undef SSM_ROW
        },
    .resources = {&kParameter},
};

}  // namespace
}  // namespace ssm

std::unique_ptr<aws::Service> make_ssm(Parts& parts) { return std::make_unique<aws::ServiceOf<ssm::Ssm>>(ssm::kSsm, parts); }

}  // namespace reef::service
