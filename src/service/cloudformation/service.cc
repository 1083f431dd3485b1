// What CloudFormation serves, and nothing else.
#include "aws/service.h"

#include "service/cloudformation/operations.h"
#include "service/cloudformation/resources.h"

namespace reef::service {
namespace {

using aws::serve;
namespace ops = aws::cloudformation::ops;
namespace operations = cloudformation::operations;

const aws::ServiceDefinition kCloudformation{
    .model = &aws::cloudformation::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
            serve<operations::cancel_update_stack>(ops::kCancelUpdateStack),
            serve<operations::continue_update_rollback>(ops::kContinueUpdateRollback),
            serve<operations::create_change_set>(ops::kCreateChangeSet),
            serve<operations::create_stack>(ops::kCreateStack),
            serve<operations::delete_change_set>(ops::kDeleteChangeSet),
            serve<operations::delete_stack>(ops::kDeleteStack),
            serve<operations::describe_account_limits>(ops::kDescribeAccountLimits),
            serve<operations::describe_change_set>(ops::kDescribeChangeSet),
            serve<operations::describe_events>(ops::kDescribeEvents),
            serve<operations::describe_stack_events>(ops::kDescribeStackEvents),
            serve<operations::describe_stack_resource>(ops::kDescribeStackResource),
            serve<operations::describe_stack_resources>(ops::kDescribeStackResources),
            serve<operations::describe_stacks>(ops::kDescribeStacks),
            serve<operations::execute_change_set>(ops::kExecuteChangeSet),
            serve<operations::get_stack_policy>(ops::kGetStackPolicy),
            serve<operations::get_template>(ops::kGetTemplate),
            serve<operations::get_template_summary>(ops::kGetTemplateSummary),
            serve<operations::list_change_sets>(ops::kListChangeSets),
            serve<operations::list_exports>(ops::kListExports),
            serve<operations::list_imports>(ops::kListImports),
            serve<operations::list_stack_resources>(ops::kListStackResources),
            serve<operations::list_stacks>(ops::kListStacks),
            serve<operations::rollback_stack>(ops::kRollbackStack),
            serve<operations::set_stack_policy>(ops::kSetStackPolicy),
            serve<operations::update_stack>(ops::kUpdateStack),
            serve<operations::update_termination_protection>(ops::kUpdateTerminationProtection),
            serve<operations::validate_template>(ops::kValidateTemplate),
        },
    .resources = {&cloudformation::resources::kStack, &cloudformation::resources::kCustomResource, &cloudformation::resources::kWaitCondition,
                  &cloudformation::resources::kWaitConditionHandle, &cloudformation::resources::kCdkMetadata, &cloudformation::resources::kMacro},
};

}  // namespace

std::unique_ptr<aws::Service> make_cloudformation(Parts& parts) {
  return std::make_unique<aws::ServiceOf<cloudformation::Cloudformation>>(kCloudformation, parts);
}

}  // namespace reef::service
