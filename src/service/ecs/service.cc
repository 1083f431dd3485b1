// What ECS serves, and nothing else.
#include "aws/resource.h"
#include "service/ecs/operations.h"
#include "service/ecs/resources.h"

namespace reef::service {
namespace ecs {
namespace {

const aws::ServiceDefinition kEcs{
    .model = &aws::ecs::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define ECS_ROW(Name) aws::serve<operations::Name>(aws::ecs::ops::k##Name),
            ECS_OPERATIONS(ECS_ROW)
#undef ECS_ROW
        },
    .resources = {&resources::kCluster, &resources::kTaskDefinition, &resources::kService, &resources::kTaskSet, &resources::kPrimaryTaskSet},
};

}  // namespace
}  // namespace ecs

std::unique_ptr<aws::Service> make_ecs(Parts& parts) { return std::make_unique<aws::ServiceOf<ecs::Ecs>>(ecs::kEcs, parts); }

}  // namespace reef::service
