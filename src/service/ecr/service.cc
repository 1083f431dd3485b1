// What ECR serves, and nothing else.
#include "aws/resource.h"
#include "service/ecr/ecr.h"

namespace reef::service {
namespace ecr {
namespace {

const aws::ServiceDefinition kEcr{
    .model = &aws::ecr::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define ECR_ROW(Name) aws::serve<operations::Name>(aws::ecr::ops::k##Name),
            ECR_OPERATIONS(ECR_ROW)
#undef ECR_ROW
        },
    .resources = {&resources::kRepository},
};

}  // namespace
}  // namespace ecr

std::unique_ptr<aws::Service> make_ecr(Parts& parts) { return std::make_unique<aws::ServiceOf<ecr::Ecr>>(ecr::kEcr, parts); }

}  // namespace reef::service
