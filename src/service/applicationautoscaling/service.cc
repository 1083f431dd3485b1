// What Application Auto Scaling serves, and nothing else.
#include "aws/resource.h"
#include "service/applicationautoscaling/operations.h"
#include "service/applicationautoscaling/resources.h"

namespace reef::service {
namespace applicationautoscaling {
namespace {

const aws::ServiceDefinition kApplicationAutoScaling{
    .model = &aws::applicationautoscaling::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define SCALING_ROW(Name) aws::serve<operations::Name>(aws::applicationautoscaling::ops::k##Name),
            SCALING_OPERATIONS(SCALING_ROW)
#undef SCALING_ROW
        },
    .resources = {&resources::kScalableTarget, &resources::kScalingPolicy},
};

}  // namespace
}  // namespace applicationautoscaling

std::unique_ptr<aws::Service> make_applicationautoscaling(Parts& parts) {
  return std::make_unique<aws::ServiceOf<applicationautoscaling::ApplicationAutoScaling>>(applicationautoscaling::kApplicationAutoScaling, parts);
}

}  // namespace reef::service
