// What IAM serves, and nothing else.
#include "aws/resource.h"
#include "aws/service.h"
#include "service/iam/operations.h"
#include "service/iam/resources.h"

namespace reef::service {
namespace iam {
namespace {

const aws::ServiceDefinition kIam{
    .model = &aws::iam::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define IAM_ROW(Name) aws::serve<operations::Name>(aws::iam::ops::k##Name),
            IAM_OPERATIONS(IAM_ROW)
#undef IAM_ROW
        },
    .resources = {&resources::kRole, &resources::kPolicy, &resources::kManagedPolicy, &resources::kRolePolicy, &resources::kUser,
                  &resources::kGroup, &resources::kAccessKey, &resources::kInstanceProfile},
};

}  // namespace
}  // namespace iam

std::unique_ptr<aws::Service> make_iam(Parts& parts) { return std::make_unique<aws::ServiceOf<iam::Iam>>(iam::kIam, parts); }

}  // namespace reef::service
