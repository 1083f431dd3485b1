// Macros: functions that stacks declare as transforms. What applies them finds them among the stacks (transforms.cc).
#include "service/cloudformation/resources.h"

namespace reef::cloudformation::resources {
namespace {

using aws::Reply;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

ResourceState macro_state(const Json& properties) { return {.physical_id = properties.text("Name"), .attributes = Json::object()}; }

Task<Reply<ResourceState>> create_macro(const ResourceContext&, const Json& properties) { co_return macro_state(properties); }
Task<Reply<ResourceState>> update_macro(const ResourceContext&, const ResourceState&, const Json&, const Json& properties) { co_return macro_state(properties); }
Task<Reply<void>> remove_macro(const ResourceContext&, const ResourceState&, const Json&) { co_return Reply<void>{}; }

}  // namespace

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-macro.html
const aws::ResourceType kMacro{
    .name = "AWS::CloudFormation::Macro",
    .properties = {{"Name", aws::OnChange::kReplace, true}, {"FunctionName", aws::OnChange::kUpdate, true}, {"Description"}, {"LogGroupName"}, {"LogRoleARN"}},
    .create = create_macro,
    .update = update_macro,
    .remove = remove_macro,
};

}  // namespace reef::cloudformation::resources
